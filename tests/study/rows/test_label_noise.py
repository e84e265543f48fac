"""Rates of wrong targets on drawn predictions whose share of wrong ones is known, and `label_noise` with its fits."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.runtime import random
from tarazu.study.experiment.experiment import Experiment
from tarazu.study.rows.class_noise import wilson
from tarazu.study.rows.label_noise import label_noise, probabilities, wrong_targets
from tarazu.study.rows.number_noise import wrong_numbers


def doubtful(classes, rows=2000, seed=0):
    """Logits of a calibrated model that is sure of some rows and not of others, and right classes drawn by them."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(rows, classes)) * draw.uniform(0.2, 8, size=(rows, 1))
    y = np.array([draw.choice(classes, p=p) for p in probabilities(logits)])
    return logits, y, draw


@pytest.mark.parametrize("classes", [2, 5])
def test_natural_doubt_is_no_noise(classes):
    logits, y, _ = doubtful(classes)
    assert np.mean(logits.argmax(axis=1) != y) > 0.1
    assert wrong_targets(logits, y).rate < 0.05


@pytest.mark.parametrize("classes", [2, 5, 10])
@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_wrong_classes_without_regard_to_the_features_are_counted_and_ranked(classes, rate):
    logits, y, draw = doubtful(classes)
    is_wrong = draw.random(len(y)) < rate
    given = np.where(is_wrong, (y + draw.integers(1, classes, size=len(y))) % classes, y)
    found = wrong_targets(logits, given)
    assert found.rate == pytest.approx(rate, abs=0.05) and found.low - 0.03 < rate < found.high + 0.03
    worst = np.argsort(-found.suspicion)[:50]
    assert is_wrong[worst].mean() > 0.8 and (found.instead[worst] == y[worst]).mean() > 0.75


def test_one_column_of_logits_is_that_of_class_1():
    logits, y, _ = doubtful(2)
    pair = wrong_targets(logits, y)
    single = wrong_targets(logits[:, 1:] - logits[:, :1], y)
    assert single.rate == pair.rate and np.allclose(single.suspicion, pair.suspicion)


def test_a_model_that_knows_nothing_finds_nothing_and_says_so():
    draw = np.random.default_rng(0)
    found = wrong_targets(draw.normal(size=(300, 3)), draw.integers(3, size=300))
    assert found.rate == 0.0 and found.high > 0.3
    found = wrong_numbers(draw.normal(size=300), draw.normal(size=300))
    assert (found.rate, found.high) == (0.0, 1.0)


@pytest.mark.parametrize("tails", ["normal", "t", "uneven"])
def test_natural_errors_of_numbers_are_no_noise(tails):
    draw = np.random.default_rng(0)
    truth = draw.normal(size=800)
    errors = {"normal": draw.normal(size=800), "t": draw.standard_t(4, size=800),
              "uneven": draw.normal(size=800) * np.where(truth > 0, 2, 0.5)}[tails]
    assert wrong_numbers(truth, truth + 0.4 * errors).rate < 0.02


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_numbers_of_other_rows_are_counted(rate):
    draw = np.random.default_rng(0)
    truth = draw.normal(size=800)
    right = truth + 0.3 * draw.normal(size=800)
    is_wrong = draw.random(800) < rate
    found = wrong_numbers((1 - rate) * truth, np.where(is_wrong, draw.permutation(right), right))
    assert found.rate == pytest.approx(is_wrong.mean(), abs=0.05)
    assert np.corrcoef(found.instead, truth)[0, 1] > 0.99


def test_numbers_that_lie_far_off_are_counted_and_named():
    draw = np.random.default_rng(0)
    truth = draw.normal(size=800)
    y = truth + 0.4 * draw.standard_t(4, size=800)
    y[:40] += draw.choice([-1, 1], size=40) * draw.uniform(3, 8, size=40)
    found = wrong_numbers(truth, y)
    assert found.rate == pytest.approx(0.05, abs=0.015)
    assert np.mean(np.argsort(-found.suspicion)[:40] < 40) > 0.9


def test_intervals_of_shares_are_those_of_scipy():
    from scipy.stats import binomtest

    interval = binomtest(7, 50).proportion_ci(0.9, "wilson")
    assert wilson(7, 50) == pytest.approx((interval.low, interval.high), abs=1e-4)


def line(outputs=2, loss="cross_entropy", rate=0.05):
    return lambda: tz.nn.Sequential([tz.nn.Dense(outputs)]).compile(tz.optim.Adam(lr=rate), loss=loss)


def rows_with_wrong_classes():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(240, 2)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    y[:36] = 1 - y[:36]
    return x, y


def test_label_noise_fits_folds_and_names_rows(tmp_path):
    x, y = rows_with_wrong_classes()
    options = {"validation_data": (x[180:], y[180:]), "epochs": 12, "folds": 3, "seed": 1}
    state = random.default.state.numpy().copy()
    found = label_noise(line(), x, y, **options)
    assert (random.default.state.numpy() == state).all()
    assert found.rate == pytest.approx(0.15, abs=0.07) and found.low <= found.rate <= found.high
    assert (found.rows, found.judged, found.folds, found.diverged) == (240, 240, 3, 0)
    assert np.mean([suspect.row < 36 for suspect in found.suspects[:15]]) > 0.85
    assert found.suspects[0].target != found.suspects[0].expected
    assert found == label_noise(line(), x, y, **options)
    assert list(found.to_frame().columns) == ["row", "target", "expected", "suspicion"]
    found.plot(tmp_path / "noise.svg")
    assert (tmp_path / "noise.svg").read_text() == found.plot().svg() and "are wrong" in found._repr_html_()


def test_label_noise_of_numbers():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(240, 2)).astype(np.float32)
    y = (x[:, 0] + 0.2 * draw.normal(size=240)).astype(np.float32)
    y[:24] += 6
    found = label_noise(line(1, "mse"), x, y, validation_split=0.2, epochs=12, folds=2)
    assert found.rate == pytest.approx(0.1, abs=0.04)


def test_an_interrupted_study_keeps_two_folds(monkeypatch):
    x, y = rows_with_wrong_classes()
    fit, made = Experiment.fit, []

    def interrupted(self, **options):
        made.append(options)
        if len(made) > stop:
            raise KeyboardInterrupt
        return fit(self, **options)

    monkeypatch.setattr(Experiment, "fit", interrupted)
    stop = 2
    found = label_noise(line(), x, y, validation_data=(x[180:], y[180:]), epochs=2, folds=4)
    assert (found.folds, found.judged) == (2, 120) and "judged: 120 of 240 rows" in str(found)
    made.clear()
    stop = 1
    with pytest.raises(KeyboardInterrupt):
        label_noise(line(), x, y, validation_data=(x[180:], y[180:]), epochs=2, folds=4)


def test_unfit_studies_are_named():
    x, y = rows_with_wrong_classes()
    with pytest.raises(TrainingError, match="every fit of label_noise diverged"):
        label_noise(line(1, "mse", 1e30), x, y.astype(np.float32), epochs=2, folds=2)
    with pytest.raises(ArgumentError, match="folds=1"):
        label_noise(line(), x, y, epochs=1, folds=1)
    with pytest.raises(ArgumentError, match="have the class 0"):
        label_noise(line(), x, y * 0, epochs=1)
    with pytest.raises(ArgumentError, match="16 training rows"):
        label_noise(line(), x[:16], y[:16], validation_data=(x, y), epochs=1)
    with pytest.raises(ArgumentError, match="2 outputs for numbers"):
        wrong_targets(np.zeros((50, 2)), np.zeros(50))
