"""Summaries of encoded tables: counts of rows, features, missing cells and classes, and their text."""

from __future__ import annotations

import dataclasses

import numpy as np

from tarazu.base.messages import amount, plural
from tarazu.data.columns.notes import ColumnNote
from tarazu.data.tables.column_encoders import CategoryEncoder, NumberEncoder
from tarazu.data.tables.date_encoder import DateEncoder
from tarazu.data.tables.encoder import TableEncoder
from tarazu.data.tables.table import Table
from tarazu.data.tables.target import CLASSIFICATION

MOST_CLASSES_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class TableSummary:
    """Counts of a table as an encoder takes it: `missing` maps each feature with missing cells to their number,
    `ignored` each ignored column to the reason, `classes` each class to its rows; `target_range` is (least, mean,
    greatest) of a regression's target; `notes` are those of the encoder. `str` gives all of it as lines of text.

    >>> table = Table.from_frame({"age": [31, None, 58], "price": [1.5, 2.5, 3.5]})
    >>> summary = summarize(table, TableEncoder.fit(table, target="price"))
    >>> summary.missing, summary.target_range
    ({'age': 1}, (1.5, 2.5, 3.5))
    """

    rows: int
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    embedded: tuple[str, ...]
    ignored: dict[str, str]
    missing: dict[str, int]
    target: str
    task: str
    classes: dict[str, int]
    target_range: tuple[float, float, float] | None
    dates: tuple[str, ...] = ()
    notes: tuple[ColumnNote, ...] = ()

    def __str__(self) -> str:
        lines = [f"{plural(self.rows, 'row')}, {self._features()}; {self._missing()}", self._target()]
        if self.ignored:
            lines.append("ignored: " + ", ".join(f"{name} ({reason})" for name, reason in self.ignored.items()))
        return "\n".join([*lines, *map(str, self.notes)])

    def _features(self) -> str:
        kinds = [plural(len(self.numbers), "number")] if self.numbers else []
        if self.categories:
            embedded = f" ({len(self.embedded)} embedded)" if self.embedded else ""
            kinds.append(plural(len(self.categories), "category", "categories") + embedded)
        if self.dates:
            kinds.append(plural(len(self.dates), "date"))
        return f"{plural(len(self.numbers) + len(self.categories) + len(self.dates), 'feature')}: {', '.join(kinds)}"

    def _missing(self) -> str:
        cells = sum(self.missing.values())
        where = f" in {plural(len(self.missing), 'column')}" if cells else ""
        return plural(cells, "missing cell") + where if cells else "no missing cells"

    def _target(self) -> str:
        if self.target_range is not None:
            least, mean, greatest = self.target_range
            return f"target {self.target}, {self.task}: {amount(least)} to {amount(greatest)}, mean {amount(mean, 4)}"
        shown = [f"{name} {rows:,}" for name, rows in list(self.classes.items())[:MOST_CLASSES_SHOWN]]
        more = f" and {len(self.classes) - len(shown)} more" if len(shown) < len(self.classes) else ""
        return f"target {self.target}, {self.task}: {len(self.classes)} classes: {', '.join(shown)}{more}"


def summarize(table: Table, encoder: TableEncoder) -> TableSummary:
    """The summary of a table that has the target and the features of `encoder`. Raises DataError if it has not.

    >>> table = Table.from_frame({"age": [31, None, 58], "city": ["Herat", "Delhi", "Herat"], "paid": ["y", "n", "y"]})
    >>> print(summarize(table, TableEncoder.fit(table, target="paid")))
    3 rows, 2 features: 1 number, 1 category; 1 missing cell in 1 column
    target paid, classification: 2 classes: n 1, y 2
    """
    target = encoder.target
    missing = {column.name: int(table[column.name].missing().sum()) for column in encoder.coders}
    labels = target.encode(table)
    classes: dict[str, int] = {}
    target_range = None
    if target.task == CLASSIFICATION:
        counts = np.bincount(labels, minlength=len(target.classes)).tolist()
        classes = dict(zip(target.classes, counts, strict=True))
    else:
        values = target.format.numbers(table[target.name])
        target_range = (float(values.min()), float(values.mean()), float(values.max()))
    categories = [column for column in encoder.coders if isinstance(column, CategoryEncoder)]
    return TableSummary(
        rows=len(table), numbers=tuple(column.name for column in encoder.coders if isinstance(column, NumberEncoder)),
        categories=tuple(column.name for column in categories),
        embedded=tuple(column.name for column in categories if column.embedded), ignored=encoder.ignored,
        missing={name: count for name, count in missing.items() if count}, target=target.name, task=target.task,
        classes=classes, target_range=target_range,
        dates=tuple(column.name for column in encoder.coders if isinstance(column, DateEncoder)), notes=encoder.notes)
