"""Columns from data frames (pandas, polars, pyarrow, ..., by way of narwhals) and from dicts of arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tarazu.base.errors import ArgumentError, DataError
from tarazu.data.columns.column import Column, column_of_numbers, column_of_objects
from tarazu.data.columns.values import MISSING_WORDS


def frame_columns(frame: Any, missing_words: tuple[str, ...] = MISSING_WORDS) -> list[Column]:
    """The columns of a data frame, or of a dict of arrays; without line numbers, for there are no lines."""
    if isinstance(frame, Mapping):
        return [column_of_array(str(name), values, missing_words) for name, values in frame.items()]
    import narwhals as nw
    from narwhals.exceptions import DuplicateError

    try:
        native = nw.from_native(frame, eager_only=True)
        names = [str(name) for name in native.columns]  # a frame of pandas may have numbers as names
        return [_column_of_series(name, series, missing_words)
                for name, series in zip(names, native.iter_columns(), strict=True)]
    except DuplicateError as error:
        raise DataError(f"the data frame has two columns of one name: {error}", expected="a name of its own per column",
                        fix="rename or drop one of them") from error
    except TypeError as error:
        raise ArgumentError(f"a {type(frame).__name__} is not a data frame that can be read",
                            expected="a data frame (pandas, polars, pyarrow, ...) or a dict from names to arrays",
                            fix="pass for example {'age': ages, 'city': cities}; "
                                "a lazy frame must be collected first") from error


def column_of_array(name: str, values: ArrayLike, missing_words: tuple[str, ...] = MISSING_WORDS) -> Column:
    """The column that a one-dimensional array or list holds; None, NaN, NaT and pd.NA are missing cells."""
    if isinstance(values, np.ma.MaskedArray):
        return column_of_array(name, values.tolist(), missing_words)  # which gives None for masked cells
    array = _as_array(values)
    if array.ndim != 1:
        raise DataError(f"its values have shape {array.shape}", column=name, expected="one dimension: a value per row",
                        fix="give each column of a two-dimensional array a name of its own")
    if array.dtype.kind in "iuf":
        return column_of_numbers(name, array)
    if array.dtype.kind == "m":
        return column_of_numbers(name, np.where(np.isnat(array), np.nan, array / np.timedelta64(1, "s")))
    if array.dtype.kind == "M":
        return column_of_objects(name, array.astype(str).tolist(), np.isnat(array), missing_words=missing_words)
    # A list such as ["a", None] or [1, "a"] must keep None as it is, hence not the array of texts that NumPy made.
    objects = list(values) if isinstance(values, Iterable) and not isinstance(values, np.ndarray) else array.tolist()
    missing = np.fromiter(map(_is_missing, objects), bool, len(objects))
    return column_of_objects(name, objects, missing, missing_words=missing_words)


def _as_array(values: ArrayLike) -> np.ndarray:
    """The values as an array, of objects where they are of several kinds and NumPy would make them alike."""
    array = np.asarray(values)
    return array if array.dtype.kind in "iufmMbO" or isinstance(values, np.ndarray) else np.array(values, object)


def _is_missing(value: object) -> bool:
    """Whether a Python value stands for no value: None, NaN, NaT, pd.NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _column_of_series(name: str, series: Any, missing_words: tuple[str, ...]) -> Column:
    import narwhals as nw

    missing = np.asarray(series.is_null().to_numpy(), bool)
    if series.dtype.is_integer():  # by way of float64, those above 2**53 would not stay apart
        whole = series.fill_null(0).to_numpy() if missing.any() else series.to_numpy()
        column = column_of_numbers(name, np.asarray(whole, np.uint64 if series.dtype == nw.UInt64 else np.int64))
        return dataclasses.replace(column, codes=np.where(missing, -1, column.codes).astype(np.int32))
    if series.dtype.is_numeric():
        return column_of_numbers(name, series.cast(nw.Float64).to_numpy())
    if series.dtype == nw.Duration:
        return column_of_array(name, series.to_numpy())
    stated_category = series.dtype in (nw.Categorical, nw.Enum)
    values = series.to_list()
    if series.dtype == nw.Object:
        missing = np.fromiter(map(_is_missing, values), bool, len(values))
    return column_of_objects(name, values, missing, stated_category, missing_words)
