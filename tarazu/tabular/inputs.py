"""From what users hold, a path or a data frame, to a table."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol, TypeAlias

from numpy.typing import ArrayLike

from tarazu.data import Table, read_table
from tarazu.data.columns.values import MISSING_WORDS


class Frame(Protocol):
    """A data frame: of pandas, polars, pyarrow or another library that narwhals reads."""

    @property
    def columns(self) -> object:
        """The columns, or their names."""


TableLike: TypeAlias = str | os.PathLike[str] | Table | Mapping[str, ArrayLike] | Frame


def as_table(data: TableLike, missing: Sequence[str] = MISSING_WORDS, *, bar: bool = False) -> Table:
    """The table in a CSV or Parquet file, a data frame or a dict of columns; raises what `read_table` and
    `Table.from_frame` raise.

    `missing` are the words that mean "missing"; a table is taken as it was read. `bar` shows one in a terminal while
    a large file is read.

    >>> as_table({"age": [31, 58]})
    Table(2 rows: age)
    """
    if isinstance(data, Table):
        return data
    if not isinstance(data, str | os.PathLike):
        return Table.from_frame(data, missing)
    with _reading_bar(data) if bar and sys.stderr.isatty() else nullcontext() as on_progress:
        return read_table(data, missing, on_progress=on_progress)


def _reading_bar(path: str | os.PathLike[str]) -> AbstractContextManager[Callable[[float], None]]:
    """A block with a function that shows the share of a file that is read."""
    from rich.progress import BarColumn, TimeRemainingColumn

    from tarazu.data.late_bar import late_bar

    return late_bar("reading", Path(path).name, 1.0, BarColumn(), TimeRemainingColumn(compact=True))
