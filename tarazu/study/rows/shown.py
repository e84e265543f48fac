"""How studies of rows are shown: shares as bars of a picture, and records as a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tarazu.base.extras import require
from tarazu.picture.axis import make_axis
from tarazu.picture.bar_rows import Row, bar_rows
from tarazu.picture.picture import Picture

if TYPE_CHECKING:
    import pandas


def bars(title: str, values: Mapping[str, float]) -> Picture:
    """A bar for each value, 20 at most.

    >>> bars("shares", {"age": 0.5})
    <Picture: shares>
    """
    rows = [Row(name, value, f"{value:.2g}") for name, value in values.items()]
    return Picture(title, (bar_rows(title, rows, make_axis([0.0, *values.values(), 1e-3])),))


def data_frame(records: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pandas.DataFrame:
    """The records as a frame of pandas with these columns. ArgumentError without pandas."""
    pandas = require("pandas", "to_frame()")
    return pandas.DataFrame([dict(record) for record in records], columns=list(columns))
