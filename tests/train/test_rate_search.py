"""`find_learning_rate`: what it suggests, and that it leaves no trace."""

import numpy as np
import pytest
from helpers import same_bits
from sklearn.datasets import load_digits

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.picture.marks import Rule
from tarazu.train.rate_search import LearningRates, _Search, middle_of_fall, steepest_fall

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(320, 4)).astype(np.float32)
Y = (X @ [[1.0], [-2.0], [0.5], [1.0]]).astype(np.float32)


def compiled(optimizer=None, **options):
    tz.random.seed(0)
    return tz.nn.Sequential([tz.nn.Dense(1, **options)]).compile(optimizer or tz.optim.SGD(lr=0.3), loss="mse")


def test_a_model_learns_fast_at_the_suggested_rate():
    found = tz.train.find_learning_rate(compiled(), X, Y, seed=0)
    assert 0.01 < found.suggestion < 0.3 and 0.01 < found.steepest < 0.3
    assert "times the lowest" in found.ended and len(found.rates) < 100

    def loss_at(rate):
        return compiled(tz.optim.SGD(lr=rate)).fit(X, Y, epochs=3, seed=0, verbose=0)[-1]["loss"]

    assert loss_at(found.suggestion) < loss_at(found.suggestion / 100) / 4


def species():
    """Three overlapping kinds, four measures and an island of each row, as in a table of penguins."""
    draw = np.random.default_rng(0)
    kind = draw.choice(3, size=333, p=[0.44, 0.2, 0.36])
    measures = (draw.normal(size=(3, 4)) * 1.5)[kind] + draw.normal(size=(333, 4))
    island = np.eye(3)[np.where(draw.random(333) < 0.6, kind, draw.integers(0, 3, 333))]
    return np.hstack([measures, island]), kind


def digits():
    data = load_digits()
    return data.data / 16, data.target


KINDS = {"a table": (species, "cross_entropy", (16, 3), 10, tz.optim.Adam(lr=0.1)),
         "lines": (lambda: (X, Y), "mse", (1,), 5, tz.optim.SGD(lr=0.1)),
         "digits": (digits, "cross_entropy", (32, 10), 5, tz.optim.SGD(lr=0.1))}


@pytest.mark.parametrize(("data", "loss", "sizes", "epochs", "optimizer"), KINDS.values(), ids=KINDS)
def test_the_suggestion_is_nearly_as_good_as_the_best_of_a_grid(data, loss, sizes, epochs, optimizer):
    """Over a second: a grid of rates is a fit for each."""
    x, y = data()
    tz.random.seed(2)
    layers = [tz.nn.Dense(size, "relu") for size in sizes[:-1]]
    model = tz.nn.Sequential([*layers, tz.nn.Dense(sizes[-1])]).compile(optimizer, loss)
    model(tz.asarray(x[:1], dtype="float32"))
    optimizer.attach(model.named_parameters())
    weights, state = ({name: tensor.numpy().copy() for name, tensor in part.state_dict().items()}
                      for part in (model, optimizer))
    start = model.evaluate(x, y)["loss"]

    def reached(rate):
        """The share of the loss that training with that rate takes away."""
        model.load_state_dict(weights)
        optimizer.load_state_dict(state)
        optimizer.lr = rate
        model.fit(x, y, epochs=epochs, seed=2, verbose=0)
        return 1 - model.evaluate(x, y)["loss"] / start

    rate = tz.train.find_learning_rate(model, x, y, seed=2).suggestion
    assert reached(rate) > 0.9 * max(map(reached, np.geomspace(1e-3, 1, 7)))


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
    with pytest.warns(tz.train.TrainingWarning, match="the data ended after 10 of 50 batches, at the rate 2.9e-06, so "
                                                      "higher rates were not tried") as caught:
        found = tz.train.find_learning_rate(compiled(), iter(batches), steps=50)
    assert len(found.rates) == 10 and found.ended == "the data ended" and caught[0].filename == __file__


