"""`find_learning_rate`: what it suggests, and that it leaves no trace."""

import numpy as np
import pytest
from helpers import same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.train.rate_search import LearningRates, middle_of_fall, steepest_fall

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(320, 4)).astype(np.float32)
Y = (X @ [[1.0], [-2.0], [0.5], [1.0]]).astype(np.float32)


def compiled(optimizer=None, **options):
    tz.random.seed(0)
    return tz.nn.Sequential([tz.nn.Dense(1, **options)]).compile(optimizer or tz.optim.SGD(lr=0.3), loss="mse")


def test_a_model_learns_fast_at_the_suggested_rate():
    found = tz.train.find_learning_rate(compiled(), X, Y, seed=0)
    assert 0.01 < found.suggestion < 0.3 and 0.01 < found.valley < 0.3
    assert "times the lowest" in found.ended and len(found.rates) < 100

    def loss_at(rate):
        return compiled(tz.optim.SGD(lr=rate)).fit(X, Y, epochs=3, seed=0, verbose=0)[-1]["loss"]

    assert loss_at(found.suggestion) < loss_at(found.suggestion / 100) / 4


@pytest.mark.parametrize("optimizer", [
    tz.optim.SGD(lr=0.3, momentum=0.9), tz.optim.Adam(lr=tz.optim.cosine_decay(0.1, 10)),
    tz.optim.SGD(lr=0.1, ema=0.9, groups={"*.bias": {"lr": 0.2}}), tz.optim.ScheduleFreeAdamW()],
    ids=["rate", "schedule", "averages and groups", "schedule-free"])
def test_weights_optimizer_and_generator_are_as_before(optimizer):
    model = compiled(optimizer, in_features=4)
    model.fit(X, Y, epochs=1, batch_size=64, seed=0, verbose=0)

    def everything():
        state = {**model.state_dict(), **optimizer.state_dict(), "generator": tz.runtime.random.default.state,
                 "rate": optimizer.lr, "steps of an epoch": optimizer.steps_per_epoch}
        return {name: x.numpy().copy() for name, x in state.items()}

    before, schedule = everything(), optimizer._schedule
    tz.train.find_learning_rate(model, X, Y, steps=30, seed=3)
    after = everything()
    assert not [name for name in before if not same_bits(before[name], after[name])]
    assert optimizer._schedule is schedule and model.training is compiled().training


def test_layers_that_wait_get_their_initial_weights():
    model, twin = compiled(), compiled()
    tz.train.find_learning_rate(model, X, Y, seed=5)
    history = model.fit(X, Y, epochs=2, seed=5, verbose=0)
    tz.random.seed(5)
    twin(tz.asarray(X[:1]))
    assert model[0].weight.shape == (4, 1) and history[-1]["loss"] < history[0]["loss"]


def test_streams_and_short_searches():
    batches = [(X[i:i + 32], Y[i:i + 32]) for i in range(0, 320, 32)]
    found = tz.train.find_learning_rate(compiled(), batches, steps=12, highest=1e-3)
    assert found.ended == "all steps were made" and len(found.losses) == 12
    np.testing.assert_allclose(found.rates[::11], [1e-7, 1e-3])
    assert len(tz.train.find_learning_rate(compiled(), iter(batches), steps=50).rates) == 10


def test_a_loss_that_is_not_finite_ends_the_search():
    found = tz.train.find_learning_rate(compiled(), X * 1e15, Y, lowest=1e-30, highest=1e30, steps=12)
    assert found.ended == "the loss was not finite" and np.isfinite(found.losses).all()


def test_the_picture_and_the_text(tmp_path):
    found = LearningRates((1e-3, 1e-2, 1e-1), (4.0, 9.0, 1.0), (4.0, 2.0, 1.0), 1e-3, 1e-2, "all steps were made")
    picture = found.plot(tmp_path / "rates.svg")
    assert (tmp_path / "rates.svg").read_text(encoding="utf-8") == picture
    assert "steepest: 0.001" in picture and "valley: 0.01" in picture and picture.count("<circle") == 2
    assert picture in found._repr_html_() and "0.001 (steepest fall of the loss)" in found._repr_html_()
    assert str(found).startswith("learning rate 0.001 (steepest fall of the loss), 0.01 (middle of the fall)")


def test_where_the_loss_falls_most():
    rates = np.geomspace(1e-4, 1, 41)
    losses = 2 - 1 / (1 + np.exp(-8 * (np.log10(rates) + 2))) + np.where(rates > 0.5, 1, 0)  # falls most at 1e-2
    noisy = losses + np.random.default_rng(0).normal(size=41) * 0.1
    assert rates[steepest_fall(losses)] == pytest.approx(1e-2, rel=0.3)
    assert rates[steepest_fall(noisy)] == pytest.approx(1e-2, rel=0.5)
    assert 5e-3 < rates[middle_of_fall(losses)] < 1e-1
    assert steepest_fall([1.0, 2.0, 3.0]) in (1, 2) and middle_of_fall([1.0, 2.0, 3.0]) == 0  # losses that only rise


ERRORS = {
    "not compiled": (lambda: tz.train.find_learning_rate(tz.nn.Dense(1), X, Y), TrainingError, "is not compiled"),
    "range": (lambda: tz.train.find_learning_rate(compiled(), X, Y, lowest=1.0, highest=0.1), ArgumentError,
              "lowest=1.0 and highest=0.1\n  expected: 0 < lowest < highest"),
    "smoothing": (lambda: tz.train.find_learning_rate(compiled(), X, Y, smoothing=1.0), ArgumentError, "smoothing=1.0"),
    "steps": (lambda: tz.train.find_learning_rate(compiled(), X, Y, steps=3), ArgumentError, "steps=3"),
    "one batch": (lambda: tz.train.find_learning_rate(compiled(), iter([(X, Y)])), ArgumentError,
                  "find_learning_rate with 1 finite losses"),
}


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
