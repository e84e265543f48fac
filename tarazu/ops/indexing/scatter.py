"""Rows and elements added, replaced or reduced at given indices along one axis, with the arguments of torch.

Each gives a new tensor; `x` stays. Indices may be negative, counting from the end. OutOfRangeError for an index that
the axis lacks, DTypeError for indices that are no integers and for updates of another dtype than that of `x`, AxisError
for an axis that `x` lacks.
"""

from __future__ import annotations

import math

from tarazu.base.checks import flag
from tarazu.base.dtypes import DEFAULT_INT
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.types import Shape
from tarazu.ops.create import arange, full_like
from tarazu.ops.elementwise import add, divide, floor_divide, greater, maximum, minimum, multiply, where
from tarazu.ops.indexing.index import gather, scatter_add, scatter_set
from tarazu.ops.indexing.key import as_indices
from tarazu.ops.indexing.segments import largest_of, segment_max, segment_min, segment_prod, segment_sum, smallest_of
from tarazu.ops.promote import as_value, cast
from tarazu.ops.shape import broadcast_to, moveaxis, normalize_axis, reshape
from tarazu.ops.typing import ArrayLike, Tensor


def index_add(x: ArrayLike, axis: int, indices: ArrayLike, updates: ArrayLike, *, alpha: float = 1) -> Tensor:
    """`x` with `alpha` times the slices of `updates` added to its slices at the indices along an axis.

    `indices` is a vector (n); `updates` broadcasts to the shape of `x` with n in place of the axis. Where an index
    stands twice, both are added. ShapeError for other shapes, OutOfRangeError for an index that the axis lacks.

    >>> import tarazu as tz
    >>> tz.index_add(tz.zeros(3, 2), 0, tz.tensor([0, 2, 0]), tz.ones(3, 2))
    Tensor([[2., 2.],
            [0., 0.],
            [1., 1.]], dtype=float32)
    """
    x, axis, vector, rows = _rows("index_add", x, axis, indices, updates)
    return scatter_add(x, rows if alpha == 1 else cast(multiply(rows, alpha), x.dtype), (vector,), (axis,))


def index_copy(x: ArrayLike, axis: int, indices: ArrayLike, updates: ArrayLike) -> Tensor:
    """`x` with its slices at the indices along an axis replaced by those of `updates`, the last one of equal indices.

    Shapes and errors (ShapeError, OutOfRangeError) as in `index_add`.

    >>> import tarazu as tz
    >>> tz.index_copy(tz.zeros(3), 0, tz.tensor([2, 0]), tz.tensor([5.0, 7.0]))
    Tensor([7., 0., 5.], dtype=float32)
    """
    x, axis, vector, rows = _rows("index_copy", x, axis, indices, updates)
    return scatter_set(x, rows, (vector,), (axis,))


def index_fill(x: ArrayLike, axis: int, indices: ArrayLike, value: ArrayLike) -> Tensor:
    """`x` with its slices at the indices along an axis filled with one value, in the dtype of `x`.

    ShapeError for indices that are no vector, OutOfRangeError for one that the axis lacks.

    >>> import tarazu as tz
    >>> tz.index_fill(tz.tensor([[1, 2], [3, 4]]), 1, tz.tensor([0]), -1)
    Tensor([[-1,  2],
            [-1,  4]], dtype=int64)
    """
    x = as_value(x)
    return index_copy(x, axis, indices, cast(as_value(value, x.dtype), x.dtype))


def _rows(name: str, x: ArrayLike, axis: int, indices: ArrayLike,
          updates: ArrayLike) -> tuple[Tensor, int, Tensor, Tensor]:
    """The tensor, the axis counted from the front, the indices, and the updates with that axis moved to the front."""
    x, vector = as_value(x), as_indices(indices)
    axis = normalize_axis(axis, len(x.shape), name)
    if len(vector.shape) != 1:
        raise ShapeError(f"{name}: indices of shape {vector.shape}", expected="a vector",
                         fix="tz.scatter takes an index for each element")
    shape = (*x.shape[:axis], vector.shape[0], *x.shape[axis + 1:])
    return x, axis, vector, moveaxis(broadcast_to(as_value(updates, x.dtype), shape), axis, 0)


