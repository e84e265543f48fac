"""Losses against their formulas in NumPy, at extreme logits, and their refusals."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, OutOfRangeError, ShapeError
from tarazu.nn import LOSSES, binary_cross_entropy, cross_entropy, huber, mae, mse

draw = np.random.default_rng(5)
LOGITS = draw.normal(size=(6, 4)).astype(np.float32) * 3
LABELS = draw.integers(0, 4, 6)
TARGETS = draw.normal(size=(6, 4)).astype(np.float32) * 3
BITS = draw.integers(0, 2, (6, 4))


def softmax(logits):
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


EXACT, DISTANCE = LOGITS.astype(float), np.abs(LOGITS.astype(float) - TARGETS)
PER_ELEMENT = {
    "cross_entropy": (cross_entropy, LABELS, -np.log(softmax(EXACT)[np.arange(6), LABELS])),
    "one-hot cross_entropy": (cross_entropy, np.eye(4, dtype=np.float32)[LABELS],
                              -np.log(softmax(EXACT)[np.arange(6), LABELS])),
    "binary_cross_entropy": (binary_cross_entropy, BITS,
                             -(BITS * np.log(sigmoid(EXACT)) + (1 - BITS) * np.log(1 - sigmoid(EXACT)))),
    "mse": (mse, TARGETS, DISTANCE**2),
    "mae": (mae, TARGETS, DISTANCE),
    "huber": (huber, TARGETS, np.where(DISTANCE <= 1, DISTANCE**2 / 2, DISTANCE - 0.5)),
}
each_loss = pytest.mark.parametrize(("loss", "target", "wanted"), PER_ELEMENT.values(), ids=PER_ELEMENT)


@pytest.mark.parametrize(("place", "names"), [
    ("tests/nn/test_losses.py, in PER_ELEMENT,", {loss.__name__ for loss, *_ in PER_ELEMENT.values()}),
    ("tarazu/nn/__init__.py, in __all__,", set(tz.nn.__all__))])
def test_every_loss_has_a_row(place, names):
    missing = set(LOSSES) - names
    assert not missing, f"{place} lacks: {', '.join(missing)}"


@each_loss
def test_values_and_reductions(loss, target, wanted):
    reduced = {how: loss(LOGITS, target, reduction=how).numpy() for how in ("mean", "sum", "none")}
    np.testing.assert_allclose(reduced["mean"], wanted.mean(), rtol=1e-5)
    np.testing.assert_allclose(reduced["sum"], wanted.sum(), rtol=1e-5)
    np.testing.assert_allclose(reduced["none"], wanted.reshape(6, -1).mean(1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(loss(LOGITS, target).numpy(), wanted.mean(), rtol=1e-5)


@each_loss
def test_gradients_of_first_and_second_order(loss, target, wanted):
    def at(x):
        return loss(x, tz.asarray(target))

    x = tz.asarray(EXACT)
    direction = tz.asarray(draw.normal(size=LOGITS.shape))

    def slope(x):
        return (tz.grad(at)(x) * direction).sum()

    for function in (at, slope):
        slope_along = float((tz.grad(function)(x) * direction).sum())
        quotient = (float(function(x + 1e-6 * direction)) - float(function(x - 1e-6 * direction))) / 2e-6
        assert slope_along == pytest.approx(quotient, rel=1e-4, abs=1e-7)


@each_loss
def test_traced_is_eager(loss, target, wanted):
    traced = tz.jit(loss)(tz.asarray(LOGITS), tz.asarray(target))
    np.testing.assert_allclose(traced.numpy(), loss(LOGITS, target).numpy(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int64", "bool", "float32", "float64"])
def test_one_hot_labels_of_every_dtype_are_class_numbers(dtype):
    one_hot = tz.asarray(np.eye(4)[LABELS]).astype(dtype)
    assert cross_entropy(LOGITS, one_hot).item() == pytest.approx(cross_entropy(LOGITS, LABELS).item(), rel=1e-6)
    assert cross_entropy(LOGITS, one_hot).dtype is tz.float32


def test_class_numbers_as_a_column_and_of_other_integer_dtypes():
    wanted = cross_entropy(LOGITS, LABELS).item()
    assert cross_entropy(LOGITS, LABELS[:, None].astype(np.uint8)).item() == wanted


@pytest.mark.native
@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8"])
def test_traced_gradient_is_that_of_the_logit_which_the_loss_takes(dtype):
    labels = np.array([0, 3, -1, -4, -9, 7]).astype(dtype)  # compiled programs clamp them
    taken = np.clip(np.where(labels < 0, labels.astype(int) + 4, labels), 0, 3)
    computed = tz.jit(tz.value_and_grad(lambda x, y: cross_entropy(x, y)))(tz.asarray(LOGITS), tz.asarray(labels))
    wanted = tz.value_and_grad(lambda x: cross_entropy(x, taken))(tz.asarray(LOGITS))
    for one, other in zip(computed, wanted, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)


def test_cross_entropy_of_sequences():
    logits, labels = draw.normal(size=(2, 3, 4)), draw.integers(0, 4, (2, 3))
    losses = cross_entropy(tz.asarray(logits), labels, reduction="none")
    wanted = cross_entropy(tz.asarray(logits.reshape(6, 4)), labels.reshape(6), reduction="none").numpy().reshape(2, 3)
    np.testing.assert_allclose(losses.numpy(), wanted.mean(1))


def test_soft_labels_weigh_the_classes():
    loss = cross_entropy(LOGITS, np.full((6, 4), 0.25, np.float32))
    assert loss.item() == pytest.approx(-np.log(softmax(EXACT)).mean(), rel=1e-5)


def test_binary_is_cross_entropy_of_two_classes():
    z = LOGITS[:, :1]
    pairs = np.concatenate([np.zeros_like(z), z], 1)
    wanted = cross_entropy(pairs, BITS[:, 0]).item()
    assert binary_cross_entropy(z, BITS[:, 0]).item() == pytest.approx(wanted, rel=1e-6)


def test_logits_of_a_thousand_give_finite_losses_and_gradients():
    z = tz.tensor([[1000.0, -1000.0]], requires_grad=True)
    losses = [cross_entropy(z, [0]), cross_entropy(z, [1]), binary_cross_entropy(z, [[1, 0]]),
              binary_cross_entropy(z, [[0, 1]])]
    assert [x.item() for x in losses] == [0, 2000, 0, 1000]
    for x in losses:
        x.backward()
    assert np.isfinite(z.grad.numpy()).all()


@pytest.mark.parametrize("loss", [binary_cross_entropy, mse, mae, huber])
def test_a_missing_last_axis_of_one_is_no_matrix_of_differences(loss):
    column, row = LOGITS[:, :1], BITS[:, 0].astype(np.float32)
    wanted = loss(column[:, 0], row).item()
    assert loss(column, row).item() == loss(column[:, 0], row[:, None]).item() == wanted
    assert loss(column, row, reduction="none").shape == (6,)


def test_huber_lies_between_square_and_absolute():
    assert huber(LOGITS, TARGETS, delta=1e9).item() == pytest.approx(mse(LOGITS, TARGETS).item() / 2)
    assert huber(LOGITS, TARGETS, delta=1e-4).item() == pytest.approx(1e-4 * mae(LOGITS, TARGETS).item(), rel=1e-3)


ERRORS = {
    "reduction": (lambda: mse(LOGITS, TARGETS, reduction="avg"), ArgumentError,
                  "reduction='avg'\n  expected: \"mean\", \"sum\" or \"none\""),
    "label too high": (lambda: cross_entropy(LOGITS, LABELS + 4), ArgumentError,
                       r"labels from \d to 7 for a model with 4 outputs\n  expected: labels from 0 to 3\n"
                       r".*or give the last layer 8 outputs"),
    "label below 0": (lambda: cross_entropy(LOGITS, LABELS - 1), ArgumentError,
                      r"labels from -1 to 2.*\n.*\n  to mend it: number the classes from 0$"),
    "label too high in a trace": (lambda: tz.jit(cross_entropy)(LOGITS, tz.asarray(LABELS + 4)), OutOfRangeError,
                                  "out of bounds"),
    "float class numbers": (lambda: cross_entropy(LOGITS, LABELS.astype(np.float32)), ShapeError,
                            r"labels of float32 and shape \(6,\) for .* \(6, 4\)\n.*\n.*astype\(tz.int64\)"),
    "other rows": (lambda: cross_entropy(LOGITS, LABELS[:3]), ShapeError, r"labels of int64 and shape \(3,\)"),
    "one logit": (lambda: cross_entropy(LOGITS[:, :1], BITS[:, 0]), ShapeError,
                  r"logits of shape \(6, 1\)[\s\S]*binary_cross_entropy"),
    "other outputs": (lambda: mse(LOGITS, TARGETS[:, :2]), ShapeError,
                      r"mse: a prediction of shape \(6, 4\) for a target of shape \(6, 2\)"),
    "row and column": (lambda: mae(LOGITS[:, :1], TARGETS[:, :1].T), ShapeError, r"target of shape \(1, 6\)"),
    "delta": (lambda: huber(LOGITS, TARGETS, delta=0), ArgumentError, "huber: delta=0"),
}


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
