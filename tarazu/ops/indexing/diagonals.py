"""Diagonals of matrices, matrices of diagonals, and the indices of triangles."""

from __future__ import annotations

import numpy as np

from tarazu.base.checks import whole_number
from tarazu.base.errors import ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.create import arange, eye
from tarazu.ops.elementwise import add, where
from tarazu.ops.indexing.index import gather
from tarazu.ops.promote import as_value
from tarazu.ops.shape import distinct_axes, expand_dims, moveaxis, reshape
from tarazu.ops.typing import ArrayLike, Tensor


def diagonal(x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the matrices in two axes of `x`, the first two unless others are given, as a new last axis.

    `offset` counts columns to the right of the main diagonal, negative ones rows below it. AxisError for an axis that
    `x` lacks, ShapeError for one named twice; `tz.linalg.diagonal` takes the last two axes.

    >>> import tarazu as tz
    >>> tz.diagonal(tz.tensor([[1, 2], [3, 4]])), tz.diagonal(tz.tensor([[1, 2], [3, 4]]), 1)
    (Tensor([1, 4], dtype=int64), Tensor([2], dtype=int64))
    """
    x = as_value(x)
    row, column = distinct_axes((axis1, axis2), len(x.shape), "diagonal")
    rows, columns = x.shape[row], x.shape[column]
    size = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    along = arange(size)
    return moveaxis(gather(x, {row: add(along, max(-offset, 0)), column: add(along, max(offset, 0))}), 0, -1)


def diag(x: ArrayLike, k: int = 0) -> Tensor:
    """The diagonal `k` positions above the main one of a matrix; or, of a vector, the matrix that has it there.

    ShapeError for another number of axes, ArgumentError for a `k` that is no whole number.

    >>> import tarazu as tz
    >>> tz.diag(tz.tensor([[1, 2], [3, 4]])), tz.diag(tz.tensor([1]), k=1)
    (Tensor([1, 4], dtype=int64), Tensor([[0, 1],
            [0, 0]], dtype=int64))
    """
    x, k = as_value(x), whole_number(f"diag: k={k!r}", k)
    if len(x.shape) == 2:
        return diagonal(x, k)
    if len(x.shape) != 1:
        raise ShapeError(f"diag of a tensor of shape {x.shape}", expected="a vector or a matrix",
                         fix="tz.diagonal takes the diagonals of several matrices, tz.diagflat flattens first")
    size = x.shape[0] + abs(k)
    low, high = (max(-k, 0),), (max(k, 0),)
    column = bind(ops.PAD, x, as_value(0, x.dtype), low=low, high=high, interior=(0,))  # the value for each row
    return where(eye(size, k=k, dtype="bool"), expand_dims(column, 1), as_value(0, x.dtype))


def diagflat(x: ArrayLike, k: int = 0) -> Tensor:
    """The matrix with the elements of `x`, flattened, on the diagonal `k` positions above the main one.

    ArgumentError for a `k` that is no whole number.

    >>> import tarazu as tz
    >>> tz.diagflat(tz.tensor([[1], [2]]))
    Tensor([[1, 0],
            [0, 2]], dtype=int64)
    """
    return diag(reshape(x, -1), k)


def tril_indices(rows: int, columns: int | None = None, *, k: int = 0) -> tuple[Tensor, Tensor]:
    """The row and column indices of the elements on and below the diagonal `k` positions above the main one.

    Row by row; square without `columns`. ArgumentError for sizes below 0 or no whole numbers.

    >>> import tarazu as tz
    >>> x = tz.tensor([[1, 2], [3, 4]])
    >>> x[tz.tril_indices(2)]
    Tensor([1, 3, 4], dtype=int64)
    """
    rows, columns = _sizes("tril_indices", rows, columns)
    return _indices(np.tri(rows, columns, k, bool))


def triu_indices(rows: int, columns: int | None = None, *, k: int = 0) -> tuple[Tensor, Tensor]:
    """The row and column indices of the elements on and above the diagonal `k` positions above the main one.

    Row by row; square without `columns`. ArgumentError for sizes below 0 or no whole numbers.

    >>> import tarazu as tz
    >>> tz.triu_indices(2)
    (Tensor([0, 0, 1], dtype=int64), Tensor([0, 1, 1], dtype=int64))
    """
    rows, columns = _sizes("triu_indices", rows, columns)
    return _indices(~np.tri(rows, columns, k - 1, bool))


def _sizes(name: str, rows: int, columns: int | None) -> tuple[int, int]:
    rows = whole_number(f"{name}: rows={rows!r}", rows, least=0)
    return rows, rows if columns is None else whole_number(f"{name}: columns={columns!r}", columns, least=0)


def _indices(is_inside: np.ndarray) -> tuple[Tensor, Tensor]:
    rows, columns = np.nonzero(is_inside)
    return as_value(rows), as_value(columns)
