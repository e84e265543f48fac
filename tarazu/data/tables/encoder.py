"""The encoder of a whole table: fitted on the training rows, applied to any table, saved with the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tarazu.data.columns.notes import ColumnNote
from tarazu.data.tables.feature_encoder import FeatureEncoder, learn_features
from tarazu.data.tables.json_reading import damaged, entry, notes_entry
from tarazu.data.tables.table import Table
from tarazu.data.tables.target import Target, find_target
from tarazu.data.tables.training_notes import giveaway_notes, order_notes, rare_class_notes, target_notes

FORMAT = 2  # of the JSON content


@dataclasses.dataclass(frozen=True)
class TableEncoder(FeatureEncoder):
    """Turns tables into arrays: dense columns first, then one column of integer codes per embedded category; and the
    target into class numbers or standardized numbers.

    `notes` say what else there is to say of columns and of what was done with them, beside what is `ignored`.

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
    notes: tuple[ColumnNote, ...] = ()

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
        learned = learn_features(table, rows, kinds, target)
        notes = [*table.notes, *target_notes(table, target_encoder), *rare_class_notes(target_encoder, labels, rows)]
        for name, kind in learned.kinds.items():
            column = table[name].take(rows)
            notes += [*kind.notes, *order_notes(table[name], kind, rows),
                      *giveaway_notes(column, kind, target_encoder, labels[rows])]
        return cls(learned.coders, learned.ignored, table.missing_words, target_encoder, tuple(notes))

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

    def to_json(self) -> dict[str, Any]:
        """All of the encoder as plain JSON content; numbers survive to the last bit.

        >>> encoder = TableEncoder.fit(Table.from_frame({"age": [31, 58], "paid": ["y", "n"]}), target="paid")
        >>> sorted(encoder.to_json())
        ['features', 'format', 'ignored', 'missing_words', 'notes', 'target']
        """
        return {"format": FORMAT, "target": self.target.to_json(), **super().to_json(),
                "notes": [dataclasses.asdict(note) for note in self.notes]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TableEncoder:
        """The encoder that `to_json` described. Raises FileFormatError for anything else.

        >>> encoder = TableEncoder.fit(Table.from_frame({"age": [31, 58], "paid": ["y", "n"]}), target="paid")
        >>> TableEncoder.from_json(encoder.to_json()) == encoder
        True
        """
        if entry(content, "format", int) != FORMAT:
            raise damaged(f"its format is {content['format']}, this version of Tarazu reads {FORMAT}")
        features = FeatureEncoder.from_json(content)
        return cls(features.coders, features.ignored, features.missing_words,
                   Target.from_json(entry(content, "target", dict)), notes_entry(content))
