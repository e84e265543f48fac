"""Tables: named columns of one length, with the file and the lines they come from for messages of errors."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tarazu.base import html
from tarazu.base.errors import DataError
from tarazu.base.messages import listing, plural, shortened
from tarazu.base.spelling import did_you_mean
from tarazu.data.columns.column import Column
from tarazu.data.columns.notes import ColumnNote
from tarazu.data.columns.numbers import clearly_decimal_comma, clearly_decimal_point
from tarazu.data.columns.values import MISSING_WORDS
from tarazu.data.tables.frames import frame_columns

FIRST_ROWS, MOST_COLUMNS, LONGEST_CELL = 5, 20, 24  # of what notebooks show


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Named columns of one length, with the path of the file and the line of each row where there are such.

    `missing_words` are the words that mean "missing" in it, besides empty cells; `notes` tell what was done with it
    so far; `semicolons` that its file has semicolons between cells, as where the comma is the decimal mark.

    >>> table = Table.from_frame({"age": [31, None, 58], "city": ["Lahore", "Delhi", "Lahore"]})
    >>> table
    Table(3 rows: age, city)
    """

    columns: dict[str, Column]
    path: str | None = None
    lines: np.ndarray | None = None
    missing_words: tuple[str, ...] = MISSING_WORDS
    notes: tuple[ColumnNote, ...] = ()
    semicolons: bool = False

    @classmethod
    def from_frame(cls, frame: Any, missing: Iterable[str] = MISSING_WORDS) -> Table:
        """The table that a data frame (pandas, polars, pyarrow, ...) or a dict of one-dimensional arrays holds.

        `missing` are the words that mean "missing", in any case, besides empty cells, None, NaN, NaT and pd.NA. Raises
        ArgumentError for anything else, DataError for no rows, unequal lengths or repeated names.

        >>> len(Table.from_frame({"age": np.array([31.0, np.nan, 58.0])}))
        3
        """
        words = tuple(missing)
        return dataclasses.replace(cls.from_columns(frame_columns(frame, words)), missing_words=words)

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

    def _repr_html_(self) -> str:
        shown = self.take(np.arange(min(len(self), FIRST_ROWS)))
        names = list(self.columns)[:MOST_COLUMNS]
        cells = [[shortened(text, LONGEST_CELL) for text in _texts(shown.columns[name])] for name in names]
        header = [f"{name} ({_kind(self.columns[name])})" for name in names]
        return html.table(header, list(zip(*cells, strict=True)),
                          f"{plural(len(self), 'row')}, {plural(len(self.columns), 'column')}")

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
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return dataclasses.replace(self, columns=columns, lines=lines)

    def drop_missing(self, name: str) -> Table:
        """The table without the rows in which column `name` is missing, with a note of their number.

        Raises DataError if no row is left.

        >>> table = Table.from_frame({"age": [31, None, 58]}).drop_missing("age")
        >>> len(table), str(table.notes[0])
        (2, 'age: missing in 1 of 3 rows, which is left out')
        """
        column = self[name]
        missing = column.missing()
        count = int(missing.sum())
        if not count:
            return self
        if count == len(self):
            read = f": {listing(column.missing_words)} mean missing" if column.missing_words else ""
            raise self.error(f"no row has a value in this column{read}", column=name, expected="a value in some rows",
                             fix="choose another column, or say which words mean missing: --missing ? on the command "
                             'line, missing=["?"] from Python, lets all but \'?\' be values')
        words = (f" ({listing(column.missing_words)}; --missing says which words mean that)" if column.missing_words
                 else "")
        are = "which is" if count == 1 else "which are"
        note = ColumnNote(name, f"missing{words} in {count:,} of {len(self):,} rows, {are} left out")
        return dataclasses.replace(self.take(~missing), notes=(*self.notes, note))

    @functools.cached_property
    def decimal_comma(self) -> bool:
        """Whether a number that can be read in two ways, such as 1,234, is to be read with a decimal comma.

        >>> Table.from_frame({"price": ["3,50", "1,25"], "weight": ["1,234", "2,500"]}).decimal_comma
        True
        """
        if any(map(clearly_decimal_comma, self.columns.values())):
            return True
        return self.semicolons and not any(map(clearly_decimal_point, self.columns.values()))

    def error(self, problem: str, *, column: str | None = None, row: int | None = None, expected: str = "",
              fix: str = "") -> DataError:
        """A DataError that names the file, the line of `row` (or the row, counted from 0) and the column.

        >>> print(Table.from_frame({"age": [31, -5]}).error("-5 is no age", column="age", row=1))
        column 'age': row 1 (counted from 0): -5 is no age
        """
        line = None if row is None or self.lines is None else int(self.lines[row])
        return DataError(problem, path=self.path, line=line, column=column, row=row, expected=expected, fix=fix)


def _texts(column: Column) -> list[str]:
    """The cells as text, empty where they are missing."""
    return ["" if is_missing else column.level_texts[code]
            for code, is_missing in zip(column.codes.tolist(), column.missing().tolist(), strict=True)]


def _kind(column: Column) -> str:
    """Whether a column holds numbers or texts, as its cells are written."""
    return "numbers" if bool(np.isfinite(column.numbers()[~column.missing()]).all()) else "texts"
