"""Search: elements that are not 0, positions in a sorted vector, members of a set; and differences of neighbors."""

from __future__ import annotations

import numpy as np

from tarazu.base import dtypes
from tarazu.base.checks import flag, whole_number
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.create import zeros_like
from tarazu.ops.elementwise import (
    add,
    bitwise_right_shift,
    equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    minimum,
    not_equal,
    subtract,
    truth,
    where,
)
from tarazu.ops.indexing.index import gather, take
from tarazu.ops.indexing.sorting import sort
from tarazu.ops.promote import as_value, same_dtype
from tarazu.ops.reduce import any, sum
from tarazu.ops.shape import broadcast_to, concat, expand_dims, normalize_axis, reshape, slice_axis
from tarazu.ops.typing import ArrayLike, Axes, Tensor


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


def diff(x: ArrayLike, /, *, axis: int = -1, n: int = 1, prepend: ArrayLike | None = None,
         append: ArrayLike | None = None) -> Tensor:
    """The difference of each element to the one before it along an axis, `n` times over, which makes it `n` shorter.

    `prepend` and `append`, of as many axes as `x` or numbers, are joined to its ends first; n=0 gives `x` as it is.
    ArgumentError for an n below 0 or no whole number, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.diff(tz.tensor([1, 4, 9, 16]), n=2)
    Tensor([2, 2], dtype=int64)
    """
    x = as_value(x)
    if whole_number(f"diff: n={n!r}", n, least=0, fix="for sums use tz.cumulative_sum") == 0:
        return x
    axis = normalize_axis(axis, len(x.shape), "diff")
    parts = [_as_end(part, x, axis) for part in (prepend, x, append) if part is not None]
    x = concat(parts, axis) if len(parts) > 1 else x
    for _ in range(min(n, x.shape[axis])):
        size = x.shape[axis]
        later, earlier = slice_axis(x, axis, 1, size), slice_axis(x, axis, 0, size - 1)
        x = not_equal(later, earlier) if x.dtype.kind == "bool" else subtract(later, earlier)
    return x


def _as_end(part: ArrayLike, x: Tensor, axis: int) -> Tensor:
    """What is joined to an end of `x`: a number stands for one element, the same everywhere."""
    part = as_value(part)
    if part.shape:
        return part
    return broadcast_to(part, tuple(1 if i == axis else n for i, n in enumerate(x.shape)))
