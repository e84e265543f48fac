"""`shift` on drawn problems whose differences are known, its statistics against SciPy, and its errors."""

import numpy as np
import pytest
from scipy import stats

from tarazu.base.errors import ArgumentError
from tarazu.study.rows.shift import shift
from tarazu.study.rows.two_samples import adjusted, largest_distance, ranked_area


def problem(seed=0, rows=300):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 5))
    return x, (x[:, 0] + 0.3 * random.normal(size=rows) > 0).astype(int), random


def of_parts(x, y):
    rows = len(x) * 2 // 3
    return shift(x[:rows], y[:rows], x[rows:], y[rows:])


def test_like_rows_differ_about_as_often_as_the_bound_says():
    results = [of_parts(*problem(seed)[:2]) for seed in range(6)]
    assert sum(found.is_shifted for found in results) <= 1
    assert abs(np.mean([found.area for found in results]) - 0.5) < 0.05
    assert "like training rows" in str(results[0])


def test_a_moved_column_is_named_with_its_distance():
    x, y, _ = problem()
    x[200:, 3] += 1.5
    found = of_parts(x, y)
    assert found.is_shifted and found.area > 0.75 and [column.column for column in found.differing] == [3]
    assert found.differing[0].difference == pytest.approx(1.5, abs=0.3)
    assert found.target_p_value > 0.01 and found.given_target < 0.02
    assert "1 column differs: '3' by 1." in str(found)


def test_a_wider_column_is_seen_by_its_square():
    x, y, _ = problem()
    x[200:, 3] *= 3
    assert of_parts(x, y).p_value < 0.005


def test_classes_that_are_rarer_are_seen_in_the_targets_alone():
    x, y, random = problem(rows=900)
    kept = np.r_[np.flatnonzero((y[:600] == 1) | (random.random(600) < 0.1)), 600:900]
    rows = len(kept) - 300
    found = shift(x[kept[:rows]], y[kept[:rows]], x[600:], y[600:])
    assert found.is_shifted and found.target_p_value < 0.005 and found.given_target > 0.01
    assert found.target_distance == pytest.approx(abs(y[kept[:rows]].mean() - y[600:].mean()))
    assert "among rows of like targets the features do not differ" in str(found)


def test_targets_that_are_numbers_are_compared_by_their_distribution():
    x, _, random = problem()
    y = random.normal(size=300)
    y[200:] += 1
    assert of_parts(x, y).target_p_value < 0.001


def test_statistics_are_those_of_scipy():
    random = np.random.default_rng(0)
    first, second = random.normal(size=200), random.normal(size=150) + 0.2
    expected = stats.ks_2samp(first, second, method="asymp")
    distance, p_value = largest_distance(first, second)
    assert distance == pytest.approx(expected.statistic) and p_value == pytest.approx(expected.pvalue, rel=0.1)
    is_other = np.arange(350) >= 200
    scores = np.concatenate([first, second]).round(1)
    area = stats.mannwhitneyu(scores[is_other], scores[~is_other]).statistic / (200 * 150)
    assert ranked_area(scores, is_other) == pytest.approx(area)
    assert adjusted([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_same_seed_same_result_frame_and_picture(tmp_path):
    x, y, _ = problem()
    found = of_parts(x, y)
    assert found == of_parts(x, y)
    assert list(found.to_frame().columns) == ["name", "column", "difference", "distance", "p_value"]
    found.plot(tmp_path / "shift.svg")
    assert (tmp_path / "shift.svg").read_text() == found.plot().svg() and "<svg" in found._repr_html_()


def test_columns_that_never_change_differ_in_nothing():
    found = of_parts(np.ones((60, 2)), np.zeros(60, int))
    assert (found.area, found.p_value, found.given_target, found.is_shifted) == (0.5, 1.0, 1.0, False)


def test_too_few_rows_are_named():
    x, y, _ = problem()
    with pytest.raises(ArgumentError, match="9 validation rows"):
        shift(x, y, x[:9], y[:9])
