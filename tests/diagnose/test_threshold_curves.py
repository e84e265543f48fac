"""Curves over all thresholds, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from tarazu.diagnose import precision_recall_curve, roc_auc, roc_curve


@pytest.fixture(params=[1, 200], ids=["continuous", "with ties"])
def scored(request):
    generator = np.random.default_rng(0)
    happened = generator.uniform(size=500) < 0.2
    scores = happened + generator.normal(size=500)
    return happened, scores if request.param == 1 else scores.round(1)


def test_roc_curves_are_those_of_scikit_learn(scored):
    false_positives, true_positives, thresholds = metrics.roc_curve(*scored, drop_intermediate=False)
    curve = roc_curve(*scored)
    np.testing.assert_allclose(curve.false_positive_rate, false_positives)
    np.testing.assert_allclose(curve.true_positive_rate, true_positives)
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(roc_auc(scored[0].astype(int), scored[1]))


def test_precision_and_recall_are_those_of_scikit_learn(scored):
    precision, recall, thresholds = metrics.precision_recall_curve(*scored)
    curve = precision_recall_curve(*scored)
    np.testing.assert_allclose(curve.precision, precision[-2::-1])  # scikit-learn begins at the lowest, and adds (1, 0)
    np.testing.assert_allclose(curve.recall, recall[-2::-1])
    np.testing.assert_array_equal(curve.thresholds, thresholds[::-1])
    assert curve.average == pytest.approx(metrics.average_precision_score(*scored))


def test_without_events_or_rows_there_is_nothing_to_say():
    nothing = np.zeros(3, bool), np.arange(3.0)
    assert np.isnan(roc_curve(*nothing).true_positive_rate).all()
    assert roc_curve(*nothing).false_positive_rate.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert np.isnan(precision_recall_curve(*nothing).average)
    empty = precision_recall_curve(np.zeros(0, bool), np.zeros(0))
    assert empty.precision.shape == (0,) and np.isnan(empty.average)
    assert roc_curve(np.zeros(0, bool), np.zeros(0)).thresholds.tolist() == [np.inf]
