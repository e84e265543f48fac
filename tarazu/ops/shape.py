"""Another shape for the same elements: reshape, transpose, broadcast, join, pad, flip."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

from tarazu.base import dtypes
from tarazu.base.errors import ArgumentError, AxisError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import Value, bind
from tarazu.ir.type_rules.checks import broadcast_shapes
from tarazu.ir.types import Shape
from tarazu.ops.promote import as_value, cast

Axes = int | Sequence[int] | None


def normalize_axis(axis: int, rank: int, name: str) -> int:
    """`axis` counted from the front; negative ones count from the back."""
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


def normalize_axes(axes: Axes, rank: int, name: str) -> tuple[int, ...]:
    """`axes` as a sorted tuple counted from the front; None means all."""
    if axes is None:
        return tuple(range(rank))
    found = [normalize_axis(axis, rank, name) for axis in ((axes,) if not isinstance(axes, Sequence) else axes)]
    if len(set(found)) != len(found):
        raise ShapeError(f"{name}: axes {tuple(axes)!r} name one axis twice",  # type: ignore[arg-type]
                         expected="each axis once", fix="leave out the second mention")
    return tuple(sorted(found))


def normalize_shape(shape: Any, name: str) -> Shape:
    """`shape` as a tuple of sizes; one number is a shape of one axis."""
    try:
        return tuple(map(operator.index, shape if isinstance(shape, (tuple, Iterable)) else (shape,)))
    except TypeError:
        raise ArgumentError(f"{name}: shape {shape!r}", expected="a tuple of integers",
                            fix="write for example (2, 3)") from None


def reshape(x: Any, shape: Any, *, copy: bool | None = None) -> Any:
    """`x` with its elements, in the same order, in another shape; one size may be -1 and is worked out.

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


def flatten(x: Any, start_axis: int = 0) -> Any:
    """`x` with all axes from `start_axis` on made into one."""
    x = as_value(x)
    return reshape(x, (*x.shape[:start_axis], math.prod(x.shape[start_axis:])))


def permute_dims(x: Any, axes: Sequence[int]) -> Any:
    """`x` with its axes in another order: axis i of the result is axis `axes[i]` of `x`."""
    x = as_value(x)
    rank = len(x.shape)
    return bind(ops.TRANSPOSE, x, permutation=tuple(normalize_axis(axis, rank, "permute_dims") for axis in axes))


