"""Where things are: what is not 0, values in a sorted vector or a set; and the steps between neighbors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.base import dtypes
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
from tarazu.ops.shape import Axes, concat, expand_dims, normalize_axis, reshape, slice_axis


def nonzero(x: Any) -> tuple[Any, ...]:
    """The indices, per axis, of the elements that are not 0, in row-major order; not inside a traced function.

    >>> import tarazu as tz
    >>> tz.nonzero(tz.tensor([0, 5, 7]))[0]
    Tensor([1, 2], dtype=int64)
    """
    x = as_value(x)
    if not x.shape:
        raise ShapeError("nonzero of a tensor without axes", expected="at least one axis",
                         fix="compare it with 0: x != 0")
    return tuple(as_value(indices) for indices in np.nonzero(np.asarray(truth(x))))


def count_nonzero(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """How many elements are not 0, over all axes or the given ones.

    >>> import tarazu as tz
    >>> tz.count_nonzero(tz.tensor([[0, 5], [7, 1]]), axis=0)
    Tensor([1, 2], dtype=int64)
    """
    return sum(truth(x), axis, keepdims=keepdims)


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """The places in the sorted vector `x1` at which each of `x2` would have to be put in to keep it sorted.

    `side` says whether before ("left") or after ("right") equal elements; `sorter` is the order that sorts `x1` if it
    is not sorted, as `argsort` gives it. Takes a step per bit of the size of `x1`.

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


def _bisected(x: Any, values: Any, *, is_right: bool) -> Any:
    """By bisection of all values at once; nan counts as larger than every number."""
    low = zeros_like(values, dtype=dtypes.DEFAULT_INT)
    high = add(low, x.shape[0])
    for _ in range(x.shape[0].bit_length()):
        middle = bitwise_right_shift(add(low, high), 1)
        is_open = less(low, high)
        pivot = gather(x, {0: where(is_open, middle, 0)})
        is_after = _not_after(pivot, values) if is_right else _before(pivot, values)
        low = where(logical_and(is_open, is_after), add(middle, 1), low)
        high = where(logical_and(is_open, logical_not(is_after)), middle, high)
    return low


def _before(x: Any, y: Any) -> Any:
    if not x.dtype.is_float:
        return less(x, y)
    return where(equal(x, x), where(equal(y, y), less(x, y), True), False)


def _not_after(x: Any, y: Any) -> Any:
    return less_equal(x, y) if not x.dtype.is_float else logical_not(_before(y, x))


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Any:
    """Whether each element of `x1` is equal to one of `x2`; nan is equal to nothing.

    >>> import tarazu as tz
    >>> tz.isin(tz.tensor([1, 2, 3]), tz.tensor([3, 1]))
    Tensor([ True, False,  True], dtype=bool)
    """
    x, candidates = same_dtype(x1, x2)
    candidates = reshape(candidates, -1)
    if candidates.shape[0] == 0 or x.dtype.kind == "complex":  # complex numbers have no order
        found = any(equal(expand_dims(x, -1), candidates), -1)
    else:
        ordered = sort(candidates)
        place = minimum(searchsorted(ordered, x), ordered.shape[0] - 1)
        found = equal(gather(ordered, {0: place}), x)
    return logical_not(found) if invert else found


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """The difference of each element to the one before it along an axis, `n` times over.

    `prepend` and `append` are put before and after `x` first.

    >>> import tarazu as tz
    >>> tz.diff(tz.tensor([1, 4, 9, 16]), n=2)
    Tensor([2, 2], dtype=int64)
    """
    x = as_value(x)
    if n < 0:
        raise ArgumentError(f"diff: n={n}", expected="n of at least 0", fix="for sums use tz.cumulative_sum")
    place = normalize_axis(axis, len(x.shape), "diff")
    parts = [part for part in (prepend, x, append) if part is not None]
    x = concat(parts, place) if len(parts) > 1 else x
    for _ in range(min(n, x.shape[place])):
        size = x.shape[place]
        later, earlier = slice_axis(x, place, 1, size), slice_axis(x, place, 0, size - 1)
        x = not_equal(later, earlier) if x.dtype.kind == "bool" else subtract(later, earlier)
    return x
