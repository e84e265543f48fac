"""The encoder of the features of a table: fitted on the training rows, applied to any table, saved with the model."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.errors import DataError, DataWarning
from tarazu.base.messages import listing, plural
from tarazu.data.columns.column import Column
from tarazu.data.tables.column_encoders import (
    CategoryEncoder,
    ColumnEncoder,
    column_encoder_from_json,
    embedding_dimension,
    fit_column,
)
from tarazu.data.tables.column_kinds import NUMBER, ColumnKind, feature_kinds
from tarazu.data.tables.json_reading import damaged, entry, texts_entry
from tarazu.data.tables.table import Table


@dataclasses.dataclass(frozen=True)
class FeatureEncoder:
    """Turns tables into arrays: dense columns first, then one column of integer codes per embedded category.

    `coders` are the encoders of the feature columns, in the order of the arrays' columns that they make; `ignored`
    gives the reason for each column left out; `missing_words` are the words that mean "missing" in tables that it is
    for.

    >>> table = Table.from_frame({"age": [31, None, 58], "city": ["Herat", "Delhi", "Herat"]})
    >>> fit_features(table).features(table).tolist()
    [[-1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]]
    """

    coders: tuple[ColumnEncoder, ...]
    ignored: dict[str, str]
    missing_words: tuple[str, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each column of `features`.

        >>> table = Table.from_frame({"age": [31, None, 58], "city": ["Herat", "Delhi", "Herat"]})
        >>> fit_features(table).feature_names
        ('age', 'age (missing)', 'city=Delhi', 'city=Herat')
        """
        return tuple(name for encoder in self.coders for name in encoder.names)

    @property
    def embeddings(self) -> tuple[tuple[int, int], ...]:
        """For each column of codes how many codes there are (0 included) and the dimension to embed them in.

        >>> table = Table.from_frame({"word": [f"word {i}" for i in range(20)]})
        >>> fit_features(table).embeddings
        ((21, 9),)
        """
        categories = [encoder for encoder in self.coders if isinstance(encoder, CategoryEncoder) and encoder.embedded]
        counts = [len(encoder.levels) + 1 for encoder in categories]
        return tuple((count, embedding_dimension(count)) for count in counts)

    @property
    def num_dense(self) -> int:
        """How many of the columns of `features`, from the left, are not codes.

        >>> table = Table.from_frame({"word": [f"word {i}" for i in range(20)], "age": range(20)})
        >>> fit_features(table).num_dense
        1
        """
        return len(self.feature_names) - len(self.embeddings)

    def features(self, table: Table) -> np.ndarray:
        """The features as a float32 array (rows, len(feature_names)); columns that training did not use are ignored.

        Raises DataError for columns that the table lacks and, with line and column, for words in number columns. Warns
        (DataWarning) of a column of several rows in which there is no value, or none that was there in training.

        >>> table = Table.from_frame({"age": [20, 40], "city": ["Herat", "Delhi"]})
        >>> fit_features(table).features(table).tolist()
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

    def require_columns(self, names: Collection[str], path: str | None = None, row: int | None = None) -> None:
        """Raises DataError where one of the feature columns is not among `names`, those in the file `path` or in a row.

        >>> encoder = fit_features(Table.from_frame({"age": [31, 58]}))
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

        >>> sorted(fit_features(Table.from_frame({"age": [31, 58]})).to_json())
        ['features', 'ignored', 'missing_words']
        """
        return {"features": [encoder.to_json() for encoder in self.coders], "ignored": dict(self.ignored),
                "missing_words": list(self.missing_words)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> FeatureEncoder:
        """The encoder that `to_json` described. Raises FileFormatError for anything else.

        >>> encoder = fit_features(Table.from_frame({"age": [31, 58]}))
        >>> FeatureEncoder.from_json(encoder.to_json()) == encoder
        True
        """
        encoders = tuple(column_encoder_from_json(feature) for feature in entry(content, "features", list))
        if not encoders or len({encoder.name for encoder in encoders}) < len(encoders):
            raise damaged("'features' is empty or names a column twice")
        if list(encoders) != sorted(encoders, key=_is_embedded):
            raise damaged("'features' has embedded categories before others")
        ignored = entry(content, "ignored", dict)
        if not all(type(text) is str for pair in ignored.items() for text in pair):
            raise damaged("'ignored' does not map names to reasons")
        return FeatureEncoder(encoders, dict(ignored), texts_entry(content, "missing_words"))


class LearnedFeatures(NamedTuple):
    """What training rows say of the features: their encoders, why columns are left out, the kinds of the others."""

    coders: tuple[ColumnEncoder, ...]
    ignored: dict[str, str]
    kinds: dict[str, ColumnKind]


def fit_features(table: Table, kinds: Mapping[str, str] | None = None) -> FeatureEncoder:
    """The encoder of all columns of a table, with means, levels and scales from its rows; raises as
    `TableEncoder.fit` does.

    >>> fit_features(Table.from_frame({"age": [31, 58]})).feature_names
    ('age',)
    """
    learned = learn_features(table, np.arange(len(table)), kinds)
    return FeatureEncoder(learned.coders, learned.ignored, table.missing_words)


def learn_features(table: Table, rows: np.ndarray, kinds: Mapping[str, str] | None = None,
                   target: str | None = None) -> LearnedFeatures:
    """The encoders of all columns but the target, from these rows; raises as `TableEncoder.fit` does."""
    kind_of = feature_kinds(table, target, kinds)
    ignored = {name: kind.left_out or _reason_to_ignore(table[name], rows) for name, kind in kind_of.items()}
    if all(ignored.values()):  # row numbers are better than nothing
        ignored.update({name: "" for name, kind in kind_of.items() if kind.kind == NUMBER and kind.left_out})
    ignored = {name: reason for name, reason in ignored.items() if reason}
    used = {name: kind for name, kind in kind_of.items() if name not in ignored}
    encoders = [fit_column(table, table[name].take(rows), kind) for name, kind in used.items()]
    if not encoders:
        raise _nothing_to_learn_from(table, target, ignored)
    return LearnedFeatures(tuple(sorted(encoders, key=_is_embedded)), ignored, used)


def _is_embedded(encoder: ColumnEncoder) -> bool:
    return isinstance(encoder, CategoryEncoder) and encoder.embedded


def _nothing_to_learn_from(table: Table, target: str | None, ignored: Mapping[str, str]) -> DataError:
    reasons = "".join(f"; {name!r}: {reason}" for name, reason in list(ignored.items())[:5])
    besides = "" if target is None else f" besides the target {target!r}"
    return table.error(f"no column is left to learn from{reasons}", expected=f"a feature{besides}",
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
