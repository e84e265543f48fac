"""The same elements in another arrangement: reshaped, with other axes, broadcast, joined, cut, padded, reordered."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Sequence

from tarazu.base.checks import whole_number
from tarazu.base.errors import ArgumentError, AxisError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.type_rules.checks import broadcast_shapes
from tarazu.ir.types import Shape
from tarazu.ops.promote import as_value, cast, promote_all
from tarazu.ops.typing import ArrayLike, Axes, ShapeLike, Tensor


def normalize_axis(axis: int, rank: int, name: str) -> int:
    """`axis` counted from the front; negative ones count from the back. AxisError for one that is out of range."""
    if axis.__class__ is int and 0 <= axis < rank:
        return axis  # nearly always
    try:
        number = operator.index(axis)
    except TypeError:
        raise ArgumentError(f"{name}: axis={axis!r}", expected="an integer", fix="pass for example axis=0") from None
    if not -rank <= number < rank:
        has = f"{rank} axes" if rank != 1 else "1 axis"
        raise AxisError(f"{name}: axis {number} of a tensor with {has}",
                        expected=f"an axis from {-rank} to {rank - 1}" if rank else "no axis: it is a scalar",
                        fix="check the axis against x.shape")
    return number % rank


@functools.cache
def every_axis(rank: int) -> tuple[int, ...]:
    """The axes of a tensor with so many."""
    return tuple(range(rank))


def normalize_axes(axes: Axes, rank: int, name: str) -> tuple[int, ...]:
    """`axes` as a sorted tuple counted from the front; None means all. The axis 0 or -1 of a scalar is no axis."""
    if axes is None:
        return every_axis(rank)
    if axes.__class__ is int and 0 <= axes < rank:
        return (axes,)  # nearly always
    given = axes if isinstance(axes, Sequence) else (axes,)
    if is_axis_of_scalar(given[0] if len(given) == 1 else None, rank):
        return ()
    return tuple(sorted(distinct_axes(given, rank, name)))


def distinct_axes(axes: Sequence[int], rank: int, name: str) -> tuple[int, ...]:
    """The axes in their order, counted from the front; ShapeError for one that is named twice."""
    numbers = tuple([normalize_axis(axis, rank, name) for axis in axes])
    if len(set(numbers)) != len(numbers):
        raise ShapeError(f"{name}: axes {tuple(axes)!r} name one axis twice", expected="each axis once",
                         fix="leave out the second mention")
    return numbers


def is_axis_of_scalar(axis: int | None, rank: int) -> bool:
    """Whether this is the axis 0 or -1 of a tensor without axes, which then counts as a vector of one element: in
    reductions as in NumPy and torch, in sorting as in torch."""
    return rank == 0 and type(axis) is int and axis in (0, -1)


def normalize_shape(shape: ShapeLike, name: str) -> Shape:
    """`shape` as a tuple of sizes; one number is a shape of one axis."""
    try:
        return tuple(map(operator.index, shape if isinstance(shape, (tuple, Iterable)) else (shape,)))
    except TypeError:
        raise ArgumentError(f"{name}: shape {shape!r}", expected="a tuple of integers",
                            fix="write for example (2, 3)") from None


# Shape and axes -------------------------------------------------------------------------------------------------

def reshape(x: ArrayLike, shape: ShapeLike, *, copy: bool | None = None) -> Tensor:
    """`x` with its elements, in row-major order, in another shape; one size may be -1 and is worked out.

    `copy` is there for the array API standard: elements are shared where that is possible. ArgumentError for a shape
    that is not of integers, ShapeError for one that the elements do not fill.

    >>> import tarazu as tz
    >>> tz.reshape(tz.arange(6), (2, -1)).shape
    (2, 3)
    """
    x = as_value(x)
    sizes = normalize_shape(shape, "reshape")
    if sizes.count(-1) == 1 and min(sizes) == -1:
        known = -math.prod(sizes)
        size = math.prod(x.shape)
        if known == 0 or size % known:
            raise ShapeError(f"reshape: {x.shape} with {size} elements does not fit into {sizes}",
                             expected=f"known sizes whose product divides {size}",
                             fix="check the sizes against x.shape")
        sizes = tuple(size // known if n == -1 else n for n in sizes)
    elif min(sizes, default=0) < 0:
        raise ShapeError(f"reshape: shape {sizes}", expected="sizes of at least 0 and at most one -1",
                         fix="give the other sizes as numbers")
    return bind(ops.RESHAPE, x, shape=sizes)


def flatten(x: ArrayLike, start_axis: int = 0) -> Tensor:
    """`x` with its axes from `start_axis` on merged into one, in row-major order.

    A scalar becomes a vector of one element; a `start_axis` behind the last one adds an axis of size 1. AxisError for
    an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.flatten(tz.ones(2, 3, 4)).shape, tz.flatten(tz.ones(2, 3, 4), 1).shape
    ((24,), (2, 12))
    """
    x = as_value(x)
    rank = len(x.shape)
    is_behind = start_axis == rank or is_axis_of_scalar(start_axis, rank)
    start = rank if is_behind else normalize_axis(start_axis, rank, "flatten")
    return reshape(x, (*x.shape[:start], math.prod(x.shape[start:])))


def unflatten(x: ArrayLike, axis: int, shape: ShapeLike) -> Tensor:
    """`x` with one axis unfolded into axes of the given sizes, in row-major order; one size may be -1.

    AxisError for an axis that `x` lacks, ShapeError for sizes whose product is not that of the axis.

    >>> import tarazu as tz
    >>> tz.unflatten(tz.ones(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    x = as_value(x)
    axis = normalize_axis(axis, len(x.shape), "unflatten")
    sizes, size = normalize_shape(shape, "unflatten"), x.shape[axis]
    known = -math.prod(sizes) if sizes.count(-1) == 1 else 0
    sizes = tuple(size // known if n == -1 and known else n for n in sizes)
    if math.prod(sizes) != size or min(sizes, default=0) < 0:
        raise ShapeError(f"unflatten: axis {axis} of size {size} into {shape!r}",
                         expected=f"sizes whose product is {size}, and at most one -1",
                         fix="check the sizes against x.shape")
    return reshape(x, (*x.shape[:axis], *sizes, *x.shape[axis + 1:]))


def permute_dims(x: ArrayLike, axes: int | Sequence[int]) -> Tensor:
    """`x` with its axes in another order: axis i of the result is axis `axes[i]` of `x`.

    AxisError for an axis that `x` lacks, ShapeError unless each axis is named once.

    >>> import tarazu as tz
    >>> tz.permute_dims(tz.ones(2, 3, 4), (2, 0, 1)).shape
    (4, 2, 3)
    """
    x = as_value(x)
    rank = len(x.shape)
    order = axes if axes.__class__ is tuple or isinstance(axes, Iterable) else (axes,)
    return bind(ops.TRANSPOSE, x, permutation=tuple([normalize_axis(axis, rank, "permute_dims") for axis in order]))


def swapaxes(x: ArrayLike, first: int, second: int) -> Tensor:
    """`x` with two axes exchanged; AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.swapaxes(tz.ones(2, 3, 4), 0, -1).shape
    (4, 3, 2)
    """
    x = as_value(x)
    order = list(range(len(x.shape)))
    i, j = (normalize_axis(axis, len(order), "swapaxes") for axis in (first, second))
    order[i], order[j] = order[j], order[i]
    return permute_dims(x, order)


def moveaxis(x: ArrayLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """`x` with the axes `source` moved to the positions `destination`; the other axes keep their order.

    AxisError for an axis that `x` lacks, ShapeError for one that is named twice, ArgumentError for another number of
    positions than of axes.

    >>> import tarazu as tz
    >>> tz.moveaxis(tz.ones(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    x = as_value(x)
    rank = len(x.shape)
    sources, targets = ([normalize_axis(axis, rank, "moveaxis") for axis in
                         (axes if isinstance(axes, Sequence) else [axes])] for axes in (source, destination))
    if len(sources) != len(targets):
        raise ArgumentError(f"moveaxis: axes {source!r} to positions {destination!r}",
                            expected="a position for each axis",
                            fix="pass one number for each, as in tz.moveaxis(x, (0, 1), (1, 2))")
    if len(set(sources)) < len(sources) or len(set(targets)) < len(targets):
        raise ShapeError(f"moveaxis: axes {source!r} to positions {destination!r}", expected="each axis once",
                         fix="leave out the second mention")
    order = [axis for axis in range(rank) if axis not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return permute_dims(x, order)


def matrix_transpose(x: ArrayLike) -> Tensor:
    """`x` (..., m, n) with its last two axes exchanged, (..., n, m); ShapeError for fewer than two axes.

    >>> import tarazu as tz
    >>> tz.matrix_transpose(tz.tensor([[1, 2, 3], [4, 5, 6]]))
    Tensor([[1, 4],
            [2, 5],
            [3, 6]], dtype=int64)
    """
    x = as_value(x)
    if len(x.shape) < 2:
        raise ShapeError(f"matrix_transpose of shape {x.shape}", expected="at least two axes", fix="reshape it first")
    return swapaxes(x, -1, -2)


def expand_dims(x: ArrayLike, axis: int = 0) -> Tensor:
    """`x` with a new axis of size 1 at position `axis` of the result; AxisError for a position out of range.

    >>> import tarazu as tz
    >>> tz.expand_dims(tz.ones(2, 3), 1).shape, tz.expand_dims(tz.ones(2, 3), -1).shape
    ((2, 1, 3), (2, 3, 1))
    """
    x = as_value(x)
    position = normalize_axis(axis, len(x.shape) + 1, "expand_dims")
    return reshape(x, (*x.shape[:position], 1, *x.shape[position:]))


def squeeze(x: ArrayLike, axis: Axes = None) -> Tensor:
    """`x` without the given axes of size 1; without `axis`, without all of them.

    AxisError for an axis that `x` lacks, ShapeError for one of another size.

    >>> import tarazu as tz
    >>> tz.squeeze(tz.ones(1, 3, 1)).shape, tz.squeeze(tz.ones(1, 3, 1), 0).shape
    ((3,), (3, 1))
    """
    x = as_value(x)
    axes = normalize_axes(axis, len(x.shape), "squeeze")
    if axis is None:
        axes = tuple(i for i in axes if x.shape[i] == 1)
    if any(x.shape[i] != 1 for i in axes):
        raise ShapeError(f"squeeze: axis {axis} of shape {x.shape}", expected="axes of size 1",
                         fix="index or reduce that axis")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def broadcast_to(x: ArrayLike, shape: ShapeLike) -> Tensor:
    """`x` repeated along axes of size 1, and along new axes at the left, to `shape`.

    ShapeError where `x` does not broadcast to it.

    >>> import tarazu as tz
    >>> tz.broadcast_to(tz.tensor([1, 2]), (3, 2))
    Tensor([[1, 2],
            [1, 2],
            [1, 2]], dtype=int64)
    """
    return bind(ops.BROADCAST, as_value(x), shape=normalize_shape(shape, "broadcast_to"))


def broadcast_arrays(*tensors: ArrayLike) -> list[Tensor]:
    """The tensors, each repeated to the shape to which all of them broadcast; ShapeError where there is none.

    >>> import tarazu as tz
    >>> [x.shape for x in tz.broadcast_arrays(tz.ones(3), tz.ones(2, 1))]
    [(2, 3), (2, 3)]
    """
    values = [as_value(x) for x in tensors]
    shape = broadcast_shapes("broadcast_arrays", *(x.shape for x in values))
    return [broadcast_to(x, shape) for x in values]


# Joining and cutting --------------------------------------------------------------------------------------------

def concat(tensors: Sequence[ArrayLike], axis: int | None = 0) -> Tensor:
    """The tensors joined along an axis that they have, with the other sizes equal; None flattens them first.

    Their dtypes are promoted to one. ArgumentError for no tensors, ShapeError for shapes that do not fit together,
    AxisError for an axis that they lack; `tz.stack` joins along a new one.

    >>> import tarazu as tz
    >>> tz.concat([tz.tensor([[1, 2]]), tz.tensor([[3, 4], [5, 6]])])
    Tensor([[1, 2],
            [3, 4],
            [5, 6]], dtype=int64)
    """
    values = promote_all([as_value(x) for x in tensors], "concat")
    if axis is None:
        values, axis = [reshape(x, -1) for x in values], 0
    return bind(ops.CONCAT, *values, axis=normalize_axis(axis, len(values[0].shape), "concat"))


def stack(tensors: Sequence[ArrayLike], axis: int = 0) -> Tensor:
    """The tensors, which have one shape, joined along a new axis at position `axis` of the result.

    Their dtypes are promoted to one. ArgumentError for no tensors, ShapeError for several shapes, AxisError for a
    position out of range.

    >>> import tarazu as tz
    >>> tz.stack([tz.tensor([1, 2]), tz.tensor([3, 4])], axis=1)
    Tensor([[1, 3],
            [2, 4]], dtype=int64)
    """
    values = promote_all([as_value(x) for x in tensors], "stack")
    if len({x.shape for x in values}) > 1:
        raise ShapeError(f"stack: shapes {' and '.join(str(x.shape) for x in values)}", expected="one shape",
                         fix="pad or slice them first; tz.concat joins along an axis that is there")
    parts = [expand_dims(x, axis) for x in values]
    return bind(ops.CONCAT, *parts, axis=normalize_axis(axis, len(parts[0].shape), "stack"))


def unstack(x: ArrayLike, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices of `x` along an axis, without that axis, as a tuple; AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.unstack(tz.tensor([[1, 2], [3, 4]]))
    (Tensor([1, 2], dtype=int64), Tensor([3, 4], dtype=int64))
    """
    x = as_value(x)
    axis = normalize_axis(axis, len(x.shape), "unstack")
    return tuple(squeeze(slice_axis(x, axis, i, i + 1), axis) for i in range(x.shape[axis]))


def slice_axis(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    """The part of `x` from `start` up to but not with `stop` along one axis, counted from the front."""
    shape = x.shape
    starts, stops = [0] * len(shape), list(shape)
    starts[axis], stops[axis] = start, stop
    return bind(ops.SLICE, x, start=tuple(starts), stop=tuple(stops), step=(1,) * len(shape))


# Order and repetition -------------------------------------------------------------------------------------------

def flip(x: ArrayLike, axis: Axes = None) -> Tensor:
    """`x` with the order of its elements reversed along the given axes, all without `axis`.

    AxisError for an axis that `x` lacks, ShapeError for one that is named twice.

    >>> import tarazu as tz
    >>> tz.flip(tz.tensor([[1, 2], [3, 4]]), 0)
    Tensor([[3, 4],
            [1, 2]], dtype=int64)
    """
    x = as_value(x)
    return bind(ops.FLIP, x, axes=normalize_axes(axis, len(x.shape), "flip"))


def rot90(x: ArrayLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """`x` turned `k` times by 90 degrees in the plane of two axes, from the first towards the second.

    AxisError for an axis that `x` lacks, ShapeError unless there are two different ones, ArgumentError for a `k` that
    is no whole number.

    >>> import tarazu as tz
    >>> tz.rot90(tz.tensor([[1, 2], [3, 4]]))
    Tensor([[2, 4],
            [1, 3]], dtype=int64)
    """
    x = as_value(x)
    plane = distinct_axes(axes, len(x.shape), "rot90")
    if len(plane) != 2:
        raise ShapeError(f"rot90: axes {axes!r}", expected="two axes", fix="pass for example axes=(0, 1)")
    turns = whole_number(f"rot90: k={k!r}", k) % 4
    if turns % 2:
        x = swapaxes(flip(x, plane[1] if turns == 1 else plane[0]), *plane)
    return flip(x, plane) if turns == 2 else x


def roll(x: ArrayLike, shift: int | Sequence[int], axis: Axes = None) -> Tensor:
    """`x` with its elements shifted by `shift` positions along an axis; what leaves at one end enters at the other.

    With several axes, one shift for each or the same for all; without any, in the flattened tensor. ArgumentError for
    another number of shifts or what is no whole number, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.roll(tz.arange(4), 1)
    Tensor([3, 0, 1, 2], dtype=int64)
    """
    x = as_value(x)
    if axis is None:
        return reshape(roll(reshape(x, -1), shift, 0), x.shape)
    axes = list(axis) if isinstance(axis, Sequence) else [axis]
    shifts = [whole_number(f"roll: shift={shift!r}", one)
              for one in (shift if isinstance(shift, Sequence) else [shift] * len(axes))]
    if len(shifts) != len(axes):
        raise ArgumentError(f"roll: {len(shifts)} shifts for axes {axis}", expected="a shift for each axis",
                            fix="pass one number to shift all axes alike")
    for distance, each in zip(shifts, axes, strict=True):
        x = _rolled(x, distance, normalize_axis(each, len(x.shape), "roll"))
    return x


def _rolled(x: Tensor, shift: int, axis: int) -> Tensor:
    size = x.shape[axis]
    cut = (-shift) % size if size else 0
    return concat([slice_axis(x, axis, cut, size), slice_axis(x, axis, 0, cut)], axis)


def pad(x: ArrayLike, widths: Sequence[tuple[int, int]], value: ArrayLike = 0) -> Tensor:
    """The mode of `windows.pad` that is a primitive: `widths[i] = (before, after)` elements of `value` on axis i."""
    x = as_value(x)
    low, high = (tuple(max(pair[side], 0) for pair in widths) for side in (0, 1))
    return bind(ops.PAD, cropped(x, widths), cast(as_value(value), x.dtype), low=low, high=high,
                interior=(0,) * len(low))


def cropped(x: Tensor, widths: Sequence[tuple[int, int]]) -> Tensor:
    """`x` without the elements that negative widths cut off."""
    if len(widths) != len(x.shape) or all(min(pair) >= 0 for pair in widths):
        return x
    for axis, (before, after) in enumerate(widths):
        size, start = x.shape[axis], max(-before, 0)
        if start + max(-after, 0) > size:
            raise ShapeError(f"pad: widths {(before, after)} for an axis of size {size}",
                             expected="at most as many elements cut off as there are", fix="check the widths")
        x = slice_axis(x, axis, start, size - max(-after, 0))
    return x


def tile(x: ArrayLike, repetitions: int | Sequence[int]) -> Tensor:
    """`x` set side by side `repetitions[i]` times along axis i; axes that one of the two lacks are added at its left.

    One number is for the last axis. ShapeError for a number below 0, ArgumentError for what is no whole number.

    >>> import tarazu as tz
    >>> tz.tile(tz.tensor([1, 2]), (2, 3))
    Tensor([[1, 2, 1, 2, 1, 2],
            [1, 2, 1, 2, 1, 2]], dtype=int64)
    """
    x, counts = as_value(x), normalize_shape(repetitions, "tile")
    if min(counts, default=0) < 0:
        raise ShapeError(f"tile: repetitions {repetitions!r}", expected="numbers of at least 0",
                         fix="check the numbers")
    rank = max(len(x.shape), len(counts))
    shape = (1,) * (rank - len(x.shape)) + x.shape
    counts = (1,) * (rank - len(counts)) + counts
    split = reshape(x, [n for size in shape for n in (1, size)])
    wide = broadcast_to(split, [n for count, size in zip(counts, shape, strict=True) for n in (count, size)])
    return reshape(wide, [count * size for count, size in zip(counts, shape, strict=True)])
