"""Arrays of other libraries: byte order, masks, frames, sparse matrices and torch's tensors, as plain NumPy arrays.

Libraries are told by the attributes of their objects, so that none is imported.
"""

from __future__ import annotations

from typing import Any  # for objects of other libraries

import numpy as np

from tarazu.base.errors import ArgumentError, DTypeError, ShapeError

_PLAIN = (np.ndarray, list, tuple, bool, int, float, complex)


def plain_array(data: Any, name: str) -> Any:
    """`data`, which messages call `name`, so that `np.asarray` of it loses nothing; most kinds are given back.

    ArgumentError for masked values, DTypeError for sparse matrices and for columns that hold no numbers,
    ShapeError for elements of several lengths.

    >>> plain_array(np.array([1], ">i4"), "x").dtype.isnative
    True
    """
    if type(data) in _PLAIN:
        return _plain_ndarray(data, name) if type(data) is np.ndarray else data
    if isinstance(data, np.ma.MaskedArray):
        return _plain_ndarray(_unmasked(data, name), name)
    if hasattr(data, "tocsr") and hasattr(data, "toarray"):
        raise DTypeError(f"{name} is a sparse matrix of {data.dtype} and shape {data.shape}", expected="dense arrays",
                         fix="x.toarray(); where that is too large, batches of rows: "
                             "fit([(x[i:i + 32].toarray(), y[i:i + 32]) for i in range(0, x.shape[0], 32)])")
    if hasattr(data, "to_pandas") and hasattr(data, "column_names"):  # a table of pyarrow
        data = data.to_pandas()
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        return _of_frame(data, name)
    if hasattr(data, "iloc"):
        return _of_column(data, name, "")
    if hasattr(data, "detach") and hasattr(data, "__array__"):
        return _of_torch(data)
    return _plain_ndarray(np.asarray(data), name) if isinstance(data, np.ndarray) else data


def _plain_ndarray(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype.kind == "O" and array.ndim == 1 and len(array):
        return _of_objects(array, name)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _unmasked(array: np.ma.MaskedArray, name: str) -> np.ndarray:
    masked = int(np.ma.count_masked(array))
    if masked:
        raise ArgumentError(f"{name} is a masked array: {masked} of {array.size} values are masked",
                            expected="a value for each element",
                            fix="fill them, x.filled(0.0), or leave their rows out: np.ma.compress_rows(x)")
    return np.asarray(array.data)


def _of_objects(array: np.ndarray, name: str) -> np.ndarray:
    """Rows that are lists or arrays, one below the other; other objects as they are."""
    if not all(isinstance(row, list | tuple | np.ndarray) for row in array):
        return array
    try:
        return np.stack([np.asarray(row) for row in array])
    except ValueError:
        sizes = sorted({np.shape(row) for row in array})
        raise ShapeError(f"{name} holds lists of several shapes, such as {sizes[0]} and {sizes[-1]}",
                         expected="rows of one length", fix=f"pad or cut the rows of {name}") from None


def _of_frame(frame: Any, name: str) -> np.ndarray:
    columns = [_of_column(frame.iloc[:, i], name, f" in column {label!r}") for i, label in enumerate(frame.columns)]
    for label, column in zip(frame.columns, columns, strict=True):
        if column.ndim > 1:
            raise DTypeError(f"{name} holds lists in column {label!r}", expected="a number in each cell",
                             fix="make an array of it: np.stack(frame[column])")
        if column.dtype.kind not in "fiub":
            raise DTypeError(f"{name} holds {column.dtype} in column {label!r}", expected="numbers",
                             fix="encode text and dates as numbers first: tz.data.TableEncoder does so for tables")
    return np.stack(columns, axis=1) if columns else np.empty((len(frame), 0))


def _of_column(column: Any, name: str, where: str) -> np.ndarray:
    """A series; pandas' nullable dtypes and those of arrow become NumPy's, with NaN for missing values."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return _plain_ndarray(np.asarray(column), name)
    inner = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", None))
    if not isinstance(inner, np.dtype) or inner.kind not in "fiub":
        raise DTypeError(f"{name} holds {dtype}{where}", expected="numbers",
                         fix="number the classes: frame[column].cat.codes, or np.unique(y, return_inverse=True); "
                             "tz.data.TableEncoder encodes the columns of tables")
    if column.isna().any():
        wide = inner if inner.kind == "f" else np.dtype(np.float64)
        return column.to_numpy(dtype=wide, na_value=np.nan)
    return column.to_numpy(dtype=inner)


def _of_torch(tensor: Any) -> Any:
    """A tensor of torch without its gradient, in main memory; bfloat16, which NumPy lacks, as float32."""
    tensor = tensor.detach()
    if hasattr(tensor, "cpu"):
        tensor = tensor.cpu()
    return tensor.float() if str(getattr(tensor, "dtype", "")) == "torch.bfloat16" else tensor
