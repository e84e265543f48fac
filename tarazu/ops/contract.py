"""Products that sum over shared axes."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.type_rules.checks import broadcast_shapes
from tarazu.ops.elementwise import multiply
from tarazu.ops.promote import as_number, same_dtype
from tarazu.ops.shape import broadcast_to, normalize_axis, reshape

AxisPairs = tuple[tuple[int, ...], tuple[int, ...]]


def dot_general(x: Any, y: Any, contract: AxisPairs, batch: AxisPairs = ((), ())) -> Any:
    """The sum of products over the `contract` axes, for each index of the `batch` axes; (of x, of y) in both.

    The result has the batch axes, then the other axes of `x`, then those of `y`.
    """
    x, y = same_dtype(x, y)
    return bind(ops.DOT, as_number(x), as_number(y), contract=contract, batch=batch)


def matmul(x: Any, y: Any) -> Any:
    """The matrix product of the last two axes; those before them broadcast, and a vector counts as a row or column.

    >>> import tarazu as tz
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


def tensordot(x: Any, y: Any, axes: int | tuple[Any, Any] = 2) -> Any:
    """The sum of products over pairs of axes: the last `axes` of `x` with the first of `y`, or the two named lists."""
    x, y = same_dtype(x, y)
    rank_x, rank_y = len(x.shape), len(y.shape)
    first, second = (range(rank_x - axes, rank_x), range(axes)) if isinstance(axes, int) else axes
    return dot_general(x, y, (tuple(normalize_axis(a, rank_x, "tensordot") for a in first),
                              tuple(normalize_axis(a, rank_y, "tensordot") for a in second)))


def outer(x: Any, y: Any) -> Any:
    """Every product of an element of the vector `x` with one of the vector `y`."""
    x, y = same_dtype(x, y)
    return multiply(reshape(x, (-1, 1)), reshape(y, (1, -1)))