def scatter(x: ArrayLike, axis: int, indices: ArrayLike, updates: ArrayLike) -> Tensor:
    """`x` with the elements of `updates` put at their own positions, but with the given index along the axis.

    The reverse of `take_along_axis`. `indices` has as many axes as `x` and beside the axis at most its sizes; `updates`
    broadcasts to the shape of `indices`. Of several updates of one element the last one counts. ShapeError for other
    shapes, OutOfRangeError for an index that the axis lacks.

    >>> import tarazu as tz
    >>> tz.scatter(tz.zeros(2, 3), 1, tz.tensor([[2], [0]]), 1.0)
    Tensor([[0., 0., 1.],
            [1., 0., 0.]], dtype=float32)
    """
    x, indices = as_value(x), as_indices(indices)
    grid = _grid("scatter", x.shape, axis, indices)
    return scatter_set(x, broadcast_to(as_value(updates, x.dtype), indices.shape), grid, tuple(range(len(x.shape))))


def _grid(name: str, shape: Shape, axis: int, indices: Tensor) -> list[Tensor]:
    """The indices for every axis of a tensor of the given shape: those along `axis`, and the own ones beside it."""
    rank = len(shape)
    axis = normalize_axis(axis, rank, name)
    if len(indices.shape) != rank or any(
            n > m for i, (n, m) in enumerate(zip(indices.shape, shape, strict=True)) if i != axis):
        raise ShapeError(f"{name}: indices of shape {indices.shape} along axis {axis} of shape {shape}",
                         expected="as many axes, and beside that axis sizes that are not larger",
                         fix="tz.index_add and tz.index_copy take the same indices everywhere")
    return [indices if i == axis else reshape(arange(n), (1,) * i + (-1,) + (1,) * (rank - i - 1))
            for i, n in enumerate(indices.shape)]


_REDUCTIONS = {  # what an element without updates gets, the reduction of updates, and that of two numbers
    "sum": (lambda dtype: 0, segment_sum, add),
    "prod": (lambda dtype: 1, segment_prod, multiply),
    "mean": (lambda dtype: 0, segment_sum, add),
    "amax": (smallest_of, segment_max, maximum),
    "amin": (largest_of, segment_min, minimum),
}


def scatter_reduce(x: ArrayLike, axis: int, indices: ArrayLike, updates: ArrayLike, reduce: str, *,
                   include_self: bool = True) -> Tensor:
    """`x` with the elements of `updates` combined into it, each at its own position but with its index along the axis.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; of all updates of an element and, unless `include_self` is
    False, the element itself. Shapes and errors (ShapeError, OutOfRangeError) as in `scatter`; ArgumentError for
    another `reduce`.

    >>> import tarazu as tz
    >>> x, i, u = tz.tensor([1.0, 2.0]), tz.tensor([0, 0, 1]), tz.tensor([5.0, 3.0, 1.0])
    >>> tz.scatter_reduce(x, 0, i, u, "amax"), tz.scatter_reduce(x, 0, i, u, "mean", include_self=False)
    (Tensor([5., 2.], dtype=float32), Tensor([4., 1.], dtype=float32))
    """
    if reduce not in _REDUCTIONS:
        raise ArgumentError(f"scatter_reduce: reduce={reduce!r}", expected=f"one of {', '.join(_REDUCTIONS)}",
                            fix='pass for example reduce="sum"')
    x, indices = as_value(x), as_indices(indices)
    grid = _grid("scatter_reduce", x.shape, axis, indices)
    size = math.prod(x.shape)
    positions = reshape(gather(reshape(arange(size), x.shape), dict(enumerate(grid))), -1)
    numbers = reshape(broadcast_to(as_value(updates, x.dtype), indices.shape), -1)
    counts = segment_sum(full_like(positions, 1, dtype=DEFAULT_INT), positions, size)
    neutral, of_segments, combine = _REDUCTIONS[reduce]
    own, flat = int(flag("include_self", include_self)), reshape(x, -1)
    start = flat if own else where(greater(counts, 0), as_value(neutral(x.dtype), x.dtype), flat)
    result = combine(start, of_segments(numbers, positions, size))
    if reduce == "mean":
        number = maximum(add(counts, own), 1)
        result = divide(result, cast(number, x.dtype)) if x.dtype.is_inexact else floor_divide(result, number)
    return reshape(cast(result, x.dtype), x.shape)
