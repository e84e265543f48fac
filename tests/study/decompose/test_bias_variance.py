"""`bias_variance`: known variances of real fits, settings, epochs, interruption, divergence, and what it refuses."""

import math

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.study import bias_variance
from tarazu.study.curves.estimates import Estimate
from tarazu.study.decompose.chart import lines_chart


def numbers(rows=300, sigma=0.5, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 4)).astype(np.float32)
    return x, (x.sum(axis=1) + sigma * random.normal(size=rows)).astype(np.float32)


def linear():
    return tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.2), loss="mse")


def classifier(width=8):
    return tz.nn.Sequential([tz.nn.Dense(width, "relu"), tz.nn.Dense(2)]).compile("adam", loss="cross_entropy")


@pytest.fixture(autouse=True)
def numpy_backend(monkeypatch):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # other tests run the native backend, which takes seconds to compile


LAST = tz.train.KeepBest(restore=False)


def test_a_linear_fit_has_the_variance_of_least_squares_and_none_of_the_seed():
    x, y = numbers(1200)
    found = bias_variance(linear, x[:200], y[:200], validation_data=(x[200:], y[200:]), epochs=20, batch_size=100,
                          rounds=5, noise=0.25, callbacks=[LAST])
    terms = found.points[0].loss
    expected = 0.25 * 5 / (100 - 5 - 1)  # sigma^2 p / (n - p - 1) where inputs are drawn, too
    assert found.rows == 100 and terms.sample_variance.mean == pytest.approx(expected, rel=0.5)
    assert terms.sample_variance.low < expected < terms.sample_variance.high
    assert abs(terms.seed_variance.mean) < 3e-4 and terms.bias.low < 0 < terms.bias.high
    total = terms.noise + terms.bias.mean + terms.sample_variance.mean + terms.seed_variance.mean
    assert total == pytest.approx(terms.loss.mean, rel=1e-12)


def test_rounding_is_shown_as_0_and_shares_stay_from_0_to_1():
    x, y = numbers(60)
    build = tz.nn.Sequential(tz.nn.Dense(1, kernel_initializer="zeros")).compile(tz.optim.SGD(lr=0.1), loss="mse")
    found = bias_variance(build, x, y, epochs=3, rounds=2, batch_size=60)
    assert "variance of the seed     0\n" in str(found) and "variance of the sample   0\n" not in str(found)
    shares = bias_variance(classifier, x, (y > 0).astype(int), epochs=1, rounds=2).points[0].zero_one
    assert all(0 <= end <= 1 for name in ("loss", "bias", "harmful_variance", "helpful_variance", "seed_disagreement")
               for end in getattr(shares, name))


def test_same_seed_same_bits_and_the_global_generator_stays():
    x, y = numbers(60)
    tz.random.seed(3)
    first = bias_variance(linear, x, y, epochs=3, rounds=2)
    drawn = tz.random.uniform((2,)).numpy()
    second = bias_variance(linear, x, y, epochs=3, rounds=2)
    tz.random.seed(3)
    np.testing.assert_array_equal(tz.random.uniform((2,)).numpy(), drawn)
    assert first == second != bias_variance(linear, x, y, epochs=3, rounds=2, seed=9)


def test_classes_have_both_losses_over_settings_and_epochs(tmp_path):
    x, y = numbers(120)
    found = bias_variance(classifier, x, (y > 0).astype(int), epochs=4, rounds=2, settings=[2, 16], at_epochs=[4, 1])
    assert [(point.setting, point.epoch) for point in found.points] == [(2, 1), (2, 4), (16, 1), (16, 4)]
    for point in found.points:
        terms, zero_one = point.loss, point.zero_one
        assert terms.loss.mean == pytest.approx(
            terms.bias.mean + terms.sample_variance.mean + terms.seed_variance.mean, rel=1e-12)
        assert zero_one.loss.mean == pytest.approx(
            zero_one.bias.mean + zero_one.harmful_variance.mean - zero_one.helpful_variance.mean, abs=1e-12)
    assert found.to_frame().shape[0] == 8 and "0-1 loss" in found._repr_html_()
    text = found.plot(tmp_path / "terms.svg").svg()
    assert (tmp_path / "terms.svg").read_text(encoding="utf-8") == text and "variance of the seed" in text
    assert "setting 16, epoch 4:" in str(found) and "the noise is at most about" in str(found)


def test_the_picture_has_a_bar_for_each_interval_and_starts_at_0():
    terms = {"bias": [Estimate(0.5, 0.4, 0.6), Estimate(0.1, -0.2, 0.4), Estimate(0.05, math.nan, math.nan)]}
    picture = lines_chart("loss", "width", [1, 10, 100], terms).svg()
    assert picture.count('class="whisker') == 2 and picture.count("<circle") == 3
    assert "width (logarithmic axis)" in picture and ">-0." not in picture


@pytest.mark.parametrize(("loss", "targets", "has_loss"), [
    ("binary_cross_entropy", lambda y: (y > 0).astype(np.float32), True), ("hinge", np.sign, False),
    ("mae", lambda y: y, True)])
def test_other_losses(loss, targets, has_loss):
    x, y = numbers(60)
    build = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss=loss)
    point = bias_variance(build, x, targets(y), epochs=2, rounds=2).points[0]
    assert (point.loss is not None) is has_loss and (point.zero_one is None) is (loss == "mae")
    assert str(point)


def test_settings_that_diverge_are_reported_apart():
    x, y = numbers(60)

    def build(rate):
        return tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=rate), loss="mse")

    good, bad = bias_variance(build, x, y, epochs=2, rounds=2, settings=[0.01, 1e30]).points
    assert good.loss is not None and bad.loss is None and (bad.rounds, bad.diverged) == (0, 2)
    assert "2 rounds left out" in str(bad)
    with pytest.raises(TrainingError, match="fits that diverge"):
        bias_variance(build, x, y, epochs=2, rounds=2, settings=[1e30])


@pytest.mark.parametrize("after", [1, 2])
def test_an_interruption_keeps_complete_rounds(after, interrupt_after):
    x, y = numbers(60)
    interrupt_after(4 * after + 1)
    if after == 1:
        with pytest.raises(KeyboardInterrupt):
            bias_variance(linear, x, y, epochs=1)
    else:
        found = bias_variance(linear, x, y, epochs=1)
        assert found.interrupted and found.points[0].rounds == 2 and "interrupted" in str(found)


@pytest.mark.parametrize(("options", "error", "text"), [
    ({"rounds": 1}, ArgumentError, "rounds=1"), ({"parts": 8}, ArgumentError, "at least 80 training rows"),
    ({"at_epochs": [3]}, ArgumentError, "epochs from 1 to 2"), ({"noise": -1.0}, ArgumentError, "noise=-1"),
    ({"build": linear(), "settings": [1]}, ArgumentError, "settings for a model"),
    ({"settings": [1]}, ArgumentError, "settings for a build that takes none"),
    ({"build": lambda width: linear()}, ArgumentError, "a build that takes a setting, without any"),
    ({"build": lambda width: linear(), "settings": 8}, ArgumentError, "settings=8"),
    ({"build": lambda: tz.nn.Sequential([tz.nn.Dense(1)]).compile("sgd", loss=lambda p, y: ((p - y)**2).mean())},
     TrainingError, "a decomposition for the loss"),
])
def test_what_it_refuses(options, error, text):
    x, y = numbers(60)
    with pytest.raises(error, match=text):
        bias_variance(**{"build": linear, "x": x, "y": y, "epochs": 2, **options})
