"""What all thresholds of a score give: the ROC curve, and precision over recall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tarazu.diagnose.scoring.calibration import require_outcomes


class RocCurve(NamedTuple):
    """From the highest threshold, above all scores, to the lowest: the share of others, and of events, at or above it.

    >>> RocCurve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([np.inf, 0.5])).thresholds.tolist()
    [inf, 0.5]
    """

    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    thresholds: np.ndarray


class PrecisionRecallCurve(NamedTuple):
    """Precision and recall from the highest threshold to the lowest.

    `precision` is the share of rows at or above a threshold that are events, `recall` the share of events that are.
    `average` is the mean precision, weighted by the rise of recall.

    >>> PrecisionRecallCurve(np.array([0.5]), np.array([1.0]), np.array([0.1]), 0.5).average
    0.5
    """

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray
    average: float


def roc_curve(happened: np.ndarray, scores: np.ndarray) -> RocCurve:
    """The ROC curve of `scores` (rows,) for what `happened`, bool (rows,); `roc_auc` is the area below it.

    Rates are NaN where all happened, or nothing. ShapeError for unequal shapes.

    >>> curve = roc_curve(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> curve.false_positive_rate.tolist(), curve.true_positive_rate.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    hits, rows, thresholds = _counts(happened, scores)
    hits, rows = np.append(0.0, hits), np.append(0.0, rows)
    return RocCurve(_share(rows - hits), _share(hits), np.append(np.inf, thresholds))


def precision_recall_curve(happened: np.ndarray, scores: np.ndarray) -> PrecisionRecallCurve:
    """Precision and recall of `scores` (rows,) for what `happened`, bool (rows,), at each threshold.

    Recall and the average are NaN where nothing happened. ShapeError for unequal shapes.

    >>> curve = precision_recall_curve(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> curve.precision.round(2).tolist(), curve.recall.tolist(), round(curve.average, 3)
    ([1.0, 0.5, 0.67, 0.5], [0.5, 0.5, 1.0, 1.0], 0.833)
    """
    hits, rows, thresholds = _counts(happened, scores)
    precision, recall = hits / rows, _share(hits)
    average = float((np.diff(recall, prepend=0.0) * precision).sum()) if len(rows) else np.nan
    return PrecisionRecallCurve(precision, recall, thresholds, average)


def _counts(happened: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At or above each score, from the highest: how many events, and how many rows there are; and the scores."""
    require_outcomes(scores, happened)
    thresholds, position = np.unique(np.asarray(scores, np.float64), return_inverse=True)
    events = np.bincount(position, np.asarray(happened, np.float64), len(thresholds))
    rows = np.bincount(position, minlength=len(thresholds))
    return np.cumsum(events[::-1]), np.cumsum(rows[::-1]).astype(np.float64), thresholds[::-1]


def _share(counts: np.ndarray) -> np.ndarray:
    """Of the last count, which is all."""
    return counts / counts[-1] if len(counts) and counts[-1] else np.full_like(counts, np.nan)
