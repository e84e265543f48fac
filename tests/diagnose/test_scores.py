"""Scores against definitions, numbers worked out by hand, and scikit-learn's where it is installed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tarazu import diagnose
from tarazu.base.errors import ArgumentError, ShapeError

# 76 of 100 rows are of class 0; the model finds 6 of the 24 others, and takes 4 of the 76 for the other class.
COUNTS = np.array([[72, 4], [18, 6]])


def test_scores_of_a_majority_by_hand():
    scores = diagnose.scores_by_class(COUNTS)
    assert scores.rows.tolist() == [76, 24]
    np.testing.assert_allclose(scores.precision, [72 / 90, 6 / 10])
    np.testing.assert_allclose(scores.recall, [72 / 76, 6 / 24])
    np.testing.assert_allclose(scores.f1, [144 / 166, 12 / 34])
    assert diagnose.balanced_accuracy(COUNTS) == pytest.approx((72 / 76 + 6 / 24) / 2)
    assert diagnose.macro_f1(COUNTS) == pytest.approx((144 / 166 + 12 / 34) / 2)


def test_classes_that_are_not_there_or_never_predicted_have_no_ratio():
    scores = diagnose.scores_by_class(np.array([[3, 1, 0], [0, 0, 0], [2, 0, 0]]))
    assert np.isnan(scores.recall).tolist() == [False, True, False]
    assert np.isnan(scores.precision).tolist() == [False, False, True]
    np.testing.assert_allclose(scores.f1, [6 / 9, 0, 0])
    assert diagnose.balanced_accuracy(np.array([[3, 1, 0], [0, 0, 0], [2, 0, 0]])) == pytest.approx(0.375)


def by_definition(labels, scores):
    """The share of pairs (positive, negative) in the right order, ties by half."""
    pairs = [(a > b) + (a == b) / 2 for a, b in itertools.product(scores[labels == 1], scores[labels == 0])]
    return sum(pairs) / len(pairs)


@pytest.mark.parametrize("seed", range(5))
def test_the_area_under_the_curve_is_the_share_of_pairs_in_order(seed):
    generator = np.random.default_rng(seed)
    labels, scores = generator.integers(0, 2, 40), generator.integers(0, 8, 40) / 8
    assert diagnose.roc_auc(labels, scores) == pytest.approx(by_definition(labels, scores))
    assert diagnose.roc_auc(labels, np.column_stack([-scores, scores])) == pytest.approx(by_definition(labels, scores))


def test_the_area_of_several_classes_is_the_mean_of_each_against_the_rest():
    generator = np.random.default_rng(0)
    labels, scores = generator.integers(0, 3, 60), generator.normal(size=(60, 4))
    areas = [by_definition(labels == number, scores[:, number]) for number in range(3)]
    assert diagnose.roc_auc(labels, scores) == pytest.approx(np.mean(areas))  # class 3 has no rows
    assert math.isnan(diagnose.roc_auc(np.zeros(5, int), np.arange(5)))


def test_log_losses_by_hand():
    logits = np.log([[0.9, 0.1], [0.1, 0.9], [0.8, 0.2], [0.35, 0.65]])
    # the example of scikit-learn's log_loss: ["spam", "ham", "ham", "spam"] gives 0.21616
    assert diagnose.log_losses(np.array([0, 1, 0, 1]), logits).mean() == pytest.approx(0.2161618)


def test_scores_of_numbers_by_hand():
    true, predicted = np.array([3.0, -0.5, 2.0, 7.0]), np.array([2.5, 0.0, 2.0, 8.0])
    # the examples of scikit-learn's r2_score, mean_absolute_error and root_mean_squared_error
    assert diagnose.r2(true, predicted) == pytest.approx(0.948608137)
    assert diagnose.mae(true, predicted) == 0.5
    assert diagnose.rmse(true, predicted) == pytest.approx(0.612372)
    assert diagnose.r2(true, np.full(4, true.mean())) == 0
    assert math.isnan(diagnose.r2(np.ones(3), np.ones(3)))


def test_calibration_by_hand():
    bins = diagnose.calibration_bins(np.array([0.05, 0.15, 0.15, 1.0]), np.array([False, True, False, True]))
    assert [each.rows for each in bins] == [1, 2, 1]
    assert [each.observed for each in bins] == [0.0, 0.5, 1.0]
    assert diagnose.expected_calibration_error(bins) == pytest.approx((0.05 + 2 * 0.35) / 4)
    many = diagnose.calibration_bins(np.full(100, 0.3), np.arange(100) < 20)[0]
    assert (round(many.low, 4), round(many.high, 4)) == (0.1334, 0.2888)  # Wilson's interval of 20 in 100


def test_permutation_importance_of_a_linear_model():
    """Shuffling column j of y = sum of w_j x_j raises the squared error by 2 w_j^2 var(x_j)."""
    weights, x = np.array([3.0, 1.0, 0.0]), np.random.default_rng(0).normal(size=(4000, 3))
    y = x @ weights
    columns = {"c": slice(2, 3), "b": slice(1, 2), "a": slice(0, 1)}
    found = diagnose.permutation_importance(lambda rows: (rows @ weights - y) ** 2, x, columns)
    assert [each.column for each in found] == ["a", "b", "c"]
    for each, expected in zip(found, [18, 2, 0], strict=True):
        assert each.increase == pytest.approx(expected, rel=0.1)
        assert each.low <= each.increase <= each.high
    assert found[1].low < 2 < found[1].high and 0.1 < found[1].high - found[1].low < 0.5


def test_columns_of_several_features_are_shuffled_together():
    x = np.repeat(np.random.default_rng(0).normal(size=(200, 1)), 2, axis=1)
    seen = []
    diagnose.permutation_importance(lambda rows: (seen.append(rows), np.zeros(len(rows)))[1], x, {"ab": slice(0, 2)})
    assert all((rows[:, 0] == rows[:, 1]).all() for rows in seen) and (seen[1] != x).any()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"labels of shape \(2,\) and predictions of shape \(3,\)"):
        diagnose.confusion_counts(np.zeros(2, int), np.zeros(3, int), 2)
    with pytest.raises(ArgumentError, match="class numbers from 0 to 3 for 3 classes"):
        diagnose.confusion_counts(np.array([0, 3]), np.array([0, 0]), 3)
    with pytest.raises(ShapeError, match=r"\(3,\) labels and \(2,\) scores"):
        diagnose.roc_auc(np.zeros(3, int), np.zeros(2))
    with pytest.raises(ShapeError, match=r"true values of shape \(3,\)"):
        diagnose.r2(np.zeros(3), np.zeros((3, 1)))
    with pytest.raises(ShapeError, match="probabilities of shape"):
        diagnose.calibration_bins(np.zeros(3), np.zeros(2))


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(seed)
    labels, logits = generator.permutation(np.arange(90) % 3), generator.normal(size=(90, 3)).round(1)
    predicted = logits.argmax(1)
    counts = diagnose.confusion_counts(labels, predicted, 3)
    assert (counts == metrics.confusion_matrix(labels, predicted)).all()
    assert diagnose.balanced_accuracy(counts) == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
    np.testing.assert_allclose(diagnose.scores_by_class(counts).f1, metrics.f1_score(labels, predicted, average=None))
    assert diagnose.macro_f1(counts) == pytest.approx(metrics.f1_score(labels, predicted, average="macro"))
    probabilities = np.exp(diagnose.log_softmax(logits))
    assert diagnose.log_losses(labels, logits).mean() == pytest.approx(metrics.log_loss(labels, probabilities))
    assert diagnose.roc_auc(labels, probabilities) == pytest.approx(
        metrics.roc_auc_score(labels, probabilities, multi_class="ovr"))
    true, guessed = generator.normal(size=(2, 50))
    assert diagnose.r2(true, guessed) == pytest.approx(metrics.r2_score(true, guessed))


def test_intervals_of_importance_hold_the_truth_in_19_of_20_cases():
    hits = 0
    for seed in range(100):
        x = np.random.default_rng(seed).normal(size=(200, 1))
        (found,) = diagnose.permutation_importance(lambda rows, x=x: (rows[:, 0] - x[:, 0]) ** 2, x, {"a": slice(0, 1)})
        hits += found.low < 2 < found.high
    assert 90 <= hits <= 100
