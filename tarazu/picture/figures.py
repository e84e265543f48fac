"""Pictures drawn by matplotlib, on axes of the user's or on new ones."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.extras import require
from tarazu.picture.axis import Axis
from tarazu.picture.chart import Chart, ColorBar
from tarazu.picture.colors import RAMPS, ROLES
from tarazu.picture.elements import CHARACTER
from tarazu.picture.marks import Band, Bars, Curve, Dots, Intervals, Mark, Raster, Rule, Shape, Stroke, Words

INCHES = 1 / 85  # of a pixel
MARGINS = 90, 80  # pixels around the axes of a chart
SMALL_MARGINS = 8, 26
POINTS = 0.75  # of a pixel
EMPTY = 300, 40  # pixels of a picture without charts
LABEL_ROOM = 40  # pixels of the margins that names at the ticks have anyway
LEGEND_COLUMNS = 3
LEGEND_LINE = 44  # pixels beside the name of each entry
TITLE_CHARACTER = 8.2  # pixels, as wide as one of a title mostly is
TITLE_PAD, LEGEND_ROW = 6, 14  # points: the title stands above a legend that has no room beside it


def drawn(charts: Sequence[Chart], columns: int, axes: Any = None) -> Any:
    """The charts on `axes`, or on those of a new figure of pyplot; gives the axes, one or an array of them."""
    if axes is None:
        pyplot = require("matplotlib.pyplot", "Picture.on", "plot")
        axes = _subplots(charts, columns, pyplot.figure(figsize=_size(charts, columns), layout="constrained"))
    places = list(np.ravel(axes))
    if len(places) < len(charts):
        raise ArgumentError(f"{len(places)} axes for {len(charts)} charts", expected="one for each chart",
                            fix="leave them out, or take those of pyplot.subplots(rows, columns)")
    for chart, place in zip(charts, places, strict=False):
        _draw(chart, place)
    for place in places[len(charts):]:
        place.set_axis_off()
    return axes


def bytes_of(title: str, charts: Sequence[Chart], columns: int, kind: str) -> bytes:
    """The picture as a file of this kind, "png" for example."""
    figures = require("matplotlib.figure", f"a picture as .{kind}", "plot")
    figure = figures.Figure(figsize=_size(charts, columns), layout="constrained")
    drawn(charts, columns, _subplots(charts, columns, figure))
    if len(charts) != 1:
        figure.suptitle(textwrap.fill(title, max(30, int(figure.get_figwidth() / INCHES / TITLE_CHARACTER))))
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=150, bbox_inches="tight", pad_inches=0.05)  # so that nothing is cut off
    return file.getvalue()


def _subplots(charts: Sequence[Chart], columns: int, figure: Any) -> Any:
    rows, columns = _shape_of(charts, columns)
    return figure.subplots(rows, columns)


def _shape_of(charts: Sequence[Chart], columns: int) -> tuple[int, int]:
    columns = max(1, min(columns, len(charts)))
    return max(1, -(-len(charts) // columns)), columns


def _size(charts: Sequence[Chart], columns: int) -> tuple[float, float]:
    """Width and height of the figure in inches."""
    rows, columns = _shape_of(charts, columns)
    if not charts:
        return EMPTY[0] * INCHES, EMPTY[1] * INCHES
    margins = [_margins(chart) for chart in charts]
    widths = [chart.size[0] + margin[0] for chart, margin in zip(charts, margins, strict=True)]
    heights = [chart.size[1] + margin[1] for chart, margin in zip(charts, margins, strict=True)]
    return columns * max(widths) * INCHES, rows * max(heights) * INCHES


def _margins(chart: Chart) -> tuple[float, float]:
    """Pixels beside the axes, and above and below them, with room for long names at the ticks."""
    if not chart.has_axes:
        return SMALL_MARGINS
    beside, below = (CHARACTER * max(map(len, axis.labels), default=0) - LABEL_ROOM for axis in (chart.y, chart.x))
    return MARGINS[0] + max(0, beside), MARGINS[1] + (max(0, below) if _is_turned(chart) else 0)


def _is_turned(chart: Chart) -> bool:
    """Whether the names below stand upright, as one is longer than its share of the axis."""
    labels = chart.x.labels
    return bool(labels) and CHARACTER * (max(map(len, labels)) + 1) > chart.size[0] / len(labels)


def _draw(chart: Chart, axes: Any) -> None:
    if not chart.has_axes:
        axes.set_axis_off()
    _set(axes, "x", chart.x, chart.x_name)
    if _is_turned(chart):
        axes.tick_params(axis="x", labelrotation=90)
    _set(axes, "y", chart.y, chart.y_name)
    for number, mark in enumerate(chart.marks):
        DRAWN[type(mark)](mark, axes, number + 2)
    names = [name for mark in chart.marks if (name := getattr(mark, "name", ""))]
    axes.set_title(chart.title, loc="left", fontsize="medium", pad=TITLE_PAD + LEGEND_ROW * _rows_above(chart, names))
    if chart.has_axes:
        axes.spines[["top", "right"] if chart.y.ticks else ["top", "right", "left"]].set_visible(False)
        if not chart.y.labels:
            axes.grid(axis="y", alpha=0.25)
        axes.set_axisbelow(True)
    if any(isinstance(mark, Raster) for mark in chart.marks):
        width, height = chart.x.high - chart.x.low, abs(chart.y.high - chart.y.low)
        axes.set_aspect(chart.size[1] / height / (chart.size[0] / width))
    elif not chart.has_axes:
        axes.set_aspect("equal", anchor="NW")
    if names:
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=LEGEND_COLUMNS, fontsize="small",
                    borderpad=0.1, columnspacing=1)
    if chart.color_bar:
        _color_bar(chart.color_bar, axes)


def _rows_above(chart: Chart, names: Sequence[str]) -> int:
    """How many rows of a legend stand between axes and title: none where its only row has room beside the title."""
    rows = -(-len(names) // LEGEND_COLUMNS)
    width = TITLE_CHARACTER * len(chart.title) + sum(CHARACTER * len(name) + LEGEND_LINE for name in names)
    return rows if rows > 1 or width > chart.size[0] else 0


def _set(axes: Any, which: str, axis: Axis, name: str) -> None:
    if axis.logarithmic:
        getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(axis.low, axis.high)
    getattr(axes, f"set_{which}ticks")(list(axis.ticks), list(axis.texts()))
    getattr(axes, f"{which}axis").set_minor_locator(require("matplotlib.ticker", "a picture", "plot").NullLocator())
    getattr(axes, f"set_{which}label")(name)


def _color_bar(bar: ColorBar, axes: Any) -> None:
    colors = require("matplotlib.colors", "a picture", "plot")
    colormap = colors.LinearSegmentedColormap.from_list(bar.ramp, RAMPS[bar.ramp])
    mappable = require("matplotlib.cm", "a picture", "plot").ScalarMappable(
        colors.Normalize(bar.low, bar.high), colormap)
    axes.figure.colorbar(mappable, ax=axes, fraction=0.05, pad=0.03)


def _color(role: str) -> str:
    return ROLES.get(role) or str(require("matplotlib", "a picture", "plot").rcParams["text.color"])


def _curve(mark: Curve, axes: Any, order: int) -> None:
    y = np.asarray(mark.y, np.float64)
    is_alone = np.isfinite(y) & ~np.isfinite(np.append(y[1:], np.nan)) & ~np.isfinite(np.append(np.nan, y[:-1]))
    axes.plot(mark.x, y, "--" if mark.is_dashed else "-", color=_color(mark.role), label=mark.name or None,
              zorder=order)
    axes.plot(np.asarray(mark.x)[is_alone], y[is_alone], "o", color=_color(mark.role), zorder=order)


def _dots(mark: Dots, axes: Any, order: int) -> None:
    axes.scatter(mark.x, mark.y, s=(2 * POINTS * np.asarray(mark.radius, np.float64)) ** 2, color=_color(mark.role),
                 alpha=0.6, linewidths=0, label=mark.name or None, zorder=order)


def _intervals(mark: Intervals, axes: Any, order: int) -> None:
    (axes.hlines if mark.is_horizontal else axes.vlines)(mark.at, mark.low, mark.high, color=_color(mark.role),
                                                         linewidth=1.2, zorder=order)


def _band(mark: Band, axes: Any, order: int) -> None:
    axes.fill_between(mark.x, mark.low, mark.high, color=_color(mark.role), alpha=0.18, linewidth=0, zorder=order)


def _bars(mark: Bars, axes: Any, order: int) -> None:
    left, right, bottom, top = (np.asarray(each, np.float64) for each in (mark.left, mark.right, mark.bottom, mark.top))
    axes.bar(left, top - bottom, right - left, bottom, align="edge", color=_color(mark.role), alpha=0.75,
             label=mark.name or None, zorder=order)


def _shape(mark: Shape, axes: Any, order: int) -> None:
    axes.fill(mark.x, mark.y, color=_color(mark.role), zorder=order)


def _stroke(mark: Stroke, axes: Any, order: int) -> None:
    axes.plot(mark.x, mark.y, color=_color("muted"), linewidth=1 if mark.kind == "string" else 3, zorder=order)


def _rule(mark: Rule, axes: Any, order: int) -> None:
    axes.axvline(mark.at, color=_color("muted"), linestyle=(0, (4, 4)), linewidth=1, zorder=order)
    low, high = axes.get_xlim()
    is_late = mark.at > (low + high) / 2
    axes.annotate(mark.text, (mark.at, 1), (-4 if is_late else 4, -2 - 11 * mark.level),
                  xycoords=("data", "axes fraction"), textcoords="offset points", ha="right" if is_late else "left",
                  va="top", fontsize="small", color=_color("muted"))


def _raster(mark: Raster, axes: Any, order: int) -> None:
    left, right, top, bottom = mark.edges
    axes.imshow(mark.pixels, extent=(left, right, bottom, top), interpolation="nearest", zorder=order)


def _words(mark: Words, axes: Any, order: int) -> None:
    x, y = np.ravel(mark.x), np.ravel(mark.y)
    for place, height, text in zip(x.tolist(), y.tolist(), mark.texts, strict=True):
        axes.text(place, height, text, ha={"start": "left", "middle": "center", "end": "right"}[mark.anchor],
                  va="center", color=_color(mark.role), fontsize=POINTS * mark.size, zorder=order)


DRAWN: dict[type[Mark], Callable[[Any, Any, int], None]] = {
    Curve: _curve, Dots: _dots, Intervals: _intervals, Band: _band, Bars: _bars, Shape: _shape, Stroke: _stroke,
    Rule: _rule, Raster: _raster, Words: _words}
