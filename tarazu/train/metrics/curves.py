"""Numbers of ROC and precision-recall curves, from how many rows of a class and of the others are above each score."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Curve(NamedTuple):
    """For falling thresholds how many rows of the class (`true`) and of the others (`false`) are at or above them.

    Both begin with 0 and end with all rows; rows with the same score count at one threshold.
    """

    true: np.ndarray
    false: np.ndarray

    @property
    def recall(self) -> np.ndarray:
        """The share of the class that is at or above each threshold."""
        return self.true / self.true[-1]

    @property
    def false_rate(self) -> np.ndarray:
        """The share of the others that are, 1 - specificity."""
        return self.false / self.false[-1]

    @property
    def precision(self) -> np.ndarray:
        """The share of rows at or above each threshold that are of the class; 1 at the first, which has no rows."""
        count = self.true + self.false
        return np.where(count > 0, self.true / np.maximum(count, 1), 1.0)


def curve_of_scores(scores: np.ndarray, positive: np.ndarray) -> Curve:
    """The exact curve, from scores (rows,) and whether each row is of the class."""
    order = np.argsort(-scores, kind="stable")
    scores, positive = scores[order], positive[order].astype(np.float64)
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)) if len(scores) else np.zeros(0, np.int64)
    true = np.cumsum(positive)[ends]
    return Curve(np.append(0.0, true), np.append(0.0, ends + 1 - true))


def curve_of_counts(negative: np.ndarray, positive: np.ndarray) -> Curve:
    """The curve of rows in bins of rising scores, which are as if their scores were equal."""
    return Curve(*(np.append(0.0, np.cumsum(counts[::-1])) for counts in (positive, negative)))


def has_both(curve: Curve) -> bool:
    """Whether there are rows of the class and others."""
    return bool(curve.true[-1] > 0 and curve.false[-1] > 0)


def area(curve: Curve) -> float:
    """The area under the ROC curve, where a tie counts half; NaN unless there are rows of the class and others."""
    return float(np.trapezoid(curve.recall, curve.false_rate)) if has_both(curve) else math.nan


def average_precision(curve: Curve) -> float:
    """The mean precision over the steps of recall; NaN where no row is of the class."""
    if not curve.true[-1] > 0:
        return math.nan
    return float((np.diff(curve.recall) * curve.precision[1:]).sum())


def best(values: np.ndarray, others: np.ndarray, least: float) -> float:
    """The largest of `values` where `others` is at least `least`; 0 where it nowhere is."""
    reached = values[others >= least - 1e-12]  # rounding of ratios
    return float(reached.max()) if len(reached) else 0.0
