"""Measurements against what is known exactly, or by simulation."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import synthetic_runs as synthetic

from tarazu.base.errors import ShapeError
from tarazu.diagnose import (
    MEASUREMENTS,
    mean_shift,
    measure_fit,
    trivial_classification_losses,
    trivial_regression_losses,
)
from tarazu.diagnose.measuring import curves
from tarazu.diagnose.measuring.bootstrap import interval, resampled_means, student_quantile
from tarazu.diagnose.measuring.curves import noise, smooth


@pytest.mark.parametrize("samples", [5, 20, 200])
def test_the_interval_covers_the_true_mean_about_95_percent_of_the_time(samples):
    runs, hits = 300, 0
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        values = generator.standard_normal((samples, 1))
        low, high = interval(values.mean(), resampled_means(values, generator)[:, 0], samples)
        hits += low <= 0 <= high
    assert 0.92 <= hits / runs <= 0.98  # measured: 0.94 to 0.97


def test_a_hundred_thousand_samples_give_the_width_that_theory_gives():
    generator = np.random.default_rng(0)
    values = generator.exponential(size=(100_001, 1))
    low, high = interval(values.mean(), resampled_means(values, generator)[:, 0], len(values))
    assert high - low == pytest.approx(2 * 1.96 * values.std() / math.sqrt(len(values)), rel=0.1)


def test_student_quantile_is_near_the_tables():
    assert student_quantile(4) == pytest.approx(2.776, rel=0.02)
    assert student_quantile(29) == pytest.approx(2.045, rel=0.001)


def test_trivial_losses_average_to_entropy_and_variance():
    labels = np.repeat([0, 1, 2], 50)
    assert trivial_classification_losses(labels, labels).mean() == pytest.approx(math.log(3))
    target = np.random.default_rng(0).normal(5, 3, (100, 1))
    assert trivial_regression_losses(target, target).mean() == pytest.approx(target.var())


def test_a_class_that_training_never_saw_has_a_finite_loss():
    assert np.isfinite(trivial_classification_losses(np.array(["a", "a"]), np.array(["b"]))).all()


def test_one_hot_labels_are_refused_with_the_remedy():
    with pytest.raises(ShapeError, match=r"labels.argmax\(axis=1\)"):
        trivial_classification_losses(np.eye(3), np.eye(3))


def test_noise_is_that_of_the_curve_and_not_its_fall():
    curve = synthetic.falling(400, 0.1, 40) + 0.02 * np.random.default_rng(0).standard_normal(400)
    assert noise(curve) == pytest.approx(0.02, rel=0.2)


def test_smoothing_ignores_a_spike():
    values = np.ones(60)
    values[30] = 100
    assert smooth(values).max() == 1


@pytest.mark.parametrize("make", [synthetic.healthy, synthetic.overfit, synthetic.turned])
def test_measurements_are_the_documented_ones_and_strict_json(make):
    measured = make(0).measurements
    assert list(measured) == list(MEASUREMENTS)
    json.dumps(measured, allow_nan=False)


def test_without_validation_without_trivial_losses_without_rows():
    measured = measure_fit(np.ones(3), None, None, None, [], num_parameters=1)
    assert (measured["validation_samples"], measured["train_loss"], measured["gap"]) == (0, 1.0, None)
    assert (measured["loss_scale"], measured["turning_epoch"]) == (None, None)


def test_losses_that_are_no_numbers_are_counted():
    measured = measure_fit(np.array([1.0, np.nan, np.inf]), np.array([1.0]), None, None, [], num_parameters=1)
    assert (measured["non_finite_samples"], measured["train_loss"], measured["gap_low"]) == (2, None, None)


def test_a_constant_target_has_no_skill():
    measured = measure_fit(np.ones(4), np.ones(4), np.zeros(4), np.zeros(4), [], num_parameters=1)
    assert measured["train_skill"] is None


def test_lengths_that_differ_are_refused():
    with pytest.raises(ShapeError, match=r"train losses have shapes \(3,\), \(2,\)"):
        measure_fit(np.ones(3), None, np.ones(2), None, [], num_parameters=1)


def test_the_turn_and_the_rise_are_found():
    run = synthetic.turned(0).measurements
    assert 25 <= run["turning_epoch"] <= 45
    assert run["rise"] == pytest.approx(0.16, rel=0.3)
    assert run["rise_low"] > 0
    assert abs(run["kept_rise"]) < 0.01


def test_a_fall_goes_on_as_its_windows_shrink():
    slowing = 1 + np.exp(-np.arange(100) / 40)  # to fall by exp(-100 / 40) - exp(-200 / 40) in as many epochs again
    assert curves.fall_ahead(slowing) == pytest.approx(np.exp(-2.5) - np.exp(-5), rel=0.1)
    assert curves.fall_ahead(np.arange(20.0)[::-1]) == pytest.approx(20)
    assert curves.fall_ahead(np.arange(20.0)) == 0 and curves.fall_ahead(np.ones(2)) is None


def test_a_fall_within_noise_does_not_go_on():
    random = np.random.default_rng(0)
    ahead = [curves.fall_ahead(random.normal(size=40)) for _ in range(200)]
    assert np.mean(np.array(ahead) > 0) < 0.08  # 0.025 of a normal slope; the noise is an estimate


def test_columns_of_one_distribution_differ_in_one_of_a_thousand_sets():
    random = np.random.default_rng(0)
    draw = lambda rows: np.hstack([random.normal(size=(rows, 20)), random.random((rows, 4)) < 0.1])  # noqa: E731
    assert not any(mean_shift(draw(100), draw(12)) for _ in range(300))


@pytest.mark.parametrize(("train", "validation", "size"), [
    (np.zeros((40, 2)), np.ones((40, 2)), 2.0),  # constant in each
    (np.zeros((40, 2)), np.zeros((40, 2)), 0.0),
    (np.arange(60.0), np.arange(60.0) + 60, 1.7),
    (np.zeros((40, 2, 2), bool), np.ones((40, 2, 2), bool), 2.0),
    (np.full((40, 1), np.nan), np.zeros((40, 1)), 0.0),
    (np.zeros((40, 1)), np.ones((9, 1)), 0.0),  # too few
    (np.zeros((40, 0)), np.zeros((40, 0)), 0.0),
    (np.array(["a"] * 40), np.array(["b"] * 40), 0.0),
], ids=str)
def test_the_shift_of_means(train, validation, size):
    assert mean_shift(train, validation) == pytest.approx(size, abs=0.05)
