"""Curves of metrics over epochs: smoothing, noise, trend and jumps of values of shape (epochs,)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tarazu.diagnose.measuring.bootstrap import NORMAL_QUANTILE

# A trend is read from the last quarter of a run: late enough that the first steep fall is over.
TREND_SHARE = 1 / 4
TREND_MIN_EPOCHS, TREND_MAX_EPOCHS = 3, 100


def curve(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """The epochs in which the metric `name` is a finite number, and its values.

    >>> curve([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": math.nan}], "loss")
    (array([1]), array([0.5]))
    """
    points = [(row.get("epoch", number), value) for number, row in enumerate(rows, 1)
              if isinstance(value := row.get(name), int | float) and math.isfinite(value)]
    return np.array([epoch for epoch, _ in points], dtype=int), np.array([value for _, value in points], dtype=float)


def smooth(values: np.ndarray) -> np.ndarray:
    """The running median of `values` over about a tenth of their number, over fewer at the ends (Tukey 1977).

    >>> smooth(np.array([1.0, 9.0] + [1.0] * 20))[:4].tolist()
    [5.0, 1.0, 1.0, 1.0]
    """
    half = len(values) // 20
    padded = np.pad(values, half, constant_values=np.nan)
    return np.nanmedian(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)


def noise(values: np.ndarray) -> float:
    """The standard deviation of `values` about a smooth curve, robustly; 0 for fewer than three values.

    Second differences remove the curve, their median absolute value ignores a steep beginning and spikes.
    T. Gasser, L. Sroka and C. Jennen-Steinmetz, "Residual variance and residual pattern in nonlinear regression",
    Biometrika, 1986.

    >>> noise(np.arange(10.0))
    0.0
    """
    if len(values) < 3:
        return 0.0
    normal_median, difference_scale = 0.6745, math.sqrt(6)
    return float(np.median(np.abs(np.diff(values, 2)))) / (normal_median * difference_scale)


def robust_slope(values: np.ndarray) -> float:
    """The median slope over all pairs of `values`, per step.

    P. Sen, "Estimates of the regression coefficient based on Kendall's tau", Journal of the ASA, 1968.

    >>> robust_slope(np.array([3.0, 2.0, 1.0, 0.0, 50.0]))
    -1.0
    """
    first, second = np.triu_indices(len(values), 1)
    return float(np.median((values[second] - values[first]) / (second - first)))


def late_fall(values: np.ndarray) -> tuple[int | None, float | None]:
    """Over how many last epochs the trend was read, and by how much the curve fell over them (negative: rose).

    (None, None) for fewer than TREND_MIN_EPOCHS values.

    >>> late_fall(np.array([9.0, 4.0, 3.0, 2.0, 1.0]))
    (3, 3.0)
    """
    if len(values) < TREND_MIN_EPOCHS:
        return None, None
    epochs = min(max(TREND_MIN_EPOCHS, math.ceil(len(values) * TREND_SHARE)), TREND_MAX_EPOCHS)
    return epochs, -robust_slope(values[-epochs:]) * epochs


def fall_ahead(values: np.ndarray) -> float | None:
    """How far the curve would at least fall in about as many epochs again, four windows of its trend; 0 for no fall.

    The fall over the last window, less what noise may add to it at 95 % confidence, goes on and shrinks from window to
    window as it did from the window before to the last (Aitken 1926), by half where there is no such window. None for
    fewer than TREND_MIN_EPOCHS values.

    >>> fall_ahead(np.array([9.0, 4.0, 3.0, 2.0, 1.0])), fall_ahead(np.array([3.0, 2.0, 1.0, 1.0, 1.0]))
    (2.8125, 0.0)
    """
    epochs, fall = late_fall(values)
    if epochs is None or fall is None:
        return None
    # The standard error of a slope of least squares through `epochs` values with this noise, times their number.
    error = noise(values) * math.sqrt(12 * epochs / (epochs**2 - 1))
    at_least = max(0.0, fall - NORMAL_QUANTILE * error)
    before = -robust_slope(values[-2 * epochs:-epochs]) * epochs if len(values) >= 2 * epochs else 2 * fall
    slowing = fall / before if before > max(fall, 0.0) else 1.0
    return at_least * sum(slowing**window for window in range(1, round(1 / TREND_SHARE) + 1))


def first_non_finite(rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ("loss", "val_loss")) -> int | None:
    """The first epoch in which one of the metrics `names` is NaN or infinite, or None.

    >>> first_non_finite([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": math.inf}])
    2
    """
    for number, row in enumerate(rows, 1):
        if any(isinstance(row.get(name), float) and not math.isfinite(row[name]) for name in names):
            return int(row.get("epoch", number))
    return None


def explosion(values: np.ndarray, trivial_loss: float | None) -> float | None:
    """The largest jump of the loss: as a multiple of the least loss before, or of the trivial loss where that is more.

    The first loss stands in for a trivial loss that is None. None for fewer than two values, or without a scale.

    >>> explosion(np.array([500.0, 1.0, 40.0]), 2.5), explosion(np.array([2.0, 1.0, 40.0]), None)
    (16.0, 20.0)
    """
    floor = values[0] if trivial_loss is None and len(values) else trivial_loss or 0.0
    if len(values) < 2 or floor <= 0:
        return None
    return float((values[1:] / np.maximum(np.minimum.accumulate(values)[:-1], floor)).max())
