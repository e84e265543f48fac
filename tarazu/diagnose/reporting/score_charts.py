"""Pictures of predictions: predicted against true, residuals, calibration, curves, importance, confusion."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from tarazu.base.messages import shortened
from tarazu.diagnose.judging.formatting import percent
from tarazu.diagnose.scoring.calibration import CalibrationBin
from tarazu.diagnose.scoring.importance import Importance
from tarazu.diagnose.scoring.threshold_curves import PrecisionRecallCurve, RocCurve
from tarazu.picture.axis import Axis, make_axis
from tarazu.picture.bar_rows import Row, bar_rows
from tarazu.picture.chart import Chart, ColorBar
from tarazu.picture.colors import colored
from tarazu.picture.elements import CHARACTER
from tarazu.picture.grids import heat_chart
from tarazu.picture.marks import Curve, Dots, Intervals, Mark
from tarazu.picture.picture import Picture

SQUARE = (376, 376)  # pixels
MAX_POINTS = 2000  # more points than pixels show nothing more
LONGEST_NAME = 26
MOST_TEXTS = 20  # classes of a confusion matrix whose cells show counts
LEAST_CELL, MATRIX, LARGE_MATRIX = 44.0, 300.0, 480.0  # pixels: sides of a cell with a text, of small and large ones


def predicted_against_true(true: np.ndarray, predicted: np.ndarray, target: str) -> Picture:
    """One dot per sample, predicted over true value of `target`, with the diagonal on which a perfect model lies."""
    pairs = _thinned(true, predicted)
    axis = make_axis(pairs.ravel().tolist())
    return _square(f"predicted against true {target}", [_diagonal(axis), _dots(pairs)], axis, axis, f"true {target}",
                   f"predicted {target}")


def residuals(true: np.ndarray, predicted: np.ndarray, target: str) -> Picture:
    """One dot per sample: true minus predicted value of `target` over the predicted one; a perfect model gives 0."""
    pairs = _thinned(predicted, np.ravel(true) - np.ravel(predicted))
    x_axis, y_axis = make_axis(pairs[:, 0].tolist()), make_axis([*pairs[:, 1].tolist(), 0.0])
    zero = Curve([x_axis.low, x_axis.high], [0.0, 0.0], "muted", is_dashed=True)
    return _square(f"residuals of {target}", [zero, _dots(pairs)], x_axis, y_axis, f"predicted {target}",
                   f"true - predicted {target}")


def calibration(bins: Sequence[CalibrationBin], event: str) -> Picture:
    """A dot with its 95 % interval per bin: the share in which `event` happened over its mean probability."""
    rows = sum(each.rows for each in bins)
    places = [each.predicted for each in bins]
    radii = [3 + 9 * math.sqrt(each.rows / rows) for each in bins]
    marks = (_diagonal(_shares()), Intervals(places, [each.low for each in bins], [each.high for each in bins]),
             Dots(places, [each.observed for each in bins], radius=radii))
    return _square(f"calibration: {event}", marks, _shares(), _shares(), f"probability of {event}",
                   "share in which it happened")


def roc(curve: RocCurve, event: str) -> Picture:
    """The share of events at or above each threshold over that of others."""
    marks = [_diagonal(_shares()), _curve(curve.false_positive_rate, curve.true_positive_rate)]
    return _square(f"ROC curve: {event}", marks, _shares(), _shares(),
                   f"false positives: share of the rest taken for {event}", f"true positives: share of {event} found")


def precision_recall(curve: PrecisionRecallCurve, event: str) -> Picture:
    """Precision over recall at each threshold; by chance precision is the share of events among all rows."""
    chance = [Curve([0.0, 1.0], [curve.precision[-1]] * 2, "muted", is_dashed=True)] if len(curve.precision) else []
    return _square(f"precision and recall: {event}", [*chance, _curve(curve.recall, curve.precision)], _shares(),
                   _shares(), f"recall: share of {event} found", f"precision: share of {event} in what is found")


def importance(columns: Sequence[Importance]) -> Picture:
    """A bar with its 95 % interval per column whose importance is known."""
    shown = [each for each in columns if math.isfinite(each.increase)]
    ends = [end for each in shown for end in (each.low, each.high, each.increase, 0.0) if math.isfinite(end)]
    rows = [Row(each.column, each.increase, f"{each.increase:.3g}", each.low, each.high) for each in shown]
    title = "importance of the columns"
    return Picture(title, (bar_rows("", rows, make_axis(ends)),))


def confusion(classes: Sequence[str], counts: np.ndarray) -> Picture:
    """A cell for each true class (row) and predicted class (column): the darker, the larger its share of the row.

    Blue is right, orange is wrong; cells show counts where there is room.
    """
    counts = np.asarray(counts)
    total, right = int(counts.sum()), int(np.trace(counts))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    is_right = np.eye(len(classes), dtype=bool)[:, :, None]
    pixels = np.where(is_right, colored(shares, 0, 1, "shares"), colored(shares, 0, 1, "mistakes"))
    title = f"confusion: {right:,} of {total:,} right" + (f" ({percent(right / total)})" if total else "")
    names = [shortened(str(name), LONGEST_NAME) for name in classes]
    has_texts = len(classes) <= MOST_TEXTS
    side = max(LEAST_CELL, MATRIX / max(len(classes), 1)) if has_texts else LARGE_MATRIX / len(classes)
    room = max(3, int(side / CHARACTER) - 1) if has_texts else LONGEST_NAME
    texts = np.array([f"{count:,}" if count else "" for count in counts.ravel()]) if has_texts else None
    chart = heat_chart(title, shares, ColorBar(0.0, 1.0, "shares"), pixels=pixels, cell=(side, side), texts=texts,
                       rows=names, columns=[shortened(name, room) for name in names], x_name="predicted", y_name="true")
    return Picture(title, (dataclasses.replace(chart, color_bar=None) if has_texts else chart,), values=counts)


def _square(title: str, marks: Sequence[Mark], x_axis: Axis, y_axis: Axis, x_name: str, y_name: str) -> Picture:
    return Picture(title, (Chart("", x_axis, y_axis, marks, x_name, y_name, size=SQUARE),))


def _shares() -> Axis:
    return make_axis([0.0, 1.0])


def _thinned(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pairs that are finite, (points, 2), at most MAX_POINTS of them; those that are furthest out are among them."""
    pairs = np.column_stack([np.ravel(x), np.ravel(y)]).astype(float)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if len(pairs) <= MAX_POINTS:
        return pairs
    sides = np.column_stack([pairs, pairs[:, 1] - pairs[:, 0]])
    furthest = np.unique([*sides.argmin(axis=0), *sides.argmax(axis=0)])
    chosen = np.arange(0, len(pairs), math.ceil(len(pairs) / (MAX_POINTS - len(furthest))))
    return pairs[np.unique([*chosen, *furthest])]


def _dots(pairs: np.ndarray) -> Dots:
    return Dots(pairs[:, 0], pairs[:, 1])


def _curve(x: np.ndarray, y: np.ndarray) -> Curve:
    """A line through the points that are finite, at most MAX_POINTS of them, first and last included."""
    pairs = np.column_stack([x, y])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    kept = np.linspace(0, len(pairs) - 1, min(len(pairs), MAX_POINTS)).astype(int)
    return Curve(pairs[kept, 0], pairs[kept, 1])


def _diagonal(axis: Axis) -> Curve:
    return Curve([axis.low, axis.high], [axis.low, axis.high], "muted", is_dashed=True)