def swapaxes(x: Any, first: int, second: int) -> Any:
    """`x` with two axes exchanged."""
    x = as_value(x)
    order = list(range(len(x.shape)))
    i, j = (normalize_axis(axis, len(order), "swapaxes") for axis in (first, second))
    order[i], order[j] = order[j], order[i]
    return permute_dims(x, order)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """`x` with the axes `source` moved to the places `destination`; the others keep their order."""
    x = as_value(x)
    rank = len(x.shape)
    sources, targets = ([normalize_axis(axis, rank, "moveaxis") for axis in ([axes] if isinstance(axes, int) else axes)]
                        for axes in (source, destination))
    order = [axis for axis in range(rank) if axis not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return permute_dims(x, order)


def matrix_transpose(x: Any) -> Any:
    """`x` with its last two axes exchanged."""
    x = as_value(x)
    if len(x.shape) < 2:
        raise ShapeError(f"matrix_transpose of shape {x.shape}", expected="at least two axes", fix="reshape it first")
    return swapaxes(x, -1, -2)


def expand_dims(x: Any, axis: int = 0) -> Any:
    """`x` with a new axis of size 1 at the place `axis`."""
    x = as_value(x)
    place = normalize_axis(axis, len(x.shape) + 1, "expand_dims")
    return reshape(x, (*x.shape[:place], 1, *x.shape[place:]))


def squeeze(x: Any, axis: Axes = None) -> Any:
    """`x` without the given axes of size 1; without `axis`, without all of them."""
    x = as_value(x)
    axes = normalize_axes(axis, len(x.shape), "squeeze")
    if axis is None:
        axes = tuple(i for i in axes if x.shape[i] == 1)
    if any(x.shape[i] != 1 for i in axes):
        raise ShapeError(f"squeeze: axis {axis} of shape {x.shape}", expected="axes of size 1",
                         fix="index or reduce that axis")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def broadcast_to(x: Any, shape: Any) -> Any:
    """`x` repeated along axes of size 1, and along new axes at the left, to `shape`."""
    return bind(ops.BROADCAST, as_value(x), shape=normalize_shape(shape, "broadcast_to"))


def broadcast_arrays(*tensors: Any) -> list[Any]:
    """The tensors, each broadcast to the shape that they have together."""
    values = [as_value(x) for x in tensors]
    shape = broadcast_shapes("broadcast_arrays", *(x.shape for x in values))
    return [broadcast_to(x, shape) for x in values]


def concat(tensors: Sequence[Any], axis: int | None = 0) -> Any:
    """The tensors joined along an axis that they have; None joins them flat."""
    values = meet([as_value(x) for x in tensors], "concat")
    if axis is None:
        values, axis = [reshape(x, -1) for x in values], 0
    return bind(ops.CONCAT, *values, axis=normalize_axis(axis, len(values[0].shape), "concat"))


def stack(tensors: Sequence[Any], axis: int = 0) -> Any:
    """The tensors, which have one shape, joined along a new axis."""
    values = [as_value(x) for x in tensors]
    if len({x.shape for x in values}) > 1:
        raise ShapeError(f"stack: shapes {' and '.join(str(x.shape) for x in values)}", expected="one shape",
                         fix="pad or slice them first; tz.concat joins along an axis that is there")
    return concat([expand_dims(x, axis) for x in values], axis)


def meet(values: list[Any], name: str) -> list[Any]:
    """The values, cast to the one dtype in which all of them meet."""
    if not values:
        raise ArgumentError(f"{name} of no tensors", expected="at least one", fix="check the list before the call")
    dtype = values[0].dtype
    for x in values[1:]:
        dtype = dtypes.promote(dtype, x.dtype)
    return [cast(x, dtype) for x in values]


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The slices of `x` along an axis, as a tuple."""
    x = as_value(x)
    place = normalize_axis(axis, len(x.shape), "unstack")
    return tuple(squeeze(slice_axis(x, place, i, i + 1), place) for i in range(x.shape[place]))


def slice_axis(x: Value, axis: int, start: int, stop: int) -> Any:
    """The part of `x` from `start` up to `stop` along one axis."""
    shape = x.shape
    starts, stops = [0] * len(shape), list(shape)
    starts[axis], stops[axis] = start, stop
    return bind(ops.SLICE, x, start=tuple(starts), stop=tuple(stops), step=(1,) * len(shape))


def flip(x: Any, axis: Axes = None) -> Any:
    """`x` with the order of its elements turned round along the given axes."""
    x = as_value(x)
    return bind(ops.FLIP, x, axes=normalize_axes(axis, len(x.shape), "flip"))


def roll(x: Any, shift: int | Sequence[int], axis: Axes = None) -> Any:
    """`x` moved by `shift` places along an axis; what leaves at one end enters at the other.

    With several axes, one shift for each or the same for all; without any, in the flattened tensor.

    >>> import tarazu as tz
    >>> tz.roll(tz.arange(4), 1)
    Tensor([3, 0, 1, 2], dtype=int64)
    """
    x = as_value(x)
    if axis is None:
        return reshape(roll(reshape(x, -1), shift, 0), x.shape)
    axes = [axis] if isinstance(axis, int) else list(axis)
    shifts = [shift] * len(axes) if isinstance(shift, int) else list(shift)
    if len(shifts) != len(axes):
        raise ArgumentError(f"roll: {len(shifts)} shifts for axes {axis}", expected="a shift for each axis",
                            fix="pass one number to shift all axes alike")
    for places, each in zip(shifts, axes, strict=True):
        x = _rolled(x, places, normalize_axis(each, len(x.shape), "roll"))
    return x


def _rolled(x: Any, shift: int, axis: int) -> Any:
    size = x.shape[axis]
    cut = (-shift) % size if size else 0
    return concat([slice_axis(x, axis, cut, size), slice_axis(x, axis, 0, cut)], axis)


def pad(x: Any, widths: Sequence[tuple[int, int]], value: Any = 0) -> Any:
    """The mode of `windows.pad` that is a primitive: `widths[i] = (before, after)` elements of `value` on axis i."""
    x = as_value(x)
    low, high = tuple(before for before, _ in widths), tuple(after for _, after in widths)
    return bind(ops.PAD, x, cast(as_value(value), x.dtype), low=low, high=high, interior=(0,) * len(low))


def tile(x: Any, repetitions: Sequence[int]) -> Any:
    """`x` set side by side `repetitions[i]` times along axis i."""
    x = as_value(x)
    rank = max(len(x.shape), len(repetitions))
    shape = (1,) * (rank - len(x.shape)) + x.shape
    counts = (1,) * (rank - len(repetitions)) + tuple(repetitions)
    split = reshape(x, [n for size in shape for n in (1, size)])
    wide = broadcast_to(split, [n for count, size in zip(counts, shape, strict=True) for n in (count, size)])
    return reshape(wide, [count * size for count, size in zip(counts, shape, strict=True)])
