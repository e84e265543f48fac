"""Rows of any kind as a matrix of numbers with a name per column, and targets as numbers or class numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.base.messages import plural
from tarazu.base.pytree import flatten

RowsLike: TypeAlias = Any  # an array with a row per sample, a tuple, list or dict of them, or a data frame


@dataclass(frozen=True)
class PlainRows:
    """Features as float64 (rows, columns), the name of each column, and targets (rows,)."""

    x: np.ndarray
    names: tuple[str, ...]
    y: np.ndarray
    has_classes: bool

    def __len__(self) -> int:
        return len(self.y)


def plain_pair(x_train: RowsLike, y_train: RowsLike, x_validation: RowsLike, y_validation: RowsLike,
               classes: bool | None) -> tuple[PlainRows, PlainRows]:
    """Both parts; ShapeError unless their columns agree, ArgumentError for NaN or infinite numbers.

    Columns that have names are brought to the order of the training rows. `classes` says whether targets are classes;
    None for all that are not floating-point numbers.
    """
    lengths = _rows(y_train, "y_train"), _rows(y_validation, "y_validation")
    both: list[np.ndarray] = []
    named: list[tuple[str, ...]] = []
    for x, name, length in ((x_train, "x_train", lengths[0]), (x_validation, "x_validation", lengths[1])):
        matrix, columns = _matrix(x, name)
        if len(matrix) != length:
            raise ShapeError(f"{name} has {plural(len(matrix), 'row')} and its targets {length}",
                             expected="equally many rows", fix="check how they were made; rows are the first axis")
        both.append(matrix)
        named.append(columns)
    if both[0].shape[1] != both[1].shape[1]:
        raise ShapeError(f"x_train has {plural(both[0].shape[1], 'column')} and x_validation {both[1].shape[1]}",
                         expected="the same columns in both", fix="prepare both in the same way")
    names = named[0]
    if _has_names(x_train) and _has_names(x_validation):
        both[1] = both[1][:, _order(*named)]
    x, y = _numbered(both, names), np.concatenate([_column(y_train), _column(y_validation)])
    if classes is None:
        classes = y.dtype.kind != "f"
    targets = np.unique(y, return_inverse=True)[1].ravel() if classes else y.astype(np.float64)
    if not np.isfinite(targets).all():
        raise ArgumentError("a target is NaN or infinite", expected="finite numbers", fix="leave such rows out")
    n = lengths[0]
    return PlainRows(x[:n], names, targets[:n], classes), PlainRows(x[n:], names, targets[n:], classes)


def _order(names: tuple[str, ...], of_validation: tuple[str, ...]) -> list[int]:
    """For each of `names` the number of the column that has it; ShapeError where there is none."""
    if names == of_validation:
        return list(range(len(names)))
    missing = [name for name in names if name not in of_validation]
    if missing:
        raise ShapeError(f"x_train has a column {missing[0]!r}, which x_validation lacks",
                         expected="the same columns in both", fix="prepare both in the same way")
    return [of_validation.index(name) for name in names]


def _has_names(x: RowsLike) -> bool:
    return isinstance(x, Mapping) or (hasattr(x, "columns") and not isinstance(x, np.ndarray))


def _rows(y: RowsLike, name: str) -> int:
    column = _column(y)
    if not len(column):
        raise ArgumentError(f"{name} has no rows", expected="at least one", fix="pass rows")
    return len(column)


def _column(y: RowsLike) -> np.ndarray:
    """Targets as one axis; of class probabilities, several columns of integers, the number of the largest."""
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ShapeError(f"targets of shape {array.shape}", expected="a number or a class per row",
                         fix="pass one target at a time, and classes as numbers: y.argmax(axis=1)")
    return array.astype(str) if array.dtype.kind == "O" else array


def _matrix(x: RowsLike, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """A matrix, of objects where some column is not of numbers, and the names of its columns."""
    if _has_names(x) and not isinstance(x, Mapping):
        names = tuple(map(str, x.columns))
        columns = [np.asarray(x[column]) for column in x.columns]
        return _side_by_side(columns, name), names
    if isinstance(x, Mapping):
        leaves = [(str(key), np.asarray(value)) for key, value in x.items()]
    else:
        arrays = flatten(x)[0] if isinstance(x, tuple) else [x]
        leaves = [("" if len(arrays) == 1 else str(number), np.asarray(value)) for number, value in enumerate(arrays)]
    flat = [(key, leaf.reshape(len(leaf), -1)) for key, leaf in leaves]
    names = tuple(" ".join(part for part in (key, str(i) if leaf.shape[1] > 1 or not key else "") if part)
                  for key, leaf in flat for i in range(leaf.shape[1]))
    return _side_by_side([column for _, leaf in flat for column in leaf.T], name), names


def _side_by_side(columns: list[np.ndarray], name: str) -> np.ndarray:
    if not columns:
        raise ArgumentError(f"{name} has no columns", expected="at least one", fix="pass features")
    if len({len(column) for column in columns}) > 1:
        raise ShapeError(f"the arrays of {name} differ in rows", expected="equally many rows in each",
                         fix="check how they were made; rows are the first axis")
    kind = object if any(column.dtype.kind not in "biuf" for column in columns) else np.float64
    return np.stack([column.astype(kind) for column in columns], axis=1)


def _numbered(parts: list[np.ndarray], names: Sequence[str]) -> np.ndarray:
    """The rows of all parts as float64; texts become numbers in alphabetical order, alike in all parts."""
    rows = np.concatenate(parts)
    if rows.dtype == object:
        rows = np.stack([_numbers(column) for column in rows.T], axis=1)
    if not np.isfinite(rows).all():
        column = names[int(np.flatnonzero(~np.isfinite(rows).all(axis=0))[0])]
        raise ArgumentError(f"column {column!r} has NaN or infinite numbers", expected="finite numbers",
                            fix="fill them, as the model's own preparation does, or leave such rows out")
    return rows + 0.0  # turns -0 into 0


def _numbers(column: np.ndarray) -> np.ndarray:
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError):
        try:
            return np.unique(column.astype(str), return_inverse=True)[1].ravel().astype(np.float64)
        except (TypeError, ValueError) as error:
            raise DTypeError("a column of objects that are neither numbers nor texts",
                             expected="numbers or texts", fix="convert it first") from error