def test_a_loss_that_is_not_finite_ends_the_search():
    found = tz.train.find_learning_rate(compiled(), X * 1e15, Y, lowest=1e-30, highest=1e30, steps=12)
    assert found.ended == "the loss was not finite" and np.isfinite(found.losses).all()


def test_the_picture_and_the_text(tmp_path):
    found = LearningRates((1e-3, 1e-2, 1e-1), (4.0, 9.0, 1.0), (4.0, 2.0, 1.0), 1e-3, 1e-2, "all steps were made")
    picture = found.plot(tmp_path / "rates.svg").svg()
    assert (tmp_path / "rates.svg").read_text(encoding="utf-8") == picture
    assert "steepest: 0.001" in picture and "valley: 0.01" in picture and picture.count("<circle") == 2
    assert picture in found._repr_html_() and "0.001 (steepest fall)" in found._repr_html_()
    assert str(found).startswith("learning rate 0.01 (middle of the fall of the loss), 0.001 (steepest fall)")


def test_where_the_loss_falls_most():
    rates = np.geomspace(1e-4, 1, 41)
    losses = 2 - 1 / (1 + np.exp(-8 * (np.log10(rates) + 2))) + np.where(rates > 0.5, 1, 0)  # falls most at 1e-2
    noisy = losses + np.random.default_rng(0).normal(size=41) * 0.1
    assert rates[steepest_fall(losses)] == pytest.approx(1e-2, rel=0.3)
    assert rates[steepest_fall(noisy)] == pytest.approx(1e-2, rel=0.5)
    assert 5e-3 < rates[middle_of_fall(losses)] < 1e-1
    assert steepest_fall([1.0, 2.0, 3.0]) in (1, 2) and middle_of_fall([1.0, 2.0, 3.0]) == 0  # losses that only rise


def test_losses_of_divergence_do_not_hide_the_fall_before_them():
    losses = [2.4] * 50 + [2.2, 2.0, 1.9, 1.8, 1.7, 2.5, 1.9, 5.0, 10.0, 89.0]
    search = _Search(tz.optim.SGD(), 1e-4, 1.2, 100, 0.8)
    search.rates, search.losses = [1e-4 * 1.2**i for i in range(60)], losses
    found = search.result()
    assert search.rates[50] <= found.valley < search.rates[57] and max(found.smoothed) <= 2.4
    search.losses = [*losses[:54], 9.0, 8.0, 9.0, 9.0, 9.0, 2.3]  # the last fall is none to learn by
    assert search.result().steepest < search.rates[54]


ERRORS = {
    "not compiled": (lambda: tz.train.find_learning_rate(tz.nn.Dense(1), X, Y), TrainingError, "is not compiled"),
    "range": (lambda: tz.train.find_learning_rate(compiled(), X, Y, lowest=1.0, highest=0.1), ArgumentError,
              "lowest=1.0 and highest=0.1\n  expected: 0 < lowest < highest"),
    "smoothing": (lambda: tz.train.find_learning_rate(compiled(), X, Y, smoothing=1.0), ArgumentError, "smoothing=1.0"),
    "steps": (lambda: tz.train.find_learning_rate(compiled(), X, Y, steps=3), ArgumentError, "steps=3"),
    "one batch": (lambda: tz.train.find_learning_rate(compiled(), iter([(X, Y)])), ArgumentError,
                  "the data ended after 1 of 100 batches\n  expected: at least 10 batches, better 100"),
    "not finite": (lambda: tz.train.find_learning_rate(compiled(), X * 1e30, Y), ArgumentError,
                   "find_learning_rate with 0 finite losses"),
}


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


def test_texts_of_two_rates_do_not_cross_each_others_rules():
    for rates in ((0.026, 0.038), (1e-6, 1e-5)):
        found = tz.train.LearningRates((1e-7, 1e-4, 3.0), (2.0, 1.0, 3.0), (2.0, 1.0, 3.0), *rates, "")
        rules = {mark.at: mark.level for mark in found.plot().charts[0].marks if isinstance(mark, Rule)}
        assert rules[max(rates) if rates[0] > 1e-3 else min(rates)] == 1
