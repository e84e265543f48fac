"""From what users hold, a path or a data frame, to a table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol, TypeAlias

from numpy.typing import ArrayLike

from tarazu.data import Table, read_table


class Frame(Protocol):
    """A data frame: of pandas, polars, pyarrow or another library that narwhals reads."""

    @property
    def columns(self) -> object:
        """The columns, or their names."""


TableLike: TypeAlias = str | os.PathLike[str] | Table | Mapping[str, ArrayLike] | Frame


def as_table(data: TableLike) -> Table:
    """The table in a CSV or Parquet file, a data frame or a dict of columns; raises what `read_table` and
    `Table.from_frame` raise.

    >>> as_table({"age": [31, 58]})
    Table(2 rows: age)
    """
    if isinstance(data, Table):
        return data
    return read_table(data) if isinstance(data, str | os.PathLike) else Table.from_frame(data)
