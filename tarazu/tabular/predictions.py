"""Predictions as columns, and as the text of a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np

from tarazu.data import TableEncoder
from tarazu.data.columns.values import number_text
from tarazu.data.scalers import shortest_decimals
from tarazu.data.tables.target import CLASSIFICATION
from tarazu.diagnose import log_softmax
from tarazu.tabular.inputs import TableLike, as_table
from tarazu.tabular.table_model import TableModel


def predictions(model: TableModel, data: TableLike) -> dict[str, np.ndarray]:
    """Predictions as columns: the label and the probability of each class, or the value in the target's units."""
    table = as_table(data, model.encoder.missing_words, bar=True)
    return prediction_columns(model.encoder, model.outputs(model.encoder.features(table)))


def prediction_columns(encoder: TableEncoder, outputs: np.ndarray) -> dict[str, np.ndarray]:
    """Predictions as columns, from what the model gives for the rows, (rows, outputs).

    Numbers have the fewest digits that lose nothing of what the model, which computes in float32, tells apart.
    """
    if encoder.task != CLASSIFICATION:
        resolution = encoder.target_scale * float(np.finfo(np.float32).eps)
        return {encoder.target.name: shortest_decimals(encoder.decode_target(outputs)[:, 0], resolution)}
    probabilities = np.exp(log_softmax(outputs))
    columns = {f"probability of {label}": shortest_decimals(probabilities[:, i])
               for i, label in enumerate(encoder.classes)}
    return {encoder.target.name: encoder.decode_target(probabilities.argmax(1)), **columns}


def csv_text(columns: Mapping[str, np.ndarray]) -> str:
    """Columns of texts and numbers as the text of a CSV file.

    >>> csv_text({"city": np.array(["Herat", "Delhi"]), "size": np.array([1.0, 2.5])})
    'city,size\\nHerat,1\\nDelhi,2.5\\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*([_cell(value) for value in column.tolist()] for column in columns.values()), strict=True))
    return text.getvalue()


def _cell(value: str | float) -> str:
    return value if isinstance(value, str) else number_text(value)
