"""The target column: its task (classification or regression), its encoding, and decoding to the user's units."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import listing
from tarazu.data.columns.column import Column
from tarazu.data.columns.identifiers import nearly_all_distinct, too_many_levels
from tarazu.data.columns.notes import kind_option
from tarazu.data.columns.numbers import PLAIN, NumberFormat
from tarazu.data.scalers import standardize, to_float32
from tarazu.data.tables.column_encoders import column_scale
from tarazu.data.tables.column_kinds import (
    CATEGORY,
    IGNORE,
    NUMBER,
    check_kinds,
    check_numbers,
    column_kind,
)
from tarazu.data.tables.json_reading import damaged, entry, format_entry, number_entry, scale_entry, texts_entry
from tarazu.data.tables.table import Table

CLASSIFICATION, REGRESSION = "classification", "regression"
MOST_INTEGER_CLASSES = 10  # whole numbers with at most so many distinct values are classes,
ROWS_PER_INTEGER_CLASS = 3  # if each value stands in so many rows on average (0 and 1 always are)


@dataclasses.dataclass(frozen=True)
class Target:
    """The target column's name and task; `classes`, sorted, or `mean` and `scale` of the training rows, and `format`,
    how its numbers are written.

    >>> target = find_target(Table.from_frame({"paid": ["y", "n", "y"]}), "paid")
    >>> target.task, target.classes
    ('classification', ('n', 'y'))
    """

    name: str
    task: str
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0
    format: NumberFormat = PLAIN

    def encode(self, table: Table) -> np.ndarray:
        """Class numbers, int64 (rows,), or standardized numbers, float32 (rows, 1).

        Raises DataError for missing targets, words among numbers and classes that are not known.

        >>> table = Table.from_frame({"paid": ["y", "n", "y"]})
        >>> find_target(table, "paid").encode(table)
        array([1, 0, 1])
        """
        column = table[self.name]
        check_complete(table, column)
        if self.task == REGRESSION:
            check_numbers(table, self.name, self.format, "leave out the row")
            return to_float32(standardize(self.format.numbers(column), self.mean, self.scale))[:, None]
        numbers = column.places_in(self.classes)
        unknown = (numbers < 0) & (column.counts() > 0)
        if unknown.any():
            row = column.first_row(unknown)
            raise table.error(f"{column.level_texts[column.codes[row]]!r} is not a class that was there in training",
                              column=self.name, row=row, expected=f"one of {listing(self.classes)}",
                              fix="correct the cell, leave these rows out, or train with rows of this class")
        return numbers[column.codes]

    def decode(self, values: ArrayLike) -> np.ndarray:
        """Standardized numbers in the user's units (float64), or class numbers as names (object); the shape stays.

        >>> Target("price", "regression", mean=2.0, scale=0.5).decode([[1.0], [-1.0]]).tolist()
        [[2.5], [1.5]]
        """
        if self.task == REGRESSION:
            return np.asarray(values, np.float64) * self.scale + self.mean
        return np.array(self.classes, dtype=object)[np.asarray(values, np.int64)]

    def to_json(self) -> dict[str, Any]:
        """All of the target as plain JSON content.

        >>> Target("paid", "classification", ("n", "y")).to_json()["classes"]
        ['n', 'y']
        """
        return {**dataclasses.asdict(self), "classes": list(self.classes), "format": self.format.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Target:
        """The target that `to_json` described. Raises FileFormatError for anything else.

        >>> Target.from_json(Target("paid", "classification", ("n", "y")).to_json()).classes
        ('n', 'y')
        """
        target = cls(entry(content, "name", str), entry(content, "task", str), texts_entry(content, "classes"),
                     number_entry(content, "mean"), scale_entry(content), format_entry(content))
        if target.task not in (CLASSIFICATION, REGRESSION):
            raise damaged(f"there is no task {target.task!r}")
        if (target.task == CLASSIFICATION) != (len(target.classes) >= 2):
            raise damaged(f"{len(target.classes)} classes do not make a {target.task}")
        return target


def find_target(table: Table, name: str, kinds: Mapping[str, str] | None = None,
                rows: np.ndarray | None = None) -> Target:
    """The target in column `name`, with mean and scale from `rows` (by default all).

    Text, booleans and whole numbers with few distinct values are classes, other numbers a regression; `kinds` may say
    otherwise. Raises DataError for a column that is not there, constant, not complete or with too many classes.

    >>> target = find_target(Table.from_frame({"price": [1.5, 2.5]}), "price")
    >>> target.task, target.mean, target.scale
    ('regression', 2.0, 0.5)
    """
    column = table[name]
    check_kinds(table, kinds or {})
    check_complete(table, column)
    kind = (kinds or {}).get(name)
    if kind == IGNORE:
        raise ArgumentError(f"column {name!r} is the target and cannot be ignored",
                            expected="a kind that can be learned",
                            fix=f'choose another target, or the kind "{NUMBER}" or "{CATEGORY}"')
    found = column_kind(table, name, kind)
    if (column.counts() > 0).sum() < 2:
        words = f"say with --missing which words mean missing ({listing(column.missing_words)} do now), "
        raise table.error(f"the target is {column.level_texts[column.codes[0]]!r} in every row", column=name,
                          expected="at least two different values",
                          fix=f"{words if column.missing_words else ''}choose another target, or add rows that differ")
    if isinstance(found.format, NumberFormat) and (kind is not None or not _are_integer_classes(column, found.format)):
        numbers = dataclasses.replace(found.format, stray_words=())
        check_numbers(table, name, numbers, f"take the column as text: {kind_option(CATEGORY, name)}")
        mean, scale = column_scale(table, column if rows is None else column.take(rows), numbers)
        return Target(name, REGRESSION, mean=mean, scale=scale, format=numbers)
    return Target(name, CLASSIFICATION, classes=_classes(table, column, kind))


def check_complete(table: Table, column: Column) -> None:
    """Check that no target is missing. Raises DataError."""
    missing = column.missing()
    if missing.any():
        count = int(missing.sum())
        raise table.error(f"the target is missing in {count:,} of {len(table):,} rows, first here", column=column.name,
                          row=int(np.argmax(missing)), expected="a value in each row",
                          fix=f"delete these rows from the file, or in Python: table.drop_missing({column.name!r})")


def _are_integer_classes(column: Column, format: NumberFormat) -> bool:
    values = format.numbers_of_levels(column)[column.counts() > 0]
    enough_rows = len(values) == 2 or len(column) >= ROWS_PER_INTEGER_CLASS * len(values)
    return bool(len(values) <= MOST_INTEGER_CLASSES and enough_rows and (values == np.floor(values)).all())


def _classes(table: Table, column: Column, kind: str | None) -> tuple[str, ...]:
    used = np.flatnonzero(column.counts())
    too_many = nearly_all_distinct if kind else too_many_levels
    if too_many(len(used), len(column)):
        raise table.error(f"the target has {len(used):,} classes in {len(table):,} rows, for example "
                          f"{column.level_texts[used[0]]!r}", column=column.name,
                          expected="a class that many rows share", fix="choose another target, or join classes; "
                          f"to predict a number: {kind_option(NUMBER, column.name)}")
    texts, numbers = column.level_texts, column.level_numbers
    used = np.array(list({column.level_keys[level]: level for level in used}.values()))
    if np.isnan(numbers[used]).any():
        return tuple(sorted(texts[level] for level in used))
    return tuple(texts[level] for level in sorted(used, key=lambda level: (numbers[level], texts[level])))
