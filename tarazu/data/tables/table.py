"""Tables: named columns of one length, with the file and the lines they come from for messages of errors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import DataError
from tarazu.base.messages import listing
from tarazu.base.spelling import did_you_mean
from tarazu.data.tables.column import Column
from tarazu.data.tables.frames import frame_columns


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Named columns of one length, with the path of the file and the line of each row where there are such.

    >>> table = Table.from_frame({"age": [31, None, 58], "city": ["Lahore", "Delhi", "Lahore"]})
    >>> table
    Table(3 rows: age, city)
    """

    columns: dict[str, Column]
    path: str | None = None
    lines: np.ndarray | None = None

    @classmethod
    def from_frame(cls, frame: Any) -> Table:
        """The table that a data frame (pandas, polars, pyarrow, ...) or a dict of one-dimensional arrays holds.

        Raises ArgumentError for anything else, DataError for no rows, unequal lengths or repeated names.

        >>> len(Table.from_frame({"age": np.array([31.0, np.nan, 58.0])}))
        3
        """
        return cls.from_columns(frame_columns(frame))

    @classmethod
    def from_columns(cls, columns: Sequence[Column], path: str | None = None, lines: np.ndarray | None = None) -> Table:
        """The table of these columns. Raises DataError for no rows, unequal lengths or repeated names.

        >>> Table.from_columns([Column("age", np.array([31.0, 47.0]), np.array([0, 1, 0]))])
        Table(3 rows: age)
        """
        table = cls({column.name: column for column in columns}, path, lines)
        if len(table.columns) < len(columns):
            raise DataError("two columns have the same name", path=path, expected="a name of its own for each column",
                            fix="rename or drop one of them")
        lengths = {name: len(column) for name, column in table.columns.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"the columns differ in length: {lengths}", path=path, expected="a value per row in each",
                            fix="pass arrays of the same length")
        if not any(lengths.values()):
            raise DataError("the table has no rows", path=path, expected="at least one row of data",
                            fix="check how the table was made or filtered")
        return table

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __repr__(self) -> str:
        return f"Table({len(self)} rows: {', '.join(self.columns)})"

    def __getitem__(self, name: str) -> Column:
        """The column of that name; DataError with the nearest name if there is none."""
        if name not in self.columns:
            raise DataError(f"there is no column {name!r}", path=self.path, expected=f"one of {listing(self.columns)}",
                            fix=did_you_mean(name, self.columns))
        return self.columns[name]

    def take(self, rows: np.ndarray) -> Table:
        """The table of these rows, given as row numbers or as a mask.

        >>> len(Table.from_frame({"age": [31, 47, 58]}).take(np.array([0, 2])))
        2
        """
        rows = np.asarray(rows)
        lines = None if self.lines is None else self.lines[rows]
        return Table({name: column.take(rows) for name, column in self.columns.items()}, self.path, lines)

    def drop_missing(self, name: str) -> Table:
        """The table without the rows in which column `name` is missing.

        >>> len(Table.from_frame({"age": [31, None, 58]}).drop_missing("age"))
        2
        """
        return self.take(~self[name].missing())

    def error(self, problem: str, *, column: str | None = None, row: int | None = None, expected: str = "",
              fix: str = "") -> DataError:
        """A DataError that names the file, the line of `row` (or the row, counted from 0) and the column.

        >>> print(Table.from_frame({"age": [31, -5]}).error("-5 is no age", column="age", row=1))
        column 'age': row 1 (counted from 0): -5 is no age
        """
        line = None
        if row is not None and self.lines is not None:
            line = int(self.lines[row])
        elif row is not None:
            problem = f"row {row} (counted from 0): {problem}"
        return DataError(problem, path=self.path, line=line, column=column, expected=expected, fix=fix)
