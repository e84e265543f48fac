"""Reductions of the rows that have the same number: sums, products, largest and smallest elements by segment.

For `x` (n, ...) and `segments` (n), whole numbers from 0 up to but not with `num_segments`, in any order, the result is
(num_segments, ...). Negative numbers count from the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tarazu.base.dtypes import DType
from tarazu.base.errors import ShapeError
from tarazu.ops.control_flow.associative import associative_scan
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.create import arange, full
from tarazu.ops.dtype_functions import iinfo
from tarazu.ops.elementwise import (
    divide,
    equal,
    logical_or,
    maximum,
    minimum,
    multiply,
    not_equal,
    subtract,
    where,
)
from tarazu.ops.indexing.index import gather, scatter_add, take
from tarazu.ops.indexing.key import as_indices
from tarazu.ops.indexing.searching import searchsorted
from tarazu.ops.indexing.sorting import argsort
from tarazu.ops.promote import as_value, cast
from tarazu.ops.shape import broadcast_to, concat, reshape, slice_axis
from tarazu.ops.typing import ArrayLike, Tensor

Combine = Callable[[ArrayLike, ArrayLike], Tensor]


def segment_sum(x: ArrayLike, segments: ArrayLike, num_segments: int) -> Tensor:
    """The sums of the rows of `x` with the same number in `segments`, from 0 up to but not with `num_segments`.

    For `x` (n, ...) and `segments` (n) the result is (num_segments, ...), 0 for a number that does not occur.
    ShapeError unless there is a number for each row, OutOfRangeError for one out of range, DTypeError for what is no
    integer.

    >>> import tarazu as tz
    >>> tz.segment_sum(tz.tensor([1.0, 2.0, 4.0]), tz.tensor([0, 2, 0]), 3)
    Tensor([5., 0., 2.], dtype=float32)
    """
    x, segments = _checked("segment_sum", x, segments)
    zeros = broadcast_to(as_value(0, x.dtype), (num_segments, *x.shape[1:]))
    return scatter_add(zeros, x, (segments,), (0,))


def segment_prod(x: ArrayLike, segments: ArrayLike, num_segments: int) -> Tensor:
    """The products of the rows of `x` with the same number in `segments`; 1 for a number that does not occur.

    Shapes and errors (ShapeError, OutOfRangeError, DTypeError) as in `segment_sum`.

    >>> import tarazu as tz
    >>> tz.segment_prod(tz.tensor([3.0, 2.0, 4.0]), tz.tensor([0, 2, 0]), 3)
    Tensor([12.,  1.,  2.], dtype=float32)
    """
    x, segments = _checked("segment_prod", x, segments)
    return _by_segment(x, _numbers(segments, num_segments), num_segments, multiply, 1)


def segment_max(x: ArrayLike, segments: ArrayLike, num_segments: int) -> Tensor:
    """The largest of the rows of `x` with the same number in `segments`, element by element; nan if one is.

    For a number that does not occur it is -inf, or the smallest integer. Shapes and errors (ShapeError,
    OutOfRangeError, DTypeError) as in `segment_sum`.

    >>> import tarazu as tz
    >>> tz.segment_max(tz.tensor([1.0, 2.0, 4.0]), tz.tensor([0, 2, 0]), 3)
    Tensor([  4., -inf,   2.], dtype=float32)
    """
    x, segments = _checked("segment_max", x, segments)
    return _segment_max(x, _numbers(segments, num_segments), num_segments=num_segments)


def segment_min(x: ArrayLike, segments: ArrayLike, num_segments: int) -> Tensor:
    """The smallest of the rows of `x` with the same number in `segments`, element by element; nan if one is.

    For a number that does not occur it is inf, or the largest integer. Shapes and errors (ShapeError, OutOfRangeError,
    DTypeError) as in `segment_sum`.

    >>> import tarazu as tz
    >>> tz.segment_min(tz.tensor([1.0, 2.0, 4.0]), tz.tensor([0, 2, 0]), 3)
    Tensor([ 1., inf,  2.], dtype=float32)
    """
    x, segments = _checked("segment_min", x, segments)
    return _segment_min(x, _numbers(segments, num_segments), num_segments=num_segments)


def _checked(name: str, x: ArrayLike, segments: ArrayLike) -> tuple[Tensor, Tensor]:
    x, segments = as_value(x), as_value(segments)
    if segments.shape != x.shape[:1]:
        raise ShapeError(f"{name}: segments of shape {segments.shape} for rows of shape {x.shape}",
                         expected=f"shape {x.shape[:1]}, one segment per row", fix="give each row its segment")
    return x, as_indices(segments)


def _numbers(segments: Tensor, num_segments: int) -> Tensor:
    """The numbers of the segments counted from the front, in int64; checked as indices are."""
    return gather(arange(num_segments), {0: segments})


def smallest_of(dtype: DType) -> float:
    """What is below all other numbers of a dtype."""
    return -math.inf if dtype.is_inexact else iinfo(dtype).min if dtype.is_integer else False


def largest_of(dtype: DType) -> float:
    """What is above all other numbers of a dtype."""
    return math.inf if dtype.is_inexact else iinfo(dtype).max if dtype.is_integer else True


def _by_segment(x: Tensor, numbers: Tensor, num_segments: int, combine: Combine, neutral: float) -> Tensor:
    """The rows of each segment, combined: sorted by segment, a running result that begins anew with each of them."""
    filler = full((num_segments, *x.shape[1:]), as_value(neutral, x.dtype))
    if x.shape[0] == 0 or num_segments == 0:
        return filler
    order = argsort(numbers)
    ordered, rows = take(numbers, order), take(x, order)
    size = x.shape[0]
    starts = concat([full(1, True), not_equal(slice_axis(ordered, 0, 1, size), slice_axis(ordered, 0, 0, size - 1))])
    starts = reshape(starts, (size,) + (1,) * (len(x.shape) - 1))

    def join(before: tuple[Tensor, Tensor], after: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return logical_or(before[0], after[0]), where(after[0], after[1], combine(before[1], after[1]))

    running = associative_scan(join, (starts, rows))[1]
    ends, begins = (searchsorted(ordered, arange(num_segments), side=side) for side in ("right", "left"))
    is_there = reshape(not_equal(ends, begins), (num_segments,) + (1,) * (len(x.shape) - 1))
    return where(is_there, take(running, maximum(subtract(ends, 1), 0)), filler)


def _shared(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
            needed: Sequence[bool], *, num_segments: int) -> list[Tensor | None]:
    """The gradient of an extreme by segment: equal shares to the elements that are equal to it."""
    x, numbers = inputs
    is_extreme = cast(equal(x, take(outputs[0], numbers)), x.dtype)
    count = maximum(segment_sum(is_extreme, numbers, num_segments), 1)
    return [multiply(is_extreme, take(divide(cotangents[0], count), numbers)), None]


@composite("segment_max", gradient=_shared)
def _segment_max(x: Tensor, numbers: Tensor, *, num_segments: int) -> Tensor:
    return _by_segment(x, numbers, num_segments, maximum, smallest_of(x.dtype))


@composite("segment_min", gradient=_shared)
def _segment_min(x: Tensor, numbers: Tensor, *, num_segments: int) -> Tensor:
    return _by_segment(x, numbers, num_segments, minimum, largest_of(x.dtype))
