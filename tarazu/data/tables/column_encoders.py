"""Encoders of single feature columns: fitted on the training rows, then the same for any table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from tarazu.data.columns.column import Column
from tarazu.data.columns.numbers import PLAIN, NumberFormat
from tarazu.data.scalers import mean_and_scale, standardize, to_float32
from tarazu.data.tables.column_kinds import CATEGORY, NUMBER, ColumnKind, check_numbers
from tarazu.data.tables.date_encoder import DATE, DateEncoder
from tarazu.data.tables.json_reading import damaged, entry, format_entry, number_entry, scale_entry, texts_entry
from tarazu.data.tables.table import Table

MOST_ONE_HOT = 16  # categories with more levels are embedded


@dataclasses.dataclass(frozen=True)
class NumberEncoder:
    """(x - mean) / scale with 0 for a missing cell, and a second column, 1 where it was missing, if `indicator`.

    `format` is how the numbers are written, in training and afterwards.
    """

    name: str
    mean: float
    scale: float
    indicator: bool
    format: NumberFormat = PLAIN

    @classmethod
    def fit(cls, table: Table, column: Column, format: NumberFormat) -> NumberEncoder:
        """The encoder for `column`, the training rows. Raises DataError for numbers that are too large."""
        missing = bool(np.isnan(format.numbers(column)).any())
        return cls(column.name, *column_scale(table, column, format), missing, format)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        return (self.name, f"{self.name} (missing)") if self.indicator else (self.name,)

    def encode(self, table: Table) -> np.ndarray:
        """Array (rows, 1 or 2). Raises DataError, with line and column, for words and infinities."""
        check_numbers(table, self.name, self.format, "empty it so that it counts as unknown")
        numbers = self.format.numbers(table[self.name])
        missing = np.isnan(numbers)
        values = to_float32(np.where(missing, 0.0, standardize(numbers, self.mean, self.scale)))
        return np.stack([values, missing] if self.indicator else [values], axis=1)

    def to_json(self) -> dict[str, Any]:
        """All of the encoder as plain JSON content."""
        return {"kind": NUMBER, **dataclasses.asdict(self), "format": self.format.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> NumberEncoder:
        """The encoder that `to_json` described. Raises FileFormatError."""
        return cls(entry(content, "name", str), number_entry(content, "mean"), scale_entry(content),
                   entry(content, "indicator", bool), format_entry(content))


@dataclasses.dataclass(frozen=True)
class CategoryEncoder:
    """A text as the number of its level: one-hot, or, if `embedded`, one column of integer codes.

    Spellings of one value are one level: "1", "1.0", 1 and True.

    One-hot: a level that was not seen in training is all zeros, and so is a missing cell unless `missing_level`, which
    gives it a column of its own. Embedded: codes count from 1; 0 is both unseen and missing.
    """

    name: str
    levels: tuple[str, ...]
    missing_level: bool
    embedded: bool

    @classmethod
    def fit(cls, column: Column) -> CategoryEncoder:
        """The levels of `column`, the training rows."""
        spellings = {column.level_keys[level]: column.level_texts[level] for level in np.flatnonzero(column.counts())}
        used = sorted(spellings.values())
        embedded = len(used) > MOST_ONE_HOT
        return cls(column.name, tuple(used), bool(column.missing().any()) and not embedded, embedded)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        if self.embedded:
            return (self.name,)
        names = tuple(f"{self.name}={level}" for level in self.levels)
        return (*names, f"{self.name} (missing)") if self.missing_level else names

    def codes(self, table: Table) -> np.ndarray:
        """For each row the number of its level, from 1, and 0 for unseen or (without `missing_level`) missing."""
        column = table[self.name]
        missing = len(self.levels) + 1 if self.missing_level else 0
        return np.append(self.numbers_of_levels(column), missing)[column.codes]

    def numbers_of_levels(self, column: Column) -> np.ndarray:
        """For each level of another table's column the number of the same level here, from 1; 0 for an unseen one."""
        return column.places_in(self.levels) + 1

    def encode(self, table: Table) -> np.ndarray:
        """Array (rows, levels) of zeros and ones, or (rows, 1) of codes if embedded."""
        codes = self.codes(table)[:, None]
        return codes if self.embedded else codes == np.arange(1, len(self.names) + 1)

    def to_json(self) -> dict[str, Any]:
        """All of the encoder as plain JSON content."""
        return {"kind": CATEGORY, **dataclasses.asdict(self), "levels": list(self.levels)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> CategoryEncoder:
        """The encoder that `to_json` described. Raises FileFormatError."""
        encoder = cls(entry(content, "name", str), texts_entry(content, "levels"),
                      entry(content, "missing_level", bool), entry(content, "embedded", bool))
        if encoder.embedded and encoder.missing_level:
            raise damaged(f"the embedded category {encoder.name!r} has a level for missing cells")
        return encoder


def column_scale(table: Table, column: Column, format: NumberFormat) -> tuple[float, float]:
    """Mean and standard deviation of `column`, the training rows. Raises DataError if they overflow."""
    mean, scale = mean_and_scale(format.numbers(column))
    if not (np.isfinite(mean) and np.isfinite(scale)):
        raise table.error("the numbers are so large that their mean or standard deviation overflows",
                          column=column.name, expected="numbers below about 1e150", fix="use a larger unit")
    return float(mean), float(scale)


ColumnEncoder: TypeAlias = NumberEncoder | CategoryEncoder | DateEncoder
READERS: dict[str, Callable[[Mapping[str, Any]], ColumnEncoder]] = {
    NUMBER: NumberEncoder.from_json, CATEGORY: CategoryEncoder.from_json, DATE: DateEncoder.from_json,
}


def fit_column(table: Table, column: Column, kind: ColumnKind) -> ColumnEncoder:
    """The encoder of a kind for `column`, the training rows. Raises DataError for numbers that are too large."""
    if isinstance(kind.format, NumberFormat):
        return NumberEncoder.fit(table, column, kind.format)
    return CategoryEncoder.fit(column) if kind.format is None else DateEncoder.fit(column, kind.format)


def column_encoder_from_json(content: Mapping[str, Any]) -> ColumnEncoder:
    """The encoder that `to_json` described. Raises FileFormatError."""
    kind = entry(content, "kind", str)
    if kind not in READERS:
        raise damaged(f"there is no kind of feature {kind!r}")
    return READERS[kind](content)


def embedding_dimension(levels: int) -> int:
    """How many numbers to embed each of `levels` levels in: min(600, round(1.6 levels^0.56)).

    The rule of thumb of fastai (`emb_sz_rule`; Howard and Gugger, "fastai: A Layered API for Deep Learning", 2020).

    >>> embedding_dimension(17), embedding_dimension(4044)
    (8, 167)
    """
    return min(600, round(1.6 * levels**0.56))
