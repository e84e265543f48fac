"""Gains with intervals of differences whose parts are known, and epochs that other rows choose."""

import numpy as np

from tarazu.study.interventions.paired import chosen_by_others, paired_gain

ROWS = np.ones(400)


def gain(differences, weights=None, unit=1.0):
    pairs = [(row, np.zeros_like(row)) for row in differences]
    return paired_gain("x", "y", pairs, np.ones(differences.shape[1]) if weights is None else weights, unit)


def test_the_error_of_seeds_has_students_quantile():
    found = gain(np.outer([0.1, 0.2, 0.3], ROWS), unit=2.0)
    half = 4.303 * 0.1 / np.sqrt(3) / 2
    np.testing.assert_allclose((found.mean, *found.interval), (0.1, 0.1 - half, 0.1 + half))


def test_the_error_of_rows_is_normal_and_what_rows_and_seeds_make_together_counts_once():
    draw = np.random.default_rng(0)
    rows = draw.normal(0.5, 1.0, size=400)
    found = gain(np.stack([rows, rows, rows]))
    np.testing.assert_allclose(found.interval[1] - found.mean, 1.96 * rows.std(ddof=1) / 20)
    errors = [gain(draw.normal(size=(5, 400))).error for _ in range(200)]
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(errors))), 1 / np.sqrt(5 * 400), rtol=0.2)


def test_intervals_hold_what_they_say():
    draw = np.random.default_rng(0)
    made = [gain(draw.normal(size=100) + 0.1 * draw.normal(size=(3, 1)) + 0.5 * draw.normal(size=(3, 100)))
            for _ in range(400)]
    held = np.mean([found.interval[0] <= 0 <= found.interval[1] for found in made])
    assert 0.93 <= held <= 0.995


def test_weights_and_one_seed():
    found = gain(np.array([[1.0, 0.0] * 200]), np.array([1.0, 0.0] * 200))
    assert found.mean == 1.0 and found.interval[0] < 1.0 - 4 * 0.05 / np.sqrt(3) < found.interval[1]


def test_the_best_epoch_of_noise_is_no_better_than_any():
    draw = np.random.default_rng(0)
    losses = draw.normal(1.0, 1.0, size=(200, 100))
    chosen = np.mean([chosen_by_others(losses, seed).mean() for seed in range(50)])
    assert losses.mean(axis=1).min() < 0.8 < 0.93 < chosen
    losses[3] = np.nan
    assert np.isfinite(chosen_by_others(losses, 0)).all()
