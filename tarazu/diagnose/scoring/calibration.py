"""Calibration: whether what is said to happen in 80 % of the cases does happen in 80 % of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tarazu.base.errors import ShapeError
from tarazu.diagnose.measuring.bootstrap import NORMAL_QUANTILE

BINS = 10


class CalibrationBin(NamedTuple):
    """The rows whose probability lies in one bin: the mean probability, the share in which it happened with its 95 %
    interval, and how many rows there are.

    >>> CalibrationBin(predicted=0.9, observed=0.5, low=0.1, high=0.9, rows=2).rows
    2
    """

    predicted: float
    observed: float
    low: float
    high: float
    rows: int


def calibration_bins(probabilities: np.ndarray, happened: np.ndarray, bins: int = BINS) -> tuple[CalibrationBin, ...]:
    """Bins of equal width from 0 to 1 that hold rows: `probabilities` (rows,), and whether it `happened`, bool (rows,).

    The intervals are Wilson's (1927). ShapeError for unequal shapes.

    >>> [tuple(round(x, 2) for x in b) for b in calibration_bins(np.array([0.9, 0.9, 0.2]), np.array([1, 0, 0]))]
    [(0.2, 0.0, 0.0, 0.79, 1), (0.9, 0.5, 0.09, 0.91, 2)]
    """
    require_outcomes(probabilities, happened)
    probabilities, happened = np.asarray(probabilities, np.float64), np.asarray(happened, np.float64)
    numbers = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    return tuple(_bin(probabilities[numbers == number], happened[numbers == number]) for number in np.unique(numbers))


def require_outcomes(probabilities: np.ndarray, happened: np.ndarray) -> None:
    """ShapeError unless there is one outcome for each of the probabilities."""
    if np.shape(probabilities) != np.shape(happened):
        raise ShapeError(f"probabilities of shape {np.shape(probabilities)} and outcomes of shape {np.shape(happened)}",
                         expected="one outcome per probability", fix="pass the outcomes of the same rows")


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """The mean distance of predicted and observed shares, weighted by rows (Naeini and others, 2015).

    >>> round(expected_calibration_error(calibration_bins(np.array([0.9, 0.9, 0.2]), np.array([1, 0, 0]))), 3)
    0.333
    """
    rows = sum(each.rows for each in bins)
    return sum(abs(each.observed - each.predicted) * each.rows for each in bins) / rows if rows else math.nan


def _bin(probabilities: np.ndarray, happened: np.ndarray) -> CalibrationBin:
    rows, share = len(happened), float(happened.mean())
    low, high = _wilson(share, rows)
    return CalibrationBin(float(probabilities.mean()), share, low, high, rows)


def _wilson(share: float, rows: int) -> tuple[float, float]:
    """E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA, 1927."""
    z = NORMAL_QUANTILE
    center = share + z * z / (2 * rows)
    half = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    scale = 1 + z * z / rows
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)
