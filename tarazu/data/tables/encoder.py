"""The encoder of a whole table: fitted on the training rows, applied to any table, saved with the model."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tarazu.base.errors import DataError, DataWarning
from tarazu.base.messages import listing, plural
from tarazu.data.columns.column import Column
from tarazu.data.columns.notes import ColumnNote
from tarazu.data.columns.values import MISSING_WORDS
from tarazu.data.tables.column_encoders import (
    CategoryEncoder,
    ColumnEncoder,
    column_encoder_from_json,
    embedding_dimension,
    fit_column,
)
from tarazu.data.tables.column_kinds import NUMBER, feature_kinds
from tarazu.data.tables.json_reading import damaged, entry, notes_entry, texts_entry
from tarazu.data.tables.table import Table
from tarazu.data.tables.target import Target, find_target
from tarazu.data.tables.training_notes import giveaway_notes, order_notes, rare_class_notes, target_notes

FORMAT = 2  # of the JSON content


@dataclasses.dataclass(frozen=True)
class TableEncoder:
    """Turns tables into arrays: dense columns first, then one column of integer codes per embedded category.

    `coders` are the encoders of the feature columns, in the order of the arrays' columns that they make; `ignored`
    gives the reason for each column left out, `notes` what else there is to say of columns and of what was done with
    them; `missing_words` are the words that mean "missing" in tables that it is for.

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
    coders: tuple[ColumnEncoder, ...]
    ignored: dict[str, str]
    notes: tuple[ColumnNote, ...] = ()
    missing_words: tuple[str, ...] = MISSING_WORDS

    @classmethod
    def fit(cls, table: Table, *, target: str, rows: np.ndarray | None = None,
            kinds: Mapping[str, str] | None = None) -> TableEncoder:
        """The encoder for this table, with means, levels and scales from the training `rows` (row numbers or a mask;
        by default all rows).

        `kinds` overrides the guess for a column: "number", "category", "date" or "ignore". A column without any two
        different cells among `rows` (missing counts as a value of its own) is ignored. Raises DataError for a table
        that cannot be used, ArgumentError for such kinds.

        >>> table = Table.from_frame({"age": [31, 47, 58], "id": [1, 1, 1], "paid": ["y", "n", "y"]})
        >>> TableEncoder.fit(table, target="paid").ignored
        {'id': 'one value only'}
        """
        rows = np.arange(len(table)) if rows is None else np.arange(len(table))[np.asarray(rows)]
        target_encoder = find_target(table, target, kinds, rows)
        labels = target_encoder.encode(table).reshape(len(table))
        kind_of = feature_kinds(table, target, kinds)
        ignored = {name: kind.left_out or _reason_to_ignore(table[name], rows) for name, kind in kind_of.items()}
        if all(ignored.values()):  # row numbers are better than nothing
            ignored.update({name: "" for name, kind in kind_of.items() if kind.kind == NUMBER and kind.left_out})
        ignored = {name: reason for name, reason in ignored.items() if reason}
        encoders: list[ColumnEncoder] = []
        notes = [*table.notes, *target_notes(table, target_encoder), *rare_class_notes(target_encoder, labels, rows)]
        for name in [name for name in kind_of if name not in ignored]:
            column, kind = table[name].take(rows), kind_of[name]
            encoders.append(fit_column(table, column, kind))
            notes += [*kind.notes, *order_notes(table[name], kind, rows),
                      *giveaway_notes(column, kind, target_encoder, labels[rows])]
        if not encoders:
            raise _nothing_to_learn_from(table, target, ignored)
        coders = tuple(sorted(encoders, key=_is_embedded))
        return cls(target_encoder, coders, ignored, tuple(notes), table.missing_words)

    @property
    def task(self) -> str:
        """"classification" or "regression".

        >>> TableEncoder.fit(Table.from_frame({"age": [31, 58], "price": [1.5, 2.5]}), target="price").task
        'regression'
        """
        return self.target.task

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes in the order of their numbers; () for a regression.

        >>> TableEncoder.fit(Table.from_frame({"age": [31, 58], "paid": ["y", "n"]}), target="paid").classes
        ('n', 'y')
        """
        return self.target.classes

    @property
    def target_mean(self) -> float:
        """The mean of a regression's target over the training rows, in the user's units; 0 for a classification.

        >>> TableEncoder.fit(Table.from_frame({"age": [31, 58], "price": [1.5, 2.5]}), target="price").target_mean
        2.0
        """
        return self.target.mean

    @property
    def target_scale(self) -> float:
        """The standard deviation of a regression's target, in the user's units; 1 for a classification.

        >>> TableEncoder.fit(Table.from_frame({"age": [31, 58], "price": [1.5, 2.5]}), target="price").target_scale
        0.5
        """
        return self.target.scale

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each column of `features`.

        >>> table = Table.from_frame({"age": [31, None, 58], "city": ["Herat", "Delhi", "Herat"], "paid": [1, 0, 1]})
        >>> TableEncoder.fit(table, target="paid").feature_names
        ('age', 'age (missing)', 'city=Delhi', 'city=Herat')
        """
        return tuple(name for encoder in self.coders for name in encoder.names)

    @property
    def embeddings(self) -> tuple[tuple[int, int], ...]:
        """For each column of codes how many codes there are (0 included) and the dimension to embed them in.

        >>> table = Table.from_frame({"word": [f"word {i}" for i in range(20)], "paid": [0, 1] * 10})
        >>> TableEncoder.fit(table, target="paid").embeddings
        ((21, 9),)
        """
        categories = [encoder for encoder in self.coders if isinstance(encoder, CategoryEncoder) and encoder.embedded]
        counts = [len(encoder.levels) + 1 for encoder in categories]
        return tuple((count, embedding_dimension(count)) for count in counts)

    @property
    def num_dense(self) -> int:
        """How many of the columns of `features`, from the left, are not codes.

        >>> table = Table.from_frame({"word": [f"word {i}" for i in range(20)], "age": range(20), "paid": [0, 1] * 10})
        >>> TableEncoder.fit(table, target="paid").num_dense
        1
        """
        return len(self.feature_names) - len(self.embeddings)

    def features(self, table: Table) -> np.ndarray:
        """The features as a float32 array (rows, len(feature_names)); columns that training did not use are ignored.

        Raises DataError for columns that the table lacks and, with line and column, for words in number columns. Warns
        (DataWarning) of a column of several rows in which there is no value, or none that was there in training.

        >>> table = Table.from_frame({"age": [20, 40], "city": ["Herat", "Delhi"], "paid": ["y", "n"]})
        >>> TableEncoder.fit(table, target="paid").features(table).tolist()
        [[-1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
        """
        self.require_columns(table.columns, table.path)
        if len(table) > 1:
            self._warn_of_unknown_columns(table)
        result = np.empty((len(table), len(self.feature_names)), np.float32)
        start = 0
        for encoder in self.coders:
            end = start + len(encoder.names)
            result[:, start:end] = encoder.encode(table)
            start = end
        return result

    def labels(self, table: Table) -> np.ndarray:
        """Class numbers, int64 (rows,); for a regression standardized numbers, float32 (rows, 1).

        Raises DataError for missing targets and for classes that training did not know.

        >>> table = Table.from_frame({"age": [31, 58], "paid": ["y", "n"]})
        >>> TableEncoder.fit(table, target="paid").labels(table)
        array([1, 0])
        """
        return self.target.encode(table)

    def decode_target(self, values: ArrayLike) -> np.ndarray:
        """Standardized numbers in the user's units (float64, same shape); class numbers as names of classes.

        >>> encoder = TableEncoder.fit(Table.from_frame({"age": [31, 58], "paid": ["y", "n"]}), target="paid")
        >>> encoder.decode_target([1, 0]).tolist()
        ['y', 'n']
        """
        return self.target.decode(values)

    def require_columns(self, names: Collection[str], path: str | None = None, row: int | None = None) -> None:
        """Raises DataError where one of the feature columns is not among `names`, those in the file `path` or in a row.

        >>> encoder = TableEncoder.fit(Table.from_frame({"age": [31, 58], "paid": ["y", "n"]}), target="paid")
        >>> encoder.require_columns(["name", "age"])
        """
        lacking = [encoder.name for encoder in self.coders if encoder.name not in names]
        if lacking:
            there = f"there are {listing(names)}" if names else "there are none"
            raise DataError(f"{'columns' if len(lacking) > 1 else 'column'} {listing(lacking)} "
                            f"{'are' if len(lacking) > 1 else 'is'} missing; {there}", path=path, row=row,
                            expected=f"the columns of training: {listing(encoder.name for encoder in self.coders)}",
                            fix="add or rename columns; a column of empty cells counts as unknown")

    def _warn_of_unknown_columns(self, table: Table) -> None:
        for encoder in self.coders:
            column = table[encoder.name]
            used = np.flatnonzero(column.counts())
            if not len(used):
                warnings.warn(f"column {encoder.name!r}: no row has a value in it", DataWarning, stacklevel=3)
            elif isinstance(encoder, CategoryEncoder) and not encoder.numbers_of_levels(column)[used].any():
                warnings.warn(
                    f"column {encoder.name!r}: none of its values was there in training: there are "
                    f"{listing([column.level_texts[level] for level in used], 3)}, training had "
                    f"{listing(encoder.levels, 3)}; all of them count as unknown", DataWarning, stacklevel=3)

    def to_json(self) -> dict[str, Any]:
        """All of the encoder as plain JSON content; numbers survive to the last bit.

        >>> encoder = TableEncoder.fit(Table.from_frame({"age": [31, 58], "paid": ["y", "n"]}), target="paid")
        >>> sorted(encoder.to_json())
        ['features', 'format', 'ignored', 'missing_words', 'notes', 'target']
        """
        return {"format": FORMAT, "target": self.target.to_json(),
                "features": [encoder.to_json() for encoder in self.coders], "ignored": dict(self.ignored),
                "notes": [dataclasses.asdict(note) for note in self.notes], "missing_words": list(self.missing_words)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TableEncoder:
        """The encoder that `to_json` described. Raises FileFormatError for anything else.

        >>> encoder = TableEncoder.fit(Table.from_frame({"age": [31, 58], "paid": ["y", "n"]}), target="paid")
        >>> TableEncoder.from_json(encoder.to_json()) == encoder
        True
        """
        if entry(content, "format", int) != FORMAT:
            raise damaged(f"its format is {content['format']}, this version of Tarazu reads {FORMAT}")
        encoders = tuple(column_encoder_from_json(feature) for feature in entry(content, "features", list))
        if not encoders or len({encoder.name for encoder in encoders}) < len(encoders):
            raise damaged("'features' is empty or names a column twice")
        if list(encoders) != sorted(encoders, key=_is_embedded):
            raise damaged("'features' has embedded categories before others")
        ignored = entry(content, "ignored", dict)
        if not all(type(text) is str for pair in ignored.items() for text in pair):
            raise damaged("'ignored' does not map names to reasons")
        return cls(Target.from_json(entry(content, "target", dict)), encoders, dict(ignored), notes_entry(content),
                   texts_entry(content, "missing_words"))


def _is_embedded(encoder: ColumnEncoder) -> bool:
    return isinstance(encoder, CategoryEncoder) and encoder.embedded


def _nothing_to_learn_from(table: Table, target: str, ignored: Mapping[str, str]) -> DataError:
    reasons = "".join(f"; {name!r}: {reason}" for name, reason in list(ignored.items())[:5])
    return table.error(f"no column is left to learn from{reasons}", expected=f"a feature besides the target {target!r}",
                       fix="add columns that vary, or ignore fewer of them: --kind NAME=category keeps a column on the "
                       'command line, kinds={NAME: "category"} from Python')


def _reason_to_ignore(column: Column, rows: np.ndarray) -> str:
    """Why a column says nothing in the training `rows`; "" if it may."""
    training = column.take(rows)
    if _different(training) > 1:
        return ""
    reason = "no values" if training.missing().all() else "one value only"
    return reason if _different(column) == 1 else f"{reason} in the {plural(len(training), 'training row')}"


def _different(column: Column) -> int:
    """How many different values a column has; missing counts as one."""
    return int((column.counts() > 0).sum() + column.missing().any())
