"""Products that sum over shared axes: matrix products, and tensor products over any axes."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.base.errors import ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.type_rules.checks import broadcast_shapes
from tarazu.ops.elementwise import multiply
from tarazu.ops.promote import as_number, same_dtype
from tarazu.ops.shape import broadcast_to, normalize_axis, reshape
from tarazu.ops.typing import ArrayLike, Tensor

AxisPairs = tuple[tuple[int, ...], tuple[int, ...]]


def dot_general(x: ArrayLike, y: ArrayLike, contract: AxisPairs, batch: AxisPairs = ((), ())) -> Tensor:
    """The sum of products over the `contract` axes, for each index of the `batch` axes; (of x, of y) in both.

    The result has the batch axes, then the other axes of `x`, then those of `y`.
    """
    x, y = same_dtype(x, y)
    return bind(ops.DOT, as_number(x), as_number(y), contract=contract, batch=batch)


def matmul(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The matrix product: (..., m, k) with (..., k, n) gives (..., m, n), where the leading axes broadcast.

    A vector counts as a row on the left and as a column on the right, and the result lacks that axis. ShapeError for
    scalars, for sizes k that differ and for leading axes that do not broadcast.

    >>> import tarazu as tz
    >>> tz.matmul(tz.tensor([[1, 2], [3, 4]]), tz.tensor([10, 1]))
    Tensor([12, 34], dtype=int64)
    >>> (tz.ones((4, 2, 3)) @ tz.ones((3, 5))).shape
    (4, 2, 5)
    """
    x, y = same_dtype(x, y)
    if not x.shape or not y.shape:
        raise ShapeError(f"matmul: shapes {x.shape} and {y.shape}", expected="at least one axis on both sides",
                         fix="use * to multiply by a scalar")
    rows, columns = len(x.shape), len(y.shape)
    if x.shape[-1] != y.shape[-2 if columns > 1 else 0]:
        raise ShapeError(f"matmul: shapes {x.shape} and {y.shape} do not fit together",
                         expected=f"{x.shape[-1]} rows on the right, as many as the left has columns",
                         fix="transpose one of them: x.mT swaps the last two axes")
    if columns <= 2:  # the leading axes of x stay as they are
        return dot_general(x, y, ((rows - 1,), (max(columns - 2, 0),)))
    if rows == 1:
        return dot_general(x, y, ((0,), (columns - 2,)))
    lead = broadcast_shapes("matmul", x.shape[:-2], y.shape[:-2])
    x, y = broadcast_to(x, lead + x.shape[-2:]), broadcast_to(y, lead + y.shape[-2:])
    n = len(lead)
    return dot_general(x, y, ((n + 1,), (n,)), (tuple(range(n)), tuple(range(n))))


def tensordot(x: ArrayLike, y: ArrayLike, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """The sum of products over pairs of axes: the last `axes` of `x` with the first of `y`, or two lists of axes.

    The result has the other axes of `x`, then those of `y`. AxisError for an axis that a tensor lacks, ShapeError for
    axes of different sizes or lists of different lengths.

    >>> import tarazu as tz
    >>> tz.tensordot(tz.ones(2, 3, 4), tz.ones(3, 4, 5)).shape
    (2, 5)
    >>> tz.tensordot(tz.ones(2, 3, 4), tz.ones(4, 5, 2), axes=([0, 2], [2, 0])).shape
    (3, 5)
    """
    x, y = same_dtype(x, y)
    rank_x, rank_y = len(x.shape), len(y.shape)
    first, second = (range(rank_x - axes, rank_x), range(axes)) if isinstance(axes, int) else axes
    return dot_general(x, y, (tuple(normalize_axis(a, rank_x, "tensordot") for a in first),
                              tuple(normalize_axis(a, rank_y, "tensordot") for a in second)))


def outer(x: ArrayLike, y: ArrayLike) -> Tensor:
    """Every product of an element of the vector `x` (m) with one of the vector `y` (n), a matrix (m, n).

    Tensors of several axes are flattened first.

    >>> import tarazu as tz
    >>> tz.outer(tz.tensor([1, 2]), tz.tensor([3, 4, 5]))
    Tensor([[ 3,  4,  5],
            [ 6,  8, 10]], dtype=int64)
    """
    x, y = same_dtype(x, y)
    return multiply(reshape(x, (-1, 1)), reshape(y, (1, -1)))
