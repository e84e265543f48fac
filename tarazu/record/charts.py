"""The pictures of a run: its metrics over the epochs, and the pair of scales of its verdict beside the evidence."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tarazu.picture.axis import Axis, make_axis, upside_down
from tarazu.picture.chart import Chart
from tarazu.picture.marks import Curve, Mark, Rule, Shape, Stroke, Words
from tarazu.picture.picture import Picture

MAX_CURVE_POINTS = 1000  # more points than pixels show nothing more
# How far the beam of the scales leans, in degrees: the left pan is bias, the right one variance.
LEANING = {"underfitting": -11, "overfitting": 11}
ACCENTS = {"underfitting": "loss", "overfitting": "loss", "about right": "gain"}
VALIDATION_PREFIX, RATE = "val_", "learning_rate"
LINE, CHARACTERS = 18, 74  # pixels, of the evidence beside the scales
TEXT_WIDTH = 470


def metric_chart(name: str, epochs: Sequence[int], series: Mapping[str, Sequence[float | None]],
                 kept_epoch: int | None = None) -> Chart:
    """The metric `name` over the epochs, one line per entry of `series` ("train", "validation"); marks the kept epoch.

    Values that are None or not finite leave a gap; a point without neighbors is drawn as a dot.

    >>> metric_chart("loss", [1, 2], {"train": [0.7, 0.5]}).title
    'loss'
    """
    values = [value for line in series.values() for value in line if value is not None and math.isfinite(value)]
    x_axis, y_axis = make_axis(epochs, whole=True), make_axis(values, logarithmic=True)
    marks: list[Mark] = []
    if kept_epoch is not None and x_axis.low <= kept_epoch <= x_axis.high:
        marks.append(Rule(kept_epoch, f"kept: epoch {kept_epoch}"))
    marks += [_line(epochs, values, role, role if len(series) > 1 else "") for role, values in series.items()]
    return Chart(f"{name} (logarithmic axis)" if y_axis.logarithmic else name, x_axis, y_axis, marks, "epoch")


def _line(epochs: Sequence[int], values: Sequence[float | None], role: str, name: str) -> Curve:
    y = np.array([math.nan if value is None or not math.isfinite(value) else value for value in values], np.float64)
    stride = math.ceil(len(y) / MAX_CURVE_POINTS) or 1
    chosen = [*range(0, len(y) - 1, stride), *([len(y) - 1] if len(y) else [])]
    return Curve(np.array(epochs, np.float64)[chosen], y[chosen], role, name)


def metric_charts(columns: Mapping[str, Sequence[Any]], epochs: Sequence[int], kept_epoch: int | None,
                  names: Sequence[str]) -> list[Chart]:
    """A chart for each of the `names`, with that of validation where it is among the columns of a history.

    >>> metric_charts({"loss": [0.7], "val_loss": [0.8]}, [1], None, ["loss"])[0].marks[1].name
    'validation'
    """
    charts = []
    for name in names:
        own, other = columns.get(name), columns.get(VALIDATION_PREFIX + name)
        series = {role: values for role, values in (("train", own), ("validation", other)) if values is not None}
        charts.append(metric_chart(name, epochs, series, None if name.endswith(RATE) else kept_epoch))
    return charts


def shown_metrics(columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """The names without "val_" of what is a number in an epoch, the loss first, learning rates that change last.

    >>> shown_metrics({"accuracy": [0.5], "loss": [0.7], "val_loss": [0.8], "learning_rate": [0.1]})
    ['loss', 'accuracy']
    """
    numbers = {name: {value for value in values if isinstance(value, int | float)} for name, values in columns.items()}
    found = dict.fromkeys(name.removeprefix(VALIDATION_PREFIX) for name, values in numbers.items() if values)
    rates = [name for name in found if name.endswith(RATE)]
    return [*(["loss"] if "loss" in found else []), *(name for name in found if name not in ("loss", *rates)),
            *(name for name in rates if len(numbers[name]) > 1)]


def scales_chart(verdict: str) -> Chart:
    """A pair of scales that leans to bias for "underfitting", to variance for "overfitting", and is level otherwise.

    >>> scales_chart("about right").title
    ''
    """
    angle = math.radians(LEANING.get(verdict, 0))
    center, top, arm = 120.0, 34.0, 74.0
    role = ACCENTS.get(verdict, "muted")
    turn = np.linspace(0, 2 * math.pi, 16)
    ends = [(center + side * arm * math.cos(angle), top + side * arm * math.sin(angle)) for side in (-1, 1)]
    marks: list[Mark] = [Stroke([center, center], [top, 138], "stand"), Stroke([92, 148], [142, 142], "stand"),
                         Shape(center + 6 * np.cos(turn), top + 6 * np.sin(turn), role, "knob"),
                         Stroke([ends[0][0], ends[1][0]], [ends[0][1], ends[1][1]], "beam")]
    half = np.linspace(0, math.pi, 17)
    for x, y in ends:
        marks += [Stroke([x - 26, x, x + 26], [y + 52, y, y + 52], "string"),
                  Shape(x + 30 * np.cos(half), y + 52 + 17 * np.sin(half), role, "pan")]
    marks.append(Words([x for x, _ in ends], [y + 82 for _, y in ends], ["bias", "variance"]))
    if verdict == "undecided":
        marks.append(Words([center], [16.0], ["?"], size=16))
    axes = Axis(0.0, 240.0, 0.0, 1.0, ()), upside_down(Axis(0.0, 156.0, 0.0, 1.0, ()))
    return Chart("", *axes, marks, size=(240, 156), has_axes=False)


def scales_picture(verdict: str) -> Picture:
    """The pair of scales alone.

    >>> scales_picture("undecided")
    <Picture: a pair of scales: undecided>
    """
    return Picture(f"a pair of scales: {verdict}", (scales_chart(verdict),))


def verdict_picture(name: str, headline: str, evidence: Sequence[str], advice: Sequence[str]) -> Picture:
    """The pair of scales, and beside it the headline, the evidence and what to try.

    >>> verdict_picture("undecided", "undecided: no validation data", (), ())
    <Picture: undecided: no validation data>
    """
    lines = [line for text in evidence for line in _wrapped(text, "• ")]
    if advice:
        lines += ["", "what to try:", *(line for text in advice for line in _wrapped(text, "→ "))]
    height = LINE * max(len(lines), 8)
    rows = [LINE * (n + 0.5) for n, line in enumerate(lines) if line]
    words = Words([4.0] * len(rows), rows, [line for line in lines if line], "start")
    text_chart = Chart("", Axis(0.0, TEXT_WIDTH, 0.0, 1.0, ()), upside_down(Axis(0.0, height, 0.0, 1.0, ())),
                       (words,), size=(TEXT_WIDTH, height), has_axes=False)
    return Picture(headline, (scales_chart(name), text_chart), columns=2)


def _wrapped(text: str, sign: str) -> list[str]:
    return textwrap.wrap(text, CHARACTERS, initial_indent=sign, subsequent_indent="   ")
