"""Type rules of primitives that rearrange or create elements and do not compute with them."""

from __future__ import annotations

import math

from tarazu.base import dtypes
from tarazu.base.device import Layout, Location, names_of
from tarazu.base.dtypes import DType
from tarazu.base.errors import DTypeError, ShapeError
from tarazu.ir.type_rules.checks import broadcast_shapes, require_axes, require_same_dtype
from tarazu.ir.types import Shape, TensorType


def reshape(name: str, x: TensorType, *, shape: Shape) -> TensorType:
    if math.prod(shape) != x.size:
        raise ShapeError(f"{name}: {x.shape} with {x.size} elements does not fit into {shape} with {math.prod(shape)}",
                         expected="the same number of elements", fix="one size may be -1 and is then worked out")
    return TensorType(shape, x.dtype)


def transpose(name: str, x: TensorType, *, permutation: tuple[int, ...]) -> TensorType:
    if sorted(permutation) != list(range(len(x.shape))):
        raise ShapeError(f"{name}: permutation {permutation} of a tensor of shape {x.shape}",
                         expected=f"each of the axes 0 to {len(x.shape) - 1} once",
                         fix="x.T reverses all axes, x.mT the last two")
    return TensorType(tuple(x.shape[axis] for axis in permutation), x.dtype)


def broadcast(name: str, x: TensorType, *, shape: Shape) -> TensorType:
    if any(size < 0 for size in shape):
        raise ShapeError(f"{name}: shape {tuple(shape)}", expected="sizes of at least 0", fix="check the sizes")
    if broadcast_shapes(name, x.shape, shape) != tuple(shape):
        raise ShapeError(f"{name}: {x.shape} does not broadcast to {shape}",
                         expected="sizes, aligned at the right, that are equal or 1 in the tensor",
                         fix="reshape it so that its axes line up with the right end of the wanted shape")
    return TensorType(shape, x.dtype)


def slice_(name: str, x: TensorType, *, start: Shape, stop: Shape, step: Shape) -> TensorType:
    if not len(start) == len(stop) == len(step) == len(x.shape):
        raise ShapeError(f"{name}: bounds for {len(start)} axes of a tensor of shape {x.shape}",
                         expected="one start, stop and step per axis", fix="use x[...] to slice")
    if any(not (0 <= a <= b <= n and s > 0) for a, b, s, n in zip(start, stop, step, x.shape, strict=True)):
        raise ShapeError(f"{name}: from {start} to {stop} by {step} of shape {x.shape}",
                         expected="bounds inside the shape and steps of at least 1", fix="use x[...] to slice")
    sizes = (len(range(a, b, s)) for a, b, s in zip(start, stop, step, strict=True))
    return TensorType(tuple(sizes), x.dtype)


def pad(name: str, x: TensorType, value: TensorType, *, low: Shape, high: Shape, interior: Shape) -> TensorType:
    require_same_dtype(name, x, value)
    if value.shape:
        raise ShapeError(f"{name}: a value of shape {value.shape}", expected="a scalar",
                         fix="use tz.concat for other values")
    if not len(low) == len(high) == len(interior) == len(x.shape) or min((*low, *high, *interior), default=0) < 0:
        raise ShapeError(f"{name}: widths {low}, {high} and {interior} for shape {x.shape}",
                         expected="widths of at least 0, one for each axis", fix="slice to make a tensor smaller")
    sizes = (a + n + max(n - 1, 0) * i + b for a, n, i, b in zip(low, x.shape, interior, high, strict=True))
    return TensorType(tuple(sizes), x.dtype)


def concat(name: str, *types: TensorType, axis: int) -> TensorType:
    dtype = require_same_dtype(name, *types)
    first = types[0].shape
    require_axes(name, (axis,), len(first))
    for type_ in types:
        if len(type_.shape) != len(first) or any(
                a != b for i, (a, b) in enumerate(zip(type_.shape, first, strict=True)) if i != axis):
            raise ShapeError(f"{name}: shapes {first} and {type_.shape} along axis {axis}",
                             expected="shapes that are equal on every other axis",
                             fix="reshape, pad or slice one of them")
    return TensorType((*first[:axis], sum(t.shape[axis] for t in types), *first[axis + 1:]), dtype)


def flip(name: str, x: TensorType, *, axes: tuple[int, ...]) -> TensorType:
    require_axes(name, axes, len(x.shape))
    return x


def place(name: str, x: TensorType, *, where: Location) -> TensorType:
    if isinstance(where, Layout):
        named = [one for axes in where.spec for one in names_of(axes)]
        if len(where.spec) > len(x.shape) or len(set(named)) < len(named):
            raise ShapeError(f"{name}: spec {where.spec} for a tensor of shape {x.shape}",
                             expected="at most one entry for each axis, and each axis of the mesh once",
                             fix="leave out entries, or write None for axes that are not divided")
    return x


def iota(name: str, *, size: int, dtype: DType) -> TensorType:
    return TensorType((size,), dtype)


def random_bits(name: str, state: TensorType, *, shape: Shape) -> TensorType:
    if state != TensorType((4,), dtypes.uint32):
        raise DTypeError(f"{name}: a generator state of type {state}", expected="uint32[4]",
                         fix="use tz.random.Generator")
    return TensorType(shape, dtypes.uint32)
