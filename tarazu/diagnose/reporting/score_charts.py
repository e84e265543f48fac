"""Charts of predictions as SVG text: predicted against true, residuals, calibration, curves, importance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tarazu.base.messages import shortened
from tarazu.diagnose.reporting.axis import Axis, make_axis
from tarazu.diagnose.reporting.svg import drawing, element, frame, label, points_text
from tarazu.diagnose.scoring.calibration import CalibrationBin
from tarazu.diagnose.scoring.importance import Importance
from tarazu.diagnose.scoring.threshold_curves import PrecisionRecallCurve, RocCurve

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM = 484, 460, 88, 464, 404  # of the square charts
TOP = BOTTOM - (RIGHT - LEFT)
MAX_POINTS = 2000  # more points than pixels show nothing more
NAMES_END, BARS_END, BAR_STEP, MAX_BARS, LONGEST_NAME = 180, 540, 26, 20, 26


def predicted_against_true(true: np.ndarray, predicted: np.ndarray, target: str) -> str:
    """One dot per sample, predicted over true value of `target`, with the diagonal on which a perfect model lies."""
    pairs = _thinned(true, predicted)
    values = pairs.ravel().tolist()
    x_axis, y_axis = make_axis(values, LEFT, RIGHT), make_axis(values, BOTTOM, TOP)
    content = _square(x_axis, y_axis, f"true {target}", f"predicted {target}") + _diagonal(x_axis, y_axis)
    return drawing(WIDTH, HEIGHT, f"predicted against true {target}", content + _dots(pairs, x_axis, y_axis))


def residuals(true: np.ndarray, predicted: np.ndarray, target: str) -> str:
    """One dot per sample: true minus predicted value of `target` over the predicted one; a perfect model gives 0."""
    pairs = _thinned(predicted, np.ravel(true) - np.ravel(predicted))
    x_axis = make_axis(pairs[:, 0].tolist(), LEFT, RIGHT)
    y_axis = make_axis([*pairs[:, 1].tolist(), 0.0], BOTTOM, TOP)
    zero = element("line", x1=x_axis.start, y1=y_axis.pixel(0), x2=x_axis.end, y2=y_axis.pixel(0), class_="diagonal")
    content = _square(x_axis, y_axis, f"predicted {target}", f"true - predicted {target}") + zero
    return drawing(WIDTH, HEIGHT, f"residuals of {target}", content + _dots(pairs, x_axis, y_axis))


def calibration(bins: Sequence[CalibrationBin], event: str) -> str:
    """A dot with its 95 % interval per bin: the share in which `event` happened over its mean probability."""
    x_axis, y_axis = make_axis([0.0, 1.0], LEFT, RIGHT), make_axis([0.0, 1.0], BOTTOM, TOP)
    rows = sum(each.rows for each in bins)
    parts = [_square(x_axis, y_axis, f"probability of {event}", "share in which it happened"),
             _diagonal(x_axis, y_axis)]
    for each in bins:
        x, y = x_axis.pixel(each.predicted), y_axis.pixel(each.observed)
        parts.append(element("line", x1=x, y1=y_axis.pixel(each.low), x2=x, y2=y_axis.pixel(each.high),
                             class_="whisker"))
        parts.append(element("circle", cx=x, cy=y, r=3 + 9 * math.sqrt(each.rows / rows), class_="dot"))
    return drawing(WIDTH, HEIGHT, f"calibration: {event}", "".join(parts))


def roc(curve: RocCurve, event: str) -> str:
    """The share of events at or above each threshold over that of others."""
    x_axis, y_axis = make_axis([0.0, 1.0], LEFT, RIGHT), make_axis([0.0, 1.0], BOTTOM, TOP)
    content = _square(x_axis, y_axis, f"false positives: share of the rest taken for {event}",
                      f"true positives: share of {event} found") + _diagonal(x_axis, y_axis)
    line = _curve(curve.false_positive_rate, curve.true_positive_rate, x_axis, y_axis)
    return drawing(WIDTH, HEIGHT, f"ROC curve: {event}", content + line)


def precision_recall(curve: PrecisionRecallCurve, event: str) -> str:
    """Precision over recall at each threshold; by chance precision is the share of events among all rows."""
    x_axis, y_axis = make_axis([0.0, 1.0], LEFT, RIGHT), make_axis([0.0, 1.0], BOTTOM, TOP)
    content = _square(x_axis, y_axis, f"recall: share of {event} found",
                      f"precision: share of {event} in what is found")
    if len(curve.precision):
        chance = y_axis.pixel(curve.precision[-1])
        content += element("line", x1=x_axis.start, y1=chance, x2=x_axis.end, y2=chance, class_="diagonal")
    line = _curve(curve.recall, curve.precision, x_axis, y_axis)
    return drawing(WIDTH, HEIGHT, f"precision and recall: {event}", content + line)


def importance(columns: Sequence[Importance]) -> str:
    """A bar with its 95 % interval per column whose importance is known."""
    shown = [each for each in columns if math.isfinite(each.increase)][:MAX_BARS]
    bottom = 12 + BAR_STEP * len(shown)
    ends = [end for each in shown for end in (each.low, each.high, each.increase, 0.0) if math.isfinite(end)]
    x_axis = make_axis(ends, NAMES_END, BARS_END - 20)
    parts = [frame(x_axis, Axis(0, 1, bottom, 8, ()), "", bottom + 40)]
    for number, each in enumerate(shown):
        y = 12 + BAR_STEP * (number + 0.5)
        low, high = (min(max(end, x_axis.low), x_axis.high) for end in (each.low, each.high))
        left, right = sorted([x_axis.pixel(0), x_axis.pixel(each.increase)])
        parts += [label(NAMES_END - 10, y + 4, shortened(each.column, LONGEST_NAME), "end", class_="name"),
                  element("rect", x=left, y=y - 8, width=right - left, height=16, class_="bar"),
                  element("line", x1=x_axis.pixel(low), y1=y, x2=x_axis.pixel(high), y2=y, class_="whisker")]
    zero = x_axis.pixel(0)
    parts.append(element("line", x1=zero, y1=8, x2=zero, y2=bottom, class_="tick"))
    return drawing(BARS_END, bottom + 28, "importance of the columns", "".join(parts))


def _thinned(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pairs that are finite, (points, 2), at most MAX_POINTS of them."""
    pairs = np.column_stack([np.ravel(x), np.ravel(y)]).astype(float)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    return pairs[:: math.ceil(len(pairs) / MAX_POINTS) or 1]


