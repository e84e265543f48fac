"""From tables to arrays for a network: fitted on the training rows, applied to anything, saved with the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tarazu.base.errors import DataError
from tarazu.data.tables.coders import CategoryCoder, Coder, NumberCoder, coder_from_json, embedding_dimension
from tarazu.data.tables.column import Column
from tarazu.data.tables.content import damaged, entry
from tarazu.data.tables.kinds import IGNORE, NUMBER, feature_kinds
from tarazu.data.tables.table import Table
from tarazu.data.tables.target import Target, find_target
from tarazu.data.tables.wording import listing

FORMAT = 1  # of the JSON content


@dataclasses.dataclass(frozen=True)
class TableEncoder:
    """Turns tables into arrays: dense columns first, then one column of integer codes per embedded category.

    `coders` stand in the order of the columns that they make; `ignored` gives the reason for each column left out.

    >>> table = Table.from_frame({"age": [31, None, 58], "city": ["Herat", "Delhi", "Herat"], "paid": ["y", "n", "y"]})
    >>> encoder = TableEncoder.fit(table, target="paid")
    >>> encoder.feature_names
    ('age', 'age (missing)', 'city=Delhi', 'city=Herat')
    >>> encoder.features(table).tolist()
    [[-1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]]
    >>> encoder.labels(table).tolist(), encoder.classes
    ([1, 0, 1], ('n', 'y'))
    """

    target: Target
    coders: tuple[Coder, ...]
    ignored: dict[str, str]

    @classmethod
    def fit(cls, table: Table, *, target: str, rows: np.ndarray | None = None,
            kinds: Mapping[str, str] | None = None) -> TableEncoder:
        """The encoder for this table, with means, levels and scales from the training `rows` (row numbers or a mask;
        by default all rows).

        `kinds` overrides the guess for a column: "number", "category" or "ignore". A column without any two different
        cells among `rows` (missing counts as a value of its own) is ignored. Raises DataError for a table that cannot
        be used, ArgumentError for such kinds.
        """
        rows = np.arange(len(table)) if rows is None else np.asarray(rows)
        found_target = find_target(table, target, kinds, rows)
        coders: list[Coder] = []
        ignored: dict[str, str] = {}
        for name, kind in feature_kinds(table, target, kinds).items():
            column = table[name].take(rows)
            if reason := _reason_to_ignore(column, kind):
                ignored[name] = reason
            else:
                coders.append(NumberCoder.fit(table, column) if kind == NUMBER else CategoryCoder.fit(column))
        if not coders:
            raise table.error("no column is left to learn from", expected=f"a feature besides the target {target!r}",
                              fix="add columns that vary, or ignore fewer of them")
        return cls(found_target, tuple(sorted(coders, key=_is_embedded)), ignored)

    @property
    def task(self) -> str:
        """"classification" or "regression"."""
        return self.target.task

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes in the order of their numbers; () for a regression."""
        return self.target.classes

    @property
    def target_mean(self) -> float:
        """The mean of a regression's target over the training rows, in the user's units; 0 for a classification."""
        return self.target.mean

    @property
    def target_scale(self) -> float:
        """The standard deviation of a regression's target, in the user's units; 1 for a classification."""
        return self.target.scale

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each column of `features`."""
        return tuple(name for coder in self.coders for name in coder.names)

    @property
    def embeddings(self) -> tuple[tuple[int, int], ...]:
        """For each column of codes how many codes there are (0 included) and the dimension to embed them in."""
        levels = [len(coder.levels) + 1 for coder in self.coders if isinstance(coder, CategoryCoder) and coder.embedded]
        return tuple((count, embedding_dimension(count)) for count in levels)

    @property
    def num_dense(self) -> int:
        """How many of the columns of `features`, from the left, are not codes."""
        return len(self.feature_names) - len(self.embeddings)

    def features(self, table: Table) -> np.ndarray:
        """float32 array (rows, len(feature_names)). Columns that training did not use are not looked at.

        Raises DataError for columns that the table lacks and, with line and column, for words in number columns.
        """
        self._check_columns(table)
        result = np.empty((len(table), len(self.feature_names)), np.float32)
        start = 0
        for coder in self.coders:
            end = start + len(coder.names)
            result[:, start:end] = coder.encode(table)
            start = end
        return result

    def labels(self, table: Table) -> np.ndarray:
        """Class numbers, int64 (rows,); for a regression standardized numbers, float32 (rows, 1).

        Raises DataError for missing targets and for classes that training did not know.
        """
        return self.target.encode(table)

    def decode_target(self, values: Any) -> np.ndarray:
        """Standardized numbers in the user's units (float64, same shape); class numbers as names of classes."""
        return self.target.decode(values)

    def _check_columns(self, table: Table) -> None:
        lacking = [coder.name for coder in self.coders if coder.name not in table.columns]
        if lacking:
            raise DataError(f"{'columns' if len(lacking) > 1 else 'column'} {listing(lacking)} "
                            f"{'are' if len(lacking) > 1 else 'is'} missing; there are {listing(table.columns)}",
                            path=table.path,
                            expected=f"the columns of training: {listing(coder.name for coder in self.coders)}",
                            fix="add or rename columns; a column of empty cells counts as unknown")

    def to_json(self) -> dict[str, Any]:
        """All of the encoder as plain JSON content; numbers survive to the last bit."""
        return {"format": FORMAT, "target": self.target.to_json(),
                "features": [coder.to_json() for coder in self.coders], "ignored": dict(self.ignored)}

    @classmethod
    def from_json(cls, content: Any) -> TableEncoder:
        """The encoder that `to_json` described. Raises FileFormatError for anything else."""
        if entry(content, "format", int) != FORMAT:
            raise damaged(f"its format is {content['format']}, this version of Tarazu reads {FORMAT}")
        coders = tuple(coder_from_json(feature) for feature in entry(content, "features", list))
        if not coders or len({coder.name for coder in coders}) < len(coders):
            raise damaged("'features' is empty or names a column twice")
        if list(coders) != sorted(coders, key=_is_embedded):
            raise damaged("'features' has embedded categories before others")
        ignored = entry(content, "ignored", dict)
        if not all(type(text) is str for pair in ignored.items() for text in pair):
            raise damaged("'ignored' does not map names to reasons")
        return cls(Target.from_json(entry(content, "target", dict)), coders, dict(ignored))


def _is_embedded(coder: Coder) -> bool:
    return isinstance(coder, CategoryCoder) and coder.embedded


def _reason_to_ignore(column: Column, kind: str) -> str:
    if kind == IGNORE:
        return "as asked"
    if column.missing().all():
        return "no values"
    different = (column.counts() > 0).sum() + column.missing().any()
    return "" if different > 1 else "one value only"
