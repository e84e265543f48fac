"""Rows and columns of cells, as JSON has them, to tables."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.errors import DataError
from tarazu.data import Column, Table, TableEncoder
from tarazu.data.columns.column import column_of_numbers, column_of_objects
from tarazu.data.columns.values import as_text
from tarazu.data.tables.column_encoders import ColumnEncoder, NumberEncoder
from tarazu.serve.bodies import BODY

CELLS = {str, int, float, bool, type(None)}
Cells: TypeAlias = dict[str, Sequence[Any]]


def cells_of(value: object, encoder: TableEncoder) -> Cells:
    """The cells of the encoder's columns in a JSON value: an object, a list of such, or an object of lists.

    Raises DataError for anything else, with the row and column where it is a cell.
    """
    if isinstance(value, dict) and any(isinstance(value.get(coder.name), list) for coder in encoder.coders):
        cells = _columns(value, encoder)
    else:
        cells = _rows([value] if isinstance(value, dict) else value, encoder)
    for name, column in cells.items():
        if not set(map(type, column)) <= CELLS:
            row = next(row for row, cell in enumerate(column) if type(cell) not in CELLS)
            raise DataError(f"{_kind(column[row])} is no cell", column=name, row=row,
                            expected="a number, a text, true, false or null", fix="send a single value")
    return cells


def _columns(value: Mapping[str, Any], encoder: TableEncoder) -> Cells:
    encoder.require_columns(value, BODY)
    cells = {coder.name: value[coder.name] for coder in encoder.coders}
    for name, column in cells.items():
        if not isinstance(column, list):
            raise DataError(f"column {name!r} is no list, though others are", path=BODY,
                            expected="an object of cells for one row, or an object of lists for columns",
                            fix="write a list with a cell for each row")
    lengths = {name: len(column) for name, column in cells.items()}
    if len(set(lengths.values())) > 1 or not min(lengths.values()):
        raise DataError(f"the columns differ in length, or have no rows: {lengths}", path=BODY,
                        expected="a cell for each row in each column", fix="write null for a missing cell")
    return cells


def _rows(value: object, encoder: TableEncoder) -> Cells:
    if not isinstance(value, list) or not value:
        what = "an empty list" if isinstance(value, list) else f"this is {_kind(value)}"
        raise DataError(f"{what}, which holds no rows", path=BODY, fix='send for example [{"age": 31}, {"age": 58}]',
                        expected="an object for one row, a list of such objects, or an object of lists, the columns")
    try:
        return {coder.name: [row[coder.name] for row in value] for coder in encoder.coders}
    except (KeyError, TypeError, IndexError):
        for number, row in enumerate(value):
            if not isinstance(row, dict):
                raise DataError(f"this is {_kind(row)}, not a row", path=BODY, row=number,
                                expected="objects from names of columns to cells",
                                fix='write for example {"age": 31}') from None
            encoder.require_columns(row, BODY, number)
        raise


def _kind(value: object) -> str:
    names = {list: "a list", dict: "an object", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def is_plain(cells: Cells, encoder: TableEncoder) -> bool:
    """Whether the numbers among the cells are numbers, so that it does not matter what else stands in their columns."""
    return not any(str in map(type, cells[coder.name]) for coder in encoder.coders if isinstance(coder, NumberEncoder))


def table_of(cells: Cells, encoder: TableEncoder) -> Table:
    """The table of the cells. Raises DataError for numbers beyond the range of float64."""
    columns = [_column(coder, cells[coder.name], encoder.missing_words) for coder in encoder.coders]
    return dataclasses.replace(Table.from_columns(columns), missing_words=encoder.missing_words)


def _column(coder: ColumnEncoder, cells: Sequence[Any], missing_words: tuple[str, ...]) -> Column:
    if isinstance(coder, NumberEncoder) and str not in map(type, cells):
        return column_of_numbers(coder.name, _numbers(coder.name, cells))
    comma = isinstance(coder, NumberEncoder) and coder.format.decimal == ","
    texts = [as_text(cell).replace(".", ",") if comma and isinstance(cell, float) else cell for cell in cells]
    missing = np.array([cell is None for cell in cells])
    return column_of_objects(coder.name, texts, missing, missing_words=missing_words)


def _numbers(name: str, cells: Sequence[float | None]) -> np.ndarray:
    """The numbers, NaN where a cell is missing. Raises DataError for one beyond the range of float64."""
    try:
        return np.array(cells, np.float64)  # which makes NaN of None
    except OverflowError:
        row = next(row for row, cell in enumerate(cells) if isinstance(cell, int) and abs(cell) > sys.float_info.max)
        raise DataError("the number is too large", column=name, row=row, expected="numbers that float64 holds",
                        fix="correct the cell, or write null for a missing one") from None