def _dots(pairs: np.ndarray, x_axis: Axis, y_axis: Axis) -> str:
    return "".join(element("circle", cx=x_axis.pixel(x), cy=y_axis.pixel(y), r=3, class_="dot")
                   for x, y in pairs.tolist())


def _curve(x: np.ndarray, y: np.ndarray, x_axis: Axis, y_axis: Axis) -> str:
    """A line through the points that are finite, at most MAX_POINTS of them, first and last included."""
    pairs = np.column_stack([x, y])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    kept = np.linspace(0, len(pairs) - 1, min(len(pairs), MAX_POINTS)).astype(int)
    points = [(x_axis.pixel(a), y_axis.pixel(b)) for a, b in pairs[kept].tolist()]
    return element("polyline", points=points_text(points), class_="curve train")


def _square(x_axis: Axis, y_axis: Axis, x_name: str, y_name: str) -> str:
    """The frame with the names of both axes."""
    middle = (y_axis.start + y_axis.end) / 2
    return frame(x_axis, y_axis, x_name, HEIGHT - 14) + label(14, middle, y_name, transform=f"rotate(-90 14 {middle})")


def _diagonal(x_axis: Axis, y_axis: Axis) -> str:
    return element("line", x1=x_axis.start, y1=y_axis.start, x2=x_axis.end, y2=y_axis.end, class_="diagonal")
