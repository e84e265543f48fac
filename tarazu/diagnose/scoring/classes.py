"""Scores of predicted classes and of their logits. Labels are class numbers from 0, shape (rows,)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError


class ClassScores(NamedTuple):
    """Scores by class, each of shape (classes,): how many rows are of it, its precision, recall and F1.

    >>> scores_by_class(np.array([[8, 2], [1, 9]])).recall.tolist()
    [0.8, 0.9]
    """

    rows: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def confusion_counts(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """How many rows of each true class (row) were predicted as each class (column), int64 (classes, classes).

    ShapeError for labels and predictions of different shapes, ArgumentError for class numbers out of range.

    >>> confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    labels, predicted = _require_pairs(labels, predicted)
    for numbers in (labels, predicted):
        if len(numbers) and not (numbers.min() >= 0 and numbers.max() < num_classes):
            raise ArgumentError(f"class numbers from {numbers.min()} to {numbers.max()} for {num_classes} classes",
                                expected=f"0 to {num_classes - 1}", fix="pass the number of all classes")
    pairs = labels.astype(np.int64) * num_classes + predicted
    return np.bincount(pairs, minlength=num_classes * num_classes).reshape(num_classes, num_classes)


def scores_by_class(counts: np.ndarray) -> ClassScores:
    """Precision, recall and F1 of each class from a confusion matrix of shape (classes, classes), true classes in rows.

    F1 is 2 TP / (2 TP + FP + FN) (van Rijsbergen, 1979). A ratio of 0 to 0 is NaN: the precision of a class that is
    never predicted, the recall of one without rows, the F1 of one that is neither there nor predicted.

    >>> scores_by_class(np.array([[8, 2], [1, 9]])).f1.round(3).tolist()
    [0.842, 0.857]
    """
    right, true, predicted = np.diag(counts), counts.sum(1), counts.sum(0)
    return ClassScores(true, _ratio(right, predicted), _ratio(right, true), _ratio(2 * right, true + predicted))


def balanced_accuracy(counts: np.ndarray) -> float:
    """The mean recall of the classes that have rows, from a confusion matrix of shape (classes, classes).

    Guessing, or always saying the same, gives 1 / classes (Brodersen and others, 2010).

    >>> balanced_accuracy(np.array([[76, 0], [24, 0]]))
    0.5
    """
    return _mean(scores_by_class(counts).recall)


def macro_f1(counts: np.ndarray) -> float:
    """The mean F1 of the classes that are there or predicted, from a confusion matrix of shape (classes, classes).

    >>> round(macro_f1(np.array([[76, 0], [24, 0]])), 3)
    0.432
    """
    return _mean(scores_by_class(counts).f1)


def roc_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """The area under the ROC curve: how often a row of the class scores higher than one that is not (Hanley and McNeil,
    1982); a tie counts half.

    `scores` (rows,) are for class 1 of two; with (rows, classes) the areas of each class against the rest are averaged
    over the classes that have rows and lack some. NaN where there is none. ShapeError for unequal numbers of rows.

    >>> roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    if labels.shape != scores.shape[:1]:
        raise ShapeError(f"{labels.shape} labels and {scores.shape} scores", expected="a label for each row of scores",
                         fix="pass the scores of the same rows")
    if scores.ndim == 1:
        return _area(labels == 1, scores)
    if scores.shape[1] == 2:
        return _area(labels == 1, scores[:, 1] - scores[:, 0])
    return _mean(np.array([_area(labels == number, column) for number, column in enumerate(scores.T)]))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """The logarithm of the probability of each class, float64 (rows, classes), from logits of that shape.

    >>> np.exp(log_softmax(np.array([[0.0, 0.0]]))).tolist()
    [[0.5, 0.5]]
    """
    shifted = np.asarray(logits, np.float64) - np.max(logits, axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def log_losses(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """The cross-entropy of each row, in nats, float64 (rows,), from logits (rows, classes); its mean is the log loss.

    From logits, and not from probabilities, so that a row that is surely wrong costs what training says it costs.

    >>> log_losses(np.array([0, 1]), np.array([[0.0, 0.0], [1000.0, 0.0]])).round(3).tolist()
    [0.693, 1000.0]
    """
    return -log_softmax(logits)[np.arange(len(labels)), labels]


def _area(positive: np.ndarray, scores: np.ndarray) -> float:
    """The Mann-Whitney statistic as a share of all pairs, from mid-ranks."""
    count = int(positive.sum())
    pairs = count * (len(positive) - count)
    if not pairs or not np.isfinite(scores).all():
        return math.nan
    _, position, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    middle_rank = np.cumsum(sizes) - (sizes - 1) / 2
    return float((middle_rank[position][positive].sum() - count * (count + 1) / 2) / pairs)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), math.nan)


def _mean(values: np.ndarray) -> float:
    """The mean of the values that are numbers, NaN where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _require_pairs(labels: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.ndim != 1 or labels.shape != predicted.shape:
        raise ShapeError(f"labels of shape {labels.shape} and predictions of shape {predicted.shape}",
                         expected="one class number per row in both: (rows,)", fix="predict the same rows")
    return labels, predicted
