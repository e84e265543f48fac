"""From what users hold, a path or a data frame, to a table."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol, TypeAlias

from numpy.typing import ArrayLike

from tarazu.data import Table, read_table
from tarazu.data.columns.values import MISSING_WORDS

BAR_AFTER = 1.0  # seconds


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


@contextmanager
def _reading_bar(path: str | os.PathLike[str]) -> Iterator[Callable[[float], None]]:
    """A function that shows the share of a file that is read, as a bar that appears after a second and then goes."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(TextColumn("reading {task.description}"), BarColumn(), TimeRemainingColumn(compact=True),
                   console=Console(stderr=True), transient=True)
    task = bar.add_task(Path(path).name, total=1.0)
    start = time.monotonic()

    def show(share: float) -> None:
        bar.update(task, completed=share)
        if time.monotonic() - start > BAR_AFTER:
            bar.start()

    try:
        yield show
    finally:
        bar.stop()
