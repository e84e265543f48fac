"""Scores of predicted numbers, in the units of the target."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base.errors import ShapeError


def r2(true: np.ndarray, predicted: np.ndarray) -> float:
    """The share of the variance of `true` that `predicted`, of the same shape, explains: 1 - residual / total squares.

    1 is perfect, 0 as good as the mean of `true`, below 0 worse; NaN where `true` is constant. ShapeError for unequal
    shapes.

    >>> round(r2(np.array([3.0, -0.5, 2.0, 7.0]), np.array([2.5, 0.0, 2.0, 8.0])), 3)
    0.949
    """
    residual = _residuals(true, predicted)
    total = np.square(np.asarray(true, np.float64) - np.mean(true, dtype=np.float64)).sum()
    return float(1 - np.square(residual).sum() / total) if total > 0 else math.nan


def mae(true: np.ndarray, predicted: np.ndarray) -> float:
    """The mean absolute error of `predicted`, of the shape of `true`. ShapeError for unequal shapes.

    >>> mae(np.array([1.0, 2.0]), np.array([1.0, 5.0]))
    1.5
    """
    return float(np.abs(_residuals(true, predicted)).mean())


def rmse(true: np.ndarray, predicted: np.ndarray) -> float:
    """The root of the mean squared error of `predicted`, of the shape of `true`. ShapeError for unequal shapes.

    >>> rmse(np.array([1.0, 2.0]), np.array([4.0, 6.0])) == 12.5 ** 0.5
    True
    """
    return float(np.sqrt(np.square(_residuals(true, predicted)).mean()))


def _residuals(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """True minus predicted values, in float64."""
    if np.shape(true) != np.shape(predicted):
        raise ShapeError(f"true values of shape {np.shape(true)} and predictions of shape {np.shape(predicted)}",
                         expected="the same shape", fix="predict the same rows, and flatten both")
    return np.asarray(true, np.float64) - np.asarray(predicted, np.float64)
