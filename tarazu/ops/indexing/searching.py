"""Search: elements that are not 0, positions in a sorted vector, members of a set."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base import dtypes
from tarazu.base.checks import flag
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.create import arange, zeros_like
from tarazu.ops.elementwise import (
    add,
    bitwise_right_shift,
    equal,
    floor_divide,
    less,
    less_equal,
    logical_and,
    logical_not,
    minimum,
    remainder,
    truth,
    where,
)
from tarazu.ops.indexing.index import gather, take
from tarazu.ops.indexing.key import as_indices
from tarazu.ops.indexing.sorting import sort
from tarazu.ops.promote import as_value, same_dtype
from tarazu.ops.reduce import any, sum
from tarazu.ops.shape import expand_dims, normalize_shape, reshape
from tarazu.ops.typing import ArrayLike, Axes, ShapeLike, Tensor


def nonzero(x: ArrayLike) -> tuple[Tensor, ...]:
    """The indices, per axis, of the elements that are not 0, in row-major order.

    ShapeError for a tensor without axes, TraceError inside a traced function, as the number depends on the data.

    >>> import tarazu as tz
    >>> rows, columns = tz.nonzero(tz.tensor([[0, 5], [7, 0]]))
    >>> rows, columns
    (Tensor([0, 1], dtype=int64), Tensor([1, 0], dtype=int64))
    """
    x = as_value(x)
    if not x.shape:
        raise ShapeError("nonzero of a tensor without axes", expected="at least one axis",
                         fix="compare it with 0: x != 0")
    return tuple(as_value(indices) for indices in np.nonzero(np.asarray(truth(x))))


def argwhere(x: ArrayLike) -> Tensor:
    """The indices of the elements that are not 0 as rows, (number, axes), in row-major order.

    TraceError inside a traced function, as the number depends on the data.

    >>> import tarazu as tz
    >>> tz.argwhere(tz.tensor([[0, 5], [7, 0]]))
    Tensor([[0, 1],
            [1, 0]], dtype=int64)
    """
    return as_value(np.argwhere(np.asarray(truth(x))))


def unravel_index(indices: ArrayLike, shape: ShapeLike) -> tuple[Tensor, ...]:
    """The indices, per axis of a tensor of the given shape, of elements that are named by their place in it, flattened.

    Each has the shape of `indices`; negative ones count from the end. OutOfRangeError for one that such a tensor lacks,
    DTypeError for indices that are no integers.

    >>> import tarazu as tz
    >>> tz.unravel_index(tz.argmax(tz.tensor([[1, 2], [9, 3]])), (2, 2))
    (Tensor(1, dtype=int64), Tensor(0, dtype=int64))
    """
    sizes = normalize_shape(shape, "unravel_index")
    rest = gather(arange(math.prod(sizes)), {0: as_indices(indices)})
    found: list[Tensor] = []
    for size in sizes[::-1]:
        found.insert(0, remainder(rest, size))
        rest = floor_divide(rest, size)
    return tuple(found)


def count_nonzero(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """How many elements are not 0, over all axes or the given ones, as an int64.

    The result has the shape of `x` without those axes; with `keepdims` they stay, of size 1. AxisError for an axis that
    `x` lacks.

    >>> import tarazu as tz
    >>> tz.count_nonzero(tz.tensor([[0, 5], [7, 1]]), axis=0)
    Tensor([1, 2], dtype=int64)
    """
    return sum(truth(x), axis, keepdims=keepdims)


def searchsorted(x1: ArrayLike, x2: ArrayLike, /, *, side: str = "left", sorter: ArrayLike | None = None) -> Tensor:
    """The indices in the sorted vector `x1` at which the elements of `x2` would be inserted to keep it sorted.

    They have the shape of `x2`. `side` says whether they are inserted before ("left") or after ("right") equal
    elements; `sorter` holds the indices that sort `x1` if it is not sorted, as `argsort` gives them. Takes a step per
    bit of the size of `x1`. ArgumentError for another `side`, ShapeError for an `x1` that is no vector.

    >>> import tarazu as tz
    >>> tz.searchsorted(tz.tensor([1, 3, 5]), tz.tensor([3, 9]))
    Tensor([1, 3], dtype=int64)
    """
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side={side!r}", expected='"left" or "right"', fix='pass side="left"')
    x, values = same_dtype(x1, x2)
    if len(x.shape) != 1:
        raise ShapeError(f"searchsorted in a tensor of shape {x.shape}", expected="a vector", fix="flatten it first")
    if sorter is not None:
        x = take(x, sorter)
    return _bisected(x, values, is_right=side == "right")


def _bisected(x: Tensor, values: Tensor, *, is_right: bool) -> Tensor:
    """The indices, by bisection for all values at once; nan counts as larger than every number."""
    low = zeros_like(values, dtype=dtypes.DEFAULT_INT)
    high = add(low, x.shape[0])
    for _ in range(x.shape[0].bit_length()):
        middle = bitwise_right_shift(add(low, high), 1)
        is_open = less(low, high)
        pivot = gather(x, {0: where(is_open, middle, 0)})
        is_after = _is_not_after(pivot, values) if is_right else _is_before(pivot, values)
        low = where(logical_and(is_open, is_after), add(middle, 1), low)
        high = where(logical_and(is_open, logical_not(is_after)), middle, high)
    return low


def _is_before(x: Tensor, y: Tensor) -> Tensor:
    if not x.dtype.is_float:
        return less(x, y)
    return where(equal(x, x), where(equal(y, y), less(x, y), True), False)


def _is_not_after(x: Tensor, y: Tensor) -> Tensor:
    return less_equal(x, y) if not x.dtype.is_float else logical_not(_is_before(y, x))


def isin(x1: ArrayLike, x2: ArrayLike, /, *, invert: bool = False) -> Tensor:
    """Whether each element of `x1` is equal to one of `x2`, in the shape of `x1`; nan is equal to nothing.

    `invert` asks whether it is equal to none.

    >>> import tarazu as tz
    >>> tz.isin(tz.tensor([1, 2, 3]), tz.tensor([3, 1]))
    Tensor([ True, False,  True], dtype=bool)
    """
    x, candidates = same_dtype(x1, x2)
    candidates = reshape(candidates, -1)
    if candidates.shape[0] == 0 or x.dtype.kind == "complex":  # complex numbers have no order
        is_member = any(equal(expand_dims(x, -1), candidates), -1)
    else:
        ordered = sort(candidates)
        index = minimum(searchsorted(ordered, x), ordered.shape[0] - 1)
        is_member = equal(gather(ordered, {0: index}), x)
    return logical_not(is_member) if flag("invert", invert) else is_member
