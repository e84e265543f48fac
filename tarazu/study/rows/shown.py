"""How studies of rows are shown: shares as bars of an SVG picture, and records as a data frame."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tarazu.base.extras import require
from tarazu.base.messages import shortened
from tarazu.diagnose.reporting.axis import Axis, make_axis
from tarazu.diagnose.reporting.rate_chart import STYLE
from tarazu.diagnose.reporting.svg import drawing, element, frame, label
from tarazu.record.textfile import write_text

if TYPE_CHECKING:
    import pandas

NAMES_END, BARS_END, BAR_STEP = 180, 540, 26
MOST_BARS, LONGEST_NAME = 20, 26


def bars(title: str, values: Mapping[str, float], path: str | os.PathLike | None = None) -> str:
    """A bar for each value as the text of an SVG picture, written to `path` if given; 20 at most.

    OSError where `path` cannot be written.

    >>> bars("shares", {"age": 0.5}).startswith("<svg")
    True
    """
    shown = list(values.items())[:MOST_BARS]
    bottom = 36 + BAR_STEP * max(1, len(shown))
    axis = make_axis([0.0, *(value for _, value in shown), 1e-3], NAMES_END, BARS_END - 20)
    parts = [element("style", STYLE), label(10, 18, title, "start", class_="title"),
             frame(axis, Axis(0, 1, bottom, 30, ()), "", bottom + 40)]
    for number, (name, value) in enumerate(shown):
        y = 36 + BAR_STEP * (number + 0.5)
        left, right = sorted([axis.pixel(0), axis.pixel(value)])
        parts += [label(NAMES_END - 10, y + 4, shortened(name, LONGEST_NAME), "end"),
                  element("rect", x=left, y=y - 8, width=right - left, height=16, class_="dot")]
    picture = drawing(BARS_END, bottom + 28, title, "".join(parts))
    if path is not None:
        write_text(path, picture)
    return picture


def notebook_html(picture: str, text: str) -> str:
    """What notebooks show: a picture with a text below."""
    return f'<div style="max-width:36em">{picture}</div><pre>{html.escape(text)}</pre>'


def data_frame(records: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pandas.DataFrame:
    """The records as a frame of pandas with these columns. ArgumentError without pandas."""
    pandas = require("pandas", "to_frame()")
    return pandas.DataFrame([dict(record) for record in records], columns=list(columns))
