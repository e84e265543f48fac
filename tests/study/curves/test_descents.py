"""The best positions of a curve, and second descents, on losses that are drawn."""

import numpy as np
import pytest

from tarazu.study.curves.descents import best_positions, second_descent

TWICE = np.array([3.0, 1.0, 0.8, 1.2, 2.0, 1.5, 0.6])


@pytest.mark.parametrize(("offset", "expected"), [(0.0, (1, 1, 2)), (np.nan, (1, 1, 2))])
def test_positions_as_good_as_the_best_are_its_neighbors(offset, expected):
    losses = np.array([[3.0, 1.0, 1.1, 2.0, 1.0], [3.1, 1.1, 1.0, 2.2, 1.2], [3.2, 1.0, 1.1, 2.1, 1.1]])
    losses[0, 0] += offset
    assert best_positions(losses) == expected


def test_positions_without_a_finite_loss_are_never_best():
    assert best_positions(np.array([[np.nan, 2.0, 1.0], [np.nan, 2.1, 1.1]])) == (2, 2, 2)


def test_a_second_descent_is_told_with_its_size():
    noise = np.random.default_rng(0).normal(0, 0.1, (4, 7))
    found = second_descent(TWICE + noise, list("abcdefg"))
    assert (found.valley, found.peak, found.end) == ("c", "e", "g")
    assert found.rise.mean == pytest.approx(1.2, abs=0.2) and found.fall.mean == pytest.approx(1.4, abs=0.2)
    assert found.rise.low > 0 and "rises by 1." in str(found)


def test_noise_is_no_second_descent():
    falling = 1 / np.arange(1, 31)
    tried = [second_descent(falling + np.random.default_rng(seed).normal(0, 0.1, (3, 30)), list(range(30)))
             for seed in range(100)]
    assert sum(found is not None for found in tried) <= 3


@pytest.mark.parametrize("losses", [np.stack([TWICE] * 2), np.stack([TWICE, TWICE, TWICE * np.nan])])
def test_fewer_than_three_seeds_tell_none(losses):
    assert second_descent(losses, list(range(7))) is None
