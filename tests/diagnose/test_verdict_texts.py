"""What verdicts of fits say and advise: unscaled inputs, few epochs, learning rates, and no absurd percentages."""

import re

import numpy as np
import pytest

import tarazu as tz
from tarazu.diagnose import judge
from tarazu.nn import Dense, Sequential
from tarazu.record import History

draw = np.random.default_rng(0)
X = draw.normal(size=(200, 4)).astype(np.float32)
Y = X.sum(1)
NOISE = draw.normal(size=200)


def verdict(x=X, y=Y, optimizer="adam", epochs=12, **options):
    model = Sequential([Dense(8, "relu", in_features=4), Dense(1, in_features=8)]).compile(optimizer, "mse")
    return str(model.fit(x, y, epochs=epochs, validation_split=0.2, seed=0, verbose=0, **options).verdict)


@pytest.mark.parametrize("scale", [np.full(4, 1000), np.array([1, 1, 1, 1e5])], ids=["all", "one column"])
def test_unscaled_inputs_are_named(scale):
    text = verdict(X * scale.astype(np.float32) + 50)
    assert "the inputs are not scaled" in text and "tz.data.Standardizer" in text
    assert "a larger model" not in text and "a target scaled" not in text


def test_scaled_inputs_and_learned_ones_are_not():
    assert "not scaled" not in verdict() and "not scaled" not in verdict(y=NOISE)


@pytest.mark.parametrize("epochs", [1, 2])
def test_two_epochs_give_no_advice_about_size_or_the_learning_rate(epochs):
    text = verdict(y=NOISE, epochs=epochs)
    assert "may be too few" in text and "train longer" in text
    assert not re.search("larger model|smaller model|learning rate|falls", text)


def history_with(rate, losses, **measurements):
    measured = {"train_samples": 100, "train_loss": losses[-1], "trivial_train_loss": 1.0, "train_skill": 0.01,
                "train_skill_high": 0.02, "least_train_loss": min(losses), "loss_scale": 1.0, "num_parameters": 9,
                "train_rise": losses[-1] - min(losses), "train_trend_fall": losses[-5] - losses[-1], **measurements}
    history = History()
    for loss in losses:
        history.append(loss=loss, learning_rate=rate)
    history.measurements = measured
    return history


RATES = {  # the learning rate and the losses of the last epochs: what is advised
    "high": (1.0, [1.0] * 6, "a smaller learning rate, now 1: first a tenth"),
    "falls slowly": (1e-6, [1.0 - i / 1e4 for i in range(6)], "as the train loss falls slowly: first ten times as lar"),
    "flat": (0.001, [0.99, 0.98, 0.99, 0.99, 0.99, 0.99], "no longer falls: first ten times as large, then a tenth"),
}


@pytest.mark.parametrize(("rate", "losses", "text"), RATES.values(), ids=RATES)
def test_the_learning_rate_that_is_advised(rate, losses, text):
    advised = str(judge(history_with(rate, losses)))
    assert text in advised
    assert ("no longer falls" in advised) == (text == RATES["flat"][2])
    assert rate < 1 or "ten times as large" not in advised


def test_a_high_rate_is_not_met_by_a_larger_one():
    assert "larger learning rate" not in verdict(optimizer=tz.optim.Adam(lr=1.0))


@pytest.mark.parametrize(("x", "y"), [(X * 1e4, Y), (X, Y * 1e-6)], ids=["inputs", "targets"])
def test_no_absurd_percentages(x, y):
    assert not re.search(r"\d,\d{3},?\d* %", re.sub(r"(over|below -)\s?1,000 %", "", verdict(x.astype(np.float32), y)))


@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_a_target_that_spreads_far_is_told_to_be_scaled(loss):
    model = Sequential([Dense(8, "relu", in_features=4), Dense(1, in_features=8)]).compile("adam", loss)
    text = str(model.fit(X, Y * 1e4, epochs=8, validation_split=0.2, seed=0, verbose=0).verdict)
    assert "the target's standard deviation is far above 1" in text and "a target scaled to mean 0" in text
    assert "a larger model" not in text


def test_an_unstable_run_without_validation_says_its_loss():
    model = Sequential([Dense(1, in_features=4)]).compile("sgd", "mse")
    history = model.fit(X, Y, epochs=12, seed=0, verbose=0)
    history.measurements |= {"explosion": 50.0, "train_skill_low": 0.0, "train_skill_high": 1.0}
    text = judge(history).headline
    assert re.fullmatch(r"undecided: training was unstable; the loss is [\d.e-]+ on training data", text)


def test_a_run_that_diverged_is_not_told_to_train_longer():
    with pytest.warns(tz.train.TrainingWarning, match="training stopped"):
        text = verdict(optimizer=tz.optim.SGD(lr=20.0))
    assert "training diverged" in text and "a smaller learning rate" in text
    assert not re.search("train longer|at least 3 epochs|validation samples, or|far from the targets", text)
