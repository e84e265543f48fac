"""Predictions as columns, and as the text of a CSV file."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Mapping

import numpy as np

from tarazu.base.errors import DataWarning
from tarazu.base.messages import plural
from tarazu.data import TableEncoder
from tarazu.data.columns.values import number_text
from tarazu.data.scalers import shortest_decimals
from tarazu.data.tables.target import CLASSIFICATION
from tarazu.diagnose import log_softmax
from tarazu.tabular.inputs import TableLike, as_table
from tarazu.tabular.table_model import TableModel


def predictions(model: TableModel, data: TableLike) -> dict[str, np.ndarray]:
    """Predictions as columns: the label and the probability of each class, or the value in the target's units.

    Warns (DataWarning) of rows without a prediction.
    """
    table = as_table(data, model.encoder.missing_words, bar=True)
    columns = prediction_columns(model.encoder, model.outputs(model.encoder.features(table)))
    if note := overflow_note(columns):
        warnings.warn(note, DataWarning, stacklevel=2)
    return columns


def prediction_columns(encoder: TableEncoder, outputs: np.ndarray) -> dict[str, np.ndarray]:
    """Predictions as columns, from what the model gives for the rows, (rows, outputs).

    Numbers have the fewest digits that lose nothing of what the model, which computes in float32, tells apart. Where
    outputs are no finite numbers, labels are empty and numbers NaN.
    """
    finite = np.isfinite(outputs).all(axis=1)
    outputs = np.where(finite[:, None], outputs, np.nan)
    if encoder.task != CLASSIFICATION:
        resolution = encoder.target_scale * float(np.finfo(np.float32).eps)
        return {encoder.target.name: shortest_decimals(encoder.decode_target(outputs)[:, 0], resolution)}
    probabilities = np.exp(log_softmax(outputs))
    columns = {f"probability of {label}": shortest_decimals(probabilities[:, i])
               for i, label in enumerate(encoder.classes)}
    labels = np.where(finite, encoder.decode_target(probabilities.argmax(1)), "")
    return {encoder.target.name: labels, **columns}


def overflow_note(columns: Mapping[str, np.ndarray]) -> str:
    """What is to be said of rows without a prediction; "" where there are none.

    >>> overflow_note({"price": np.array([1.5, np.nan])})[:62]
    '1 row without a prediction, the first of them row 1 (counted f'
    """
    numbers = list(columns.values())[-1]
    lacking = np.flatnonzero(np.isnan(numbers))
    return "" if not len(lacking) else (
        f"{plural(len(lacking), 'row')} without a prediction, the first of them row {lacking[0]} (counted from 0): its "
        "cells are so far from those of training that the model's outputs are no finite numbers")


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
