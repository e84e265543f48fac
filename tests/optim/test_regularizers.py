"""Regularizers: their values, and what they do to the losses and weights of fits."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.optim import L1, L1L2, L2, SGD, Orthogonal

X, Y = np.ones((8, 1), np.float32), np.zeros((8, 1), np.float32)
MATRIX = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 4.0]])


def cosines(rows):
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.mean([abs(unit[i] @ unit[j]) for i in range(len(rows)) for j in range(i)])


VALUES = {
    "L1": (L1(0.1), 0.1 * 10.5),
    "L2": (L2(0.1), 0.1 * 30.25),
    "L1L2": (L1L2(0.1, 0.2), 0.1 * 10.5 + 0.2 * 30.25),
    "rows": (Orthogonal(0.5), 0.5 * cosines(MATRIX)),
    "columns": (Orthogonal(0.5, of="columns"), 0.5 * cosines(MATRIX.T)),
}


@pytest.mark.parametrize(("regularizer", "value"), VALUES.values(), ids=VALUES)
def test_values(regularizer, value):
    assert float(regularizer(tz.asarray(MATRIX))) == pytest.approx(value)


def model_of(weight, **options):
    model = tz.nn.Sequential([tz.nn.Dense(1, in_features=1)])
    model.load_state_dict({"0.weight": np.array([[weight]]), "0.bias": np.array([0.5])})
    return model.compile(SGD(lr=0.1), loss="mse", **options)


def test_the_penalty_is_in_the_loss_that_trains_and_in_both_columns():
    model = model_of(2.0, regularizer={"*.weight": L2(0.25), "*.bias": L1(1.0)}, metrics=["mse"])
    assert model.evaluate(X, Y) == {"loss": pytest.approx(6.25 + 1.0 + 0.5), "mse": pytest.approx(6.25)}
    history = model.fit(X, Y, validation_data=(X, Y), seed=0, verbose=0)
    assert history[0]["loss"] == pytest.approx(7.75) and history[0]["mse"] == pytest.approx(6.25)
    assert history[0]["val_loss"] == pytest.approx(model.evaluate(X, Y)["loss"])
    assert model[0].weight.item() == pytest.approx(2.0 - 0.1 * (5.0 + 1.0))  # 2 (w + b), and 2 * 0.25 w
    assert model[0].bias.item() == pytest.approx(0.5 - 0.1 * (5.0 + 1.0))


def test_one_regularizer_is_for_all_that_is_trained():
    model = model_of(2.0, regularizer=L2(1.0))
    assert model.evaluate(X, Y)["loss"] == pytest.approx(6.25 + 4.25)
    model[0].weight.requires_grad_(False)
    assert model.evaluate(X, Y)["loss"] == pytest.approx(6.25 + 0.25)
    model = model_of(2.0, regularizer=lambda w: 3.0 * w.sum())
    assert model.evaluate(X, Y)["loss"] == pytest.approx(6.25 + 7.5)


def test_l1_drives_weights_that_do_not_matter_to_0():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 4)).astype(np.float32)
    model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(SGD(lr=0.05), loss="mse", regularizer={"*.weight": L1(0.3)})
    model.fit(x, 2 * x[:, :1], epochs=20, seed=0, verbose=0)
    size = abs(model[0].weight.detach().numpy()[:, 0])
    assert size[0] > 1.5 and (size[1:] < 0.1).all()


def test_a_saved_model_has_its_regularizer(tmp_path):
    model = model_of(2.0, regularizer={"*.weight": L1L2(0.1, 0.2)})
    model.save(tmp_path / "model")
    assert tz.load(tmp_path / "model").evaluate(X, Y) == model.evaluate(X, Y)


ERRORS = {
    "factor": (lambda: L2(-1), ArgumentError, "factor=-1"),
    "of": (lambda: Orthogonal(of="axes"), ArgumentError, "of='axes'"),
    "no matrix": (lambda: Orthogonal()(tz.ones(3)), ShapeError, r"Orthogonal for a parameter of shape \(3,\)"),
    "text": (lambda: model_of(1.0, regularizer="l2"), ArgumentError, "regularizer='l2'\n  expected: a dict by"),
    "no function": (lambda: model_of(1.0, regularizer={"*": 0.1}), ArgumentError, "expected: functions of a parameter"),
    "pattern": (lambda: model_of(1.0, regularizer={"*.kernel": L2()}).fit(X, Y, verbose=0), ArgumentError,
                r"regularizer: the pattern '\*.kernel' matches nothing"),
}


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
