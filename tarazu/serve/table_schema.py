"""JSON schemas and an example of the rows that a table's encoder takes, and of predictions."""

from __future__ import annotations

from typing import Any

from tarazu.base.messages import listing
from tarazu.data import TableEncoder
from tarazu.data.columns.dates import date_text
from tarazu.data.tables.column_encoders import CategoryEncoder, ColumnEncoder, NumberEncoder

MOST_LEVELS = 20  # that a description names


def row_schema(encoder: TableEncoder) -> dict[str, Any]:
    """The schema of a row: an object with a cell for each column; further ones are not looked at."""
    ignored = f" Not used: {listing(encoder.ignored)}." if encoder.ignored else ""
    return {"type": "object", "description": f"A row of the table. Numbers may be texts, read as in CSV. "
                                              f"Other columns may stand beside these; they are not looked at.{ignored}",
            "required": [coder.name for coder in encoder.coders],
            "properties": {coder.name: _cell_schema(coder) for coder in encoder.coders},
            "example": example_row(encoder)}


def _cell_schema(coder: ColumnEncoder) -> dict[str, Any]:
    """The schema of a cell: null is a missing one, and what training never saw counts as unknown."""
    if isinstance(coder, NumberEncoder):
        unit = f" {coder.format.unit}" if coder.format.unit else ""
        return {"type": ["number", "boolean", "null"], "x-kind": "number", "x-mean": coder.mean,
                "x-deviation": coder.scale,
                "description": f"A number; in training {coder.mean:.4g}{unit} ± {coder.scale:.3g}{unit} (standard "
                               "deviation)."}
    if isinstance(coder, CategoryEncoder):
        return {"type": ["string", "number", "boolean", "null"], "x-kind": "category", "x-levels": list(coder.levels),
                "examples": list(coder.levels[:MOST_LEVELS]),
                "description": f"A category: {listing(coder.levels, MOST_LEVELS)}. Others count as unknown."}
    return {"type": ["string", "null"], "x-kind": "date",
            "description": f"A date in the order {coder.order!r}, or in ISO form; the first of training is "
                           f"{date_text(coder.first)}."}


def example_row(encoder: TableEncoder) -> dict[str, Any]:
    """A row as it may be sent: means, first categories, first dates."""
    return {coder.name: _example_cell(coder) for coder in encoder.coders}


def _example_cell(coder: ColumnEncoder) -> Any:
    if isinstance(coder, NumberEncoder):
        rounded = float(f"{coder.mean:.4g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded
    if isinstance(coder, CategoryEncoder):
        return coder.levels[0] if coder.levels else None
    return date_text(coder.first)


def answer_schema(encoder: TableEncoder) -> dict[str, Any]:
    """The schema of the answer: a prediction for each row, in their order."""
    numbers = {"type": ["number", "null"]}
    prediction: dict[str, Any] = {"type": "object", "required": ["prediction"], "properties": {"prediction": numbers}}
    if encoder.classes:
        shares = {"type": "object", "description": "The probability of each class.", "required": list(encoder.classes),
                  "properties": dict.fromkeys(encoder.classes, numbers)}
        prediction = {"type": "object", "required": ["prediction", "probabilities"], "properties": {
            "prediction": {"enum": [*encoder.classes, None]}, "probabilities": shares}}
    return {"type": "object", "required": ["target", "predictions", "notes"], "properties": {
        "target": {"type": "string", "const": encoder.target.name},
        "predictions": {"type": "array", "items": prediction, "description": "One for each row, in their order."},
        "notes": {"type": "array", "items": {"type": "string"},
                  "description": "Warnings, as of columns in which nothing is known."}}}
