"""Reading and replacing parts of a tensor: `x[key]`, `x[key] = y`, take, gather and scatter.

A key becomes at most one SLICE, FLIP and RESHAPE for its basic parts and one GATHER for its index tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base.errors import ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind, state
from tarazu.ir.types import Shape
from tarazu.ops.create import arange
from tarazu.ops.indexing.key import Index, Key, as_indices, parse
from tarazu.ops.promote import HALF, as_value, cast, single
from tarazu.ops.shape import broadcast_to, flip, normalize_axis, permute_dims, reshape
from tarazu.ops.typing import ArrayLike, Tensor


def getitem(x: Tensor, key: Index | tuple[Index, ...]) -> Tensor:
    """x[key], by numbers, slices, None, ..., tensors or lists of integers, and boolean tensors."""
    parsed = parse(x.shape, key)
    out = x
    if parsed.cut is not None:
        start, stop, step = parsed.cut
        out = state.interpreter.bind(ops.SLICE, (out,), {"start": start, "stop": stop, "step": step})
    if parsed.flipped:
        out = flip(out, parsed.flipped)
    if out.shape != parsed.shape or out is x:
        out = state.interpreter.bind(ops.RESHAPE, (out,), {"shape": parsed.shape})
    if not parsed.tensors:
        return out
    return _move_index_axes(gather(out, parsed.tensors), parsed)


def _move_index_axes(gathered: Tensor, key: Key) -> Tensor:
    """Put the index axes where the index tensors stood, if side by side; else leave them first, as NumPy does."""
    if not key.is_together:
        return gathered
    axes = list(key.tensors)
    width = len(gathered.shape) - len(key.shape) + len(axes)
    before, rest = axes[0], len(gathered.shape)
    return permute_dims(gathered, (*range(width, width + before), *range(width), *range(width + before, rest)))


def setitem(x: Tensor, key: Index | tuple[Index, ...], value: ArrayLike) -> Tensor:
    """A tensor like `x` with the elements that `key` names replaced by `value`."""
    positions = getitem(reshape(arange(math.prod(x.shape)), x.shape), key)
    updates = broadcast_to(cast(as_value(value, x.dtype), x.dtype), positions.shape)
    flat = scatter_set(reshape(x, -1), updates, (positions,), (0,))
    return reshape(flat, x.shape)


def gather(x: Tensor, tensors: dict[int, Tensor]) -> Tensor:
    """The elements at the given indices, by axis; the axes of the index tensors come first in the result."""
    return bind(ops.GATHER, x, *tensors.values(), axes=tuple(tensors))


def scatter_add(x: ArrayLike, updates: ArrayLike, indices: Sequence[ArrayLike], axes: tuple[int, ...]) -> Tensor:
    """`x` with `updates` added at the indices; where an index stands twice, both are added.

    `indices[i]` are integers for axis `axes[i]` of `x`. `updates` has the shape to which they broadcast, then the sizes
    of the other axes: ShapeError if it has not, DTypeError for another dtype than that of `x`, OutOfRangeError for an
    index that its axis lacks.

    >>> import tarazu as tz
    >>> tz.scatter_add(tz.zeros(3), tz.tensor([1.0, 2.0, 4.0]), (tz.tensor([0, 2, 0]),), (0,))
    Tensor([5., 0., 2.], dtype=float32)
    """
    x, updates = as_value(x), as_value(updates)
    if x.dtype in HALF and updates.dtype is x.dtype:  # many are added
        return cast(scatter_add(single(x), single(updates), indices, axes), x.dtype)
    return bind(ops.SCATTER_ADD, x, updates, *map(as_indices, indices), axes=axes)


def scatter_set(x: ArrayLike, updates: ArrayLike, indices: Sequence[ArrayLike], axes: tuple[int, ...]) -> Tensor:
    """`x` with the elements at the indices replaced by `updates`; where an index stands twice, the last one counts.

    `indices[i]` are integers for axis `axes[i]` of `x`. `updates` has the shape to which they broadcast, then the sizes
    of the other axes: ShapeError if it has not, DTypeError for another dtype than that of `x`, OutOfRangeError for an
    index that its axis lacks.

    >>> import tarazu as tz
    >>> tz.scatter_set(tz.zeros(2, 2), tz.tensor([5.0, 7.0]), (tz.tensor([0, 1]), tz.tensor([1, 0])), (0, 1))
    Tensor([[0., 5.],
            [7., 0.]], dtype=float32)
    """
    return bind(ops.SCATTER_SET, as_value(x), as_value(updates), *map(as_indices, indices), axes=axes)


def take(x: ArrayLike, indices: ArrayLike, axis: int = 0) -> Tensor:
    """The slices of `x` along an axis that `indices` name, in their order.

    The axes of `indices` stand in the result where the axis was. Negative indices count from the end. OutOfRangeError
    for one that the axis lacks, DTypeError for indices that are no integers, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.take(tz.tensor([10, 20, 30]), tz.tensor([2, 0]))
    Tensor([30, 10], dtype=int64)
    """
    x, indices = as_value(x), as_indices(indices)
    axis = normalize_axis(axis, len(x.shape), "take")
    taken = gather(x, {axis: indices})
    width = len(indices.shape)
    return permute_dims(taken, (*range(width, width + axis), *range(width), *range(width + axis, len(taken.shape))))


def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int = -1) -> Tensor:
    """For each position of `indices` the element of `x` there, but with that index along the axis.

    `indices` has as many axes as `x`; on the other axes the two broadcast, and the result has the size of `indices`
    along the axis. ShapeError for another number of axes or sizes that do not broadcast, OutOfRangeError for an index
    that the axis lacks, DTypeError for indices that are no integers, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> x = tz.tensor([[3.0, 1.0], [2.0, 4.0]])
    >>> tz.take_along_axis(x, tz.argsort(x, axis=1), axis=1)
    Tensor([[1., 3.],
            [2., 4.]], dtype=float32)
    """
    x, indices = as_value(x), as_indices(indices)
    rank = len(x.shape)
    axis = normalize_axis(axis, rank, "take_along_axis")
    _require_alike_beside(x.shape, indices.shape, axis)
    grid: dict[int, Tensor] = {}
    for i, size in enumerate(x.shape):
        grid[i] = indices if i == axis else reshape(arange(size), (1,) * i + (-1,) + (1,) * (rank - i - 1))
    return gather(x, grid)


def _require_alike_beside(shape: Shape, indices: Shape, axis: int) -> None:
    fit = len(indices) == len(shape) and all(
        i == axis or 1 in (n, m) or n == m for i, (n, m) in enumerate(zip(shape, indices, strict=True)))
    if not fit:
        raise ShapeError(f"take_along_axis: indices of shape {indices} along axis {axis} of shape {shape}",
                         expected="as many axes, with sizes beside that axis that are equal or 1",
                         fix="tz.take takes the same indices everywhere")
