"""A model for tables, served: rows of named cells, or CSV, in; predictions out."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import DataWarning
from tarazu.data import Table
from tarazu.data.tables.csv_file import read_csv
from tarazu.serve.answering import Prepared
from tarazu.serve.bodies import CSV, JSON, Body, json_text, json_value
from tarazu.serve.cells import Cells, cells_of, is_plain, table_of
from tarazu.serve.limits import Limits, too_many_rows
from tarazu.serve.table_schema import answer_schema, example_row, row_schema
from tarazu.tabular.predictions import csv_text, overflow_note, prediction_columns
from tarazu.tabular.table_model import TableModel
from tarazu.train.padding import can_pad
from tarazu.train.placement import placement_of
from tarazu.train.trainer.trainer import modules_of

FILE = Path("request.csv")  # where errors of CSV say that they are
MOST_OTHERS = 1000  # columns of CSV beside those of training, as each takes room


class TableService:
    """A TableModel that is served under a name."""

    kinds = (JSON, CSV)

    def __init__(self, model: TableModel, name: str, limits: Limits) -> None:
        self._model, self._limits, self.name = model, limits, name
        self.encoder = model.encoder
        self._starts = np.cumsum([0, *(len(coder.names) for coder in self.encoder.coders)])[:-1]
        self._tells_values = np.array([name != f"{coder.name} (missing)"
                                       for coder in self.encoder.coders for name in coder.names])
        self.is_joined = can_pad(modules_of(model.model), [self.blank(1)], placement_of(model.model))

    @property
    def summary(self) -> str:
        """What is predicted, in a line."""
        classes = self.encoder.classes
        return f"Predicts {self.encoder.target.name}, {f'one of {len(classes)} classes' if classes else 'a number'}."

    def blank(self, rows: int) -> np.ndarray:
        """So many encoded rows of zeros."""
        return np.zeros((rows, len(self.encoder.feature_names)), np.float32)

    def prepare(self, bodies: Sequence[Body]) -> list[Prepared | Exception]:
        """The encoded rows of each body; few rows of many bodies are encoded together, which takes little longer than
        one body alone.
        """
        read = [_or_error(self._read, body) for body in bodies]
        plain = [number for number, each in enumerate(read) if isinstance(each, dict) and is_plain(each, self.encoder)]
        together = self._together([read[number] for number in plain]) if len(plain) > 1 else {}
        done = {plain[place]: prepared for place, prepared in together.items()}
        return [done[number] if number in done else _or_error(self._encoded, each)
                for number, each in enumerate(read)]

    def predict(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The columns of predictions for encoded rows."""
        return prediction_columns(self.encoder, self._model.outputs(rows))

    def write(self, predicted: Mapping[str, np.ndarray], part: slice, prepared: Prepared, wants: str) -> bytes:
        """The predictions of a part of the rows as CSV, or as JSON with the notes."""
        columns = {name: column[part] for name, column in predicted.items()}
        if wants == CSV:
            return csv_text(columns).encode()
        notes = [*prepared.notes, *filter(None, [overflow_note(columns)])]
        target, *others = map(_cells, columns.values())
        rows: list[dict[str, Any]] = [{"prediction": value} for value in target]
        for row, probabilities in zip(rows, zip(*others, strict=True), strict=False):
            row["probabilities"] = dict(zip(self.encoder.classes, probabilities, strict=True))
        return json_text({"target": self.encoder.target.name, "predictions": rows, "notes": notes})

    def schemas(self) -> dict[str, Any]:
        """JSON schemas of a row, of the body and of the answer."""
        row = {"$ref": "#/components/schemas/Row"}
        cells = {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean", "null"]}}
        columns = {coder.name: cells for coder in self.encoder.coders}
        return {
            "Row": row_schema(self.encoder),
            "Request": {"anyOf": [
                row, {"type": "array", "items": row, "minItems": 1, "maxItems": self._limits.rows},
                {"type": "object", "required": list(columns), "properties": columns, "description":
                 "The columns: a list of cells each, all equally long. Others are not looked at."}]},
            "Response": answer_schema(self.encoder)}

    def example(self) -> dict[str, Any]:
        """A row of means and of frequent kinds of cells."""
        return example_row(self.encoder)

    def _read(self, body: Body) -> Table | Cells:
        if body.kind == CSV:
            table = read_csv(FILE, body.content, self.encoder.missing_words,
                             most_columns=len(self.encoder.coders) + MOST_OTHERS, most_rows=self._limits.rows + 1)
            if len(table) > self._limits.rows:
                raise too_many_rows(self._limits.rows)
            return table
        cells = cells_of(json_value(body.content), self.encoder)
        if self._rows(cells) > self._limits.rows:
            raise too_many_rows(self._limits.rows)
        return cells

    @staticmethod
    def _rows(cells: Cells) -> int:
        return len(next(iter(cells.values())))

    def _together(self, several: Sequence[Cells]) -> dict[int, Prepared]:
        """The rows of several requests by their place, encoded in one table; none where a cell is wrong, and without
        those that need notes.
        """
        cells = {coder.name: list(itertools.chain.from_iterable(each[coder.name] for each in several))
                 for coder in self.encoder.coders}
        encoded = _or_error(self._encoded, cells)
        if isinstance(encoded, Exception):
            return {}
        parts = np.split(encoded.rows, np.cumsum([self._rows(each) for each in several])[:-1])
        return {place: Prepared(part) for place, part in enumerate(parts) if len(part) == 1 or self._is_known(part)}

    def _is_known(self, rows: np.ndarray) -> bool:
        """Whether each column has a value that training knew in one of the rows, so that there is nothing to note."""
        return bool(np.logical_or.reduceat(rows.any(axis=0) & self._tells_values, self._starts).all())

    def _encoded(self, read: Table | Cells) -> Prepared:
        table = table_of(read, self.encoder) if isinstance(read, dict) else read
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            features = self.encoder.features(table)
        return Prepared(features, [str(warning.message) for warning in caught
                                   if issubclass(warning.category, DataWarning)])


def _or_error(function: Callable[[Any], Any], argument: Any) -> Any:
    """What the function gives for the argument, or the error that it raises or that the argument is."""
    if isinstance(argument, Exception):
        return argument
    try:
        return function(argument)
    except Exception as error:
        return error


def _cells(column: np.ndarray) -> list[Any]:
    """The texts or numbers of a column, None in place of empty texts and of NaN."""
    if column.dtype != object and np.isfinite(column).all():
        return column.tolist()
    return [None if value == "" or value != value else value for value in column.tolist()]
