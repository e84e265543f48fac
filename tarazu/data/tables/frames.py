"""Columns from data frames (pandas, polars, pyarrow, ..., by way of narwhals) and from dicts of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tarazu.base.errors import ArgumentError, DataError
from tarazu.data.tables.column import Column, column_of_numbers, column_of_objects


def frame_columns(frame: Any) -> list[Column]:
    """The columns of a data frame, or of a dict of arrays; without line numbers, for there are no lines."""
    if isinstance(frame, Mapping):
        return [column_of_array(str(name), values) for name, values in frame.items()]
    import narwhals as nw
    from narwhals.exceptions import DuplicateError

    try:
        native = nw.from_native(frame, eager_only=True)
        return [_column_of_series(str(name), native[name]) for name in native.columns]
    except DuplicateError as error:
        raise DataError(f"the data frame has two columns of one name: {error}", expected="a name of its own per column",
                        fix="rename or drop one of them") from error
    except TypeError as error:
        raise ArgumentError(f"a {type(frame).__name__} is not a data frame that can be read",
                            expected="a data frame (pandas, polars, pyarrow, ...) or a dict from names to arrays",
                            fix="pass for example {'age': ages, 'city': cities}; "
                                "a lazy frame must be collected first") from error


def column_of_array(name: str, values: ArrayLike) -> Column:
    """The column that a one-dimensional array or list holds; None and NaN are missing cells."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"its values have shape {array.shape}", column=name, expected="one dimension: a value per row",
                        fix="give each column of a two-dimensional array a name of its own")
    if array.dtype.kind in "iuf":
        return column_of_numbers(name, array)
    if array.dtype.kind in "mM":
        return column_of_objects(name, array.astype(str).tolist(), np.isnat(array))
    # A list such as ["a", None] or [1, "a"] must keep None as it is, hence not the array of texts that NumPy made.
    objects = list(values) if isinstance(values, Iterable) and not isinstance(values, np.ndarray) else array.tolist()
    missing = np.fromiter((value is None or (isinstance(value, float) and value != value) for value in objects), bool)
    return column_of_objects(name, objects, missing)


def _column_of_series(name: str, series: Any) -> Column:
    import narwhals as nw

    if series.dtype.is_numeric():
        return column_of_numbers(name, series.cast(nw.Float64).to_numpy())
    stated_category = series.dtype in (nw.Categorical, nw.Enum)
    missing = np.asarray(series.is_null().to_numpy(), bool)
    return column_of_objects(name, series.to_list(), missing, stated_category)
