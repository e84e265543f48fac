"""`tz.study.diagnose`: what it answers, what it refuses, and what an interruption leaves."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.study.experiment.experiment import Experiment

X = np.random.default_rng(0).normal(size=(120, 2)).astype("float32")
Y = X @ np.float32([[1.0], [-2.0]])


def build():
    return tz.nn.Sequential(tz.nn.Dense(1)).compile(tz.optim.SGD(lr=0.001), "mse")


def diagnose(x=X, y=Y, **options):
    return tz.study.diagnose(build, x, y, **{"epochs": 2, "budget": 4, "verbose": 0, **options})


def test_the_same_seed_gives_the_same_diagnosis_and_leaves_the_generator():
    tz.random.seed(5)
    expected = tz.random.normal((2,)).numpy()
    tz.random.seed(5)
    first, second = diagnose(), diagnose()
    assert first.ranking == second.ranking and first.remedies == second.remedies
    assert np.array_equal(tz.random.normal((2,)).numpy(), expected)
    assert len(first.history) == 2 and {one.study for one in first.evidence} >= {"fit", "copies", "shift"}
    assert first.history.verdict.findings[0].name == "remedies"
    assert [gain.mean for gain in first.remedies] == sorted((gain.mean for gain in first.remedies), reverse=True)
    assert "not tried, for want of budget" in str(first) and first.plot().svg() in first._repr_html_()


@pytest.mark.parametrize(("options", "message"), [
    ({"budget": 0}, "budget=0"),
    ({"budget": float("nan")}, "budget=nan"),
    ({"x": np.where(np.arange(120)[:, None] == 7, np.nan, X)}, "not finite .* in row 7"),
    ({"x": X[:12], "y": Y[:12]}, "a study of 2 validation rows"),
])
def test_what_cannot_be_diagnosed_is_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        diagnose(**options)


def test_a_part_of_one_class_is_refused():
    with pytest.raises(ArgumentError, match="all validation rows have the (class|target) 1"):
        diagnose(y=np.arange(120) % 2, validation_data=(X[:20], np.ones(20, int)))


def test_an_interruption_keeps_what_is_known(monkeypatch):
    fit, count = Experiment.fit, iter(range(100))

    def interrupted(self, **options):
        if next(count) == 2:
            raise KeyboardInterrupt
        return fit(self, **options)

    monkeypatch.setattr(Experiment, "fit", interrupted)
    found = diagnose()
    assert found.is_interrupted and found.cause == "undecided" and found.overfit is None
    assert found.fits == 2 and found.loss > 0 and "interrupted after 2 fits" in str(found)


def test_an_interruption_before_the_first_fit_ends_raises(monkeypatch):
    def interrupted(self, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Experiment, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        diagnose()


def test_a_loss_without_a_scale_is_refused():
    def own(prediction, target):
        return tz.mean(abs(prediction - target))

    def build():
        return tz.nn.Sequential(tz.nn.Dense(1)).compile("sgd", own)

    with pytest.raises(ArgumentError, match="(?s)for whose loss the best prediction.*compile it with such a loss"):
        tz.study.diagnose(build, X, X[:, 0], epochs=1, verbose=0)


def test_what_cannot_be_changed_is_not_healthy():
    x = np.random.default_rng(0).normal(size=(160, 4)).astype("float32")

    def build():
        inputs = tz.nn.Input((4,))
        model = tz.nn.Model(inputs, tz.nn.Dense(1)(tz.nn.Dense(1, "relu")(inputs)))
        return model.compile(tz.optim.Adam(lr=0.05), "mse")

    found = tz.study.diagnose(build, x, 3 * x[:, :1] * x[:, 1:2], epochs=12, verbose=0)
    assert found.cause == "undecided" and "4 x the width" in found.skipped


def test_fits_that_all_diverge_are_not_healthy():
    def build():
        return tz.nn.Sequential(tz.nn.Dense(1)).compile(tz.optim.SGD(lr=1e4), "mse")

    found = tz.study.diagnose(build, X, Y, epochs=3, verbose=0)
    assert found.cause != "healthy" and "the fits diverge" in str(found)


def test_whole_numbers_of_a_loss_of_numbers_are_no_classes():
    found = diagnose(y=np.round(10 * Y).astype(int))
    assert found.loss > 0 and not any("accuracy" in one.name for one in found.evidence)


@pytest.mark.parametrize(("options", "text"), [
    ({"y": np.ones((120, 1), "float32")}, "all training rows have the target 1"),
    ({"validation_data": X}, r"validation_data of type ndarray(.|\n)*a pair \(x, y\)"),
    ({"validation_data": (X[:20, :1], Y[:20])}, r"validation_data with x of shape \(20, 1\)(.|\n)*shape \(rows, 2\)"),
    ({"budget": "5"}, "budget='5'"),
])
def test_what_does_not_fit_is_refused(options, text):
    with pytest.raises(ValueError, match=text):
        diagnose(**options)
