"""Type rules: from the types of a primitive's inputs and its attributes to the type of its result, or an error.

Every rule is called as `rule(name, types, **attributes)`; a primitive with several results gives a tuple of types.
These are the only places that know when shapes and dtypes fit together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tarazu.base import dtypes
from tarazu.base.device import Layout, Place, names_of
from tarazu.base.dtypes import DType
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError, TraceError
from tarazu.ir.types import Shape, TensorType

if TYPE_CHECKING:
    from tarazu.ir.graph import Graph

Rule = Callable[..., Any]

FLOAT = ("float", "complex")
REAL = ("int", "uint", "float")
NUMBER = ("int", "uint", "float", "complex")
BITS = ("bool", "int", "uint")
ANY = ("bool", "int", "uint", "float", "complex")


def broadcast_shapes(name: str, *shapes: Shape) -> Shape:
    """The shape to which `shapes` broadcast, aligned at the right as in NumPy."""
    rank = max((len(shape) for shape in shapes), default=0)
    result = []
    for sizes in zip(*((1,) * (rank - len(shape)) + tuple(shape) for shape in shapes), strict=True):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            raise ShapeError(
                f"{name}: shapes {' and '.join(map(str, shapes))} do not broadcast together",
                expected="sizes, aligned at the right, that are equal or 1",
                fix="reshape or transpose one of them; a size-1 axis is added by x[:, None] or tz.expand_dims(x, axis)")
        result.append(wide.pop() if wide else 1)
    return tuple(result)


def require_kind(name: str, kinds: tuple[str, ...], *types: TensorType) -> None:
    for type_ in types:
        if type_.dtype.kind not in kinds:
            raise DTypeError(f"{name} does not take {type_.dtype}", expected=f"a dtype of kind {' or '.join(kinds)}",
                             fix="cast it first: x.astype(tz.float32) or the like")


def require_same_dtype(name: str, *types: TensorType) -> DType:
    found = {type_.dtype for type_ in types}
    if len(found) > 1:
        raise DTypeError(f"{name} got {' and '.join(str(type_.dtype) for type_ in types)}", expected="one dtype",
                         fix="cast one side first: x.astype(y.dtype)")
    return types[0].dtype


def require_axes(name: str, axes: tuple[int, ...], rank: int) -> None:
    if len(set(axes)) != len(axes) or any(not 0 <= axis < rank for axis in axes):
        raise ShapeError(f"{name}: axes {axes} of a tensor with {rank} axes",
                         expected=f"distinct axes from {-rank} to {rank - 1}", fix="check the axis against x.shape")


# Elementwise ----------------------------------------------------------------------------------------------------

def elementwise(kinds: tuple[str, ...]) -> Rule:
    def rule(name: str, *types: TensorType) -> TensorType:
        require_kind(name, kinds, *types)
        return TensorType(broadcast_shapes(name, *(t.shape for t in types)), require_same_dtype(name, *types))
    return rule


def comparison(kinds: tuple[str, ...]) -> Rule:
    arithmetic = elementwise(kinds)

    def rule(name: str, *types: TensorType) -> TensorType:
        return TensorType(arithmetic(name, *types).shape, dtypes.bool_)
    return rule


def absolute(name: str, x: TensorType) -> TensorType:
    require_kind(name, NUMBER, x)
    return TensorType(x.shape, dtypes.COMPLEX_PARTS.get(x.dtype, x.dtype))


def complex_part(name: str, x: TensorType) -> TensorType:
    require_kind(name, ("complex",), x)
    return absolute(name, x)


def polygamma(name: str, x: TensorType, *, order: int) -> TensorType:
    require_kind(name, ("float",), x)
    if order < 0:
        raise ArgumentError(f"{name}: order {order}", expected="an order of at least 0", fix="0 is digamma, 1 trigamma")
    return x


def where(name: str, condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
    require_kind(name, ("bool",), condition)
    dtype = require_same_dtype(name, x, y)
    return TensorType(broadcast_shapes(name, condition.shape, x.shape, y.shape), dtype)


def cast(name: str, x: TensorType, *, dtype: DType) -> TensorType:
    return TensorType(x.shape, dtype)


def bitcast(name: str, x: TensorType, *, dtype: DType) -> TensorType:
    if x.dtype.itemsize != dtype.itemsize or "bool" in (x.dtype.kind, dtype.kind):
        raise DTypeError(f"{name} from {x.dtype} to {dtype}",
                         expected="two dtypes of the same width, neither of them bool",
                         fix="use x.astype(...) to convert values")
    return TensorType(x.shape, dtype)


def same(name: str, x: TensorType) -> TensorType:
    return x


# Shape ----------------------------------------------------------------------------------------------------------

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


def place(name: str, x: TensorType, *, where: Place) -> TensorType:
    if isinstance(where, Layout):
        named = [one for axes in where.spec for one in names_of(axes)]
        if len(where.spec) > len(x.shape) or len(set(named)) < len(named):
            raise ShapeError(f"{name}: spec {where.spec} for a tensor of shape {x.shape}",
                             expected="at most one entry for each axis, and each axis of the mesh once",
                             fix="leave out entries, or write None for axes that are not divided")
    return x


def iota(name: str, *, size: int, dtype: DType) -> TensorType:
    return TensorType((size,), dtype)


# Index ----------------------------------------------------------------------------------------------------------

def gather(name: str, x: TensorType, *indices: TensorType, axes: tuple[int, ...]) -> TensorType:
    require_kind(name, ("int", "uint"), *indices)
    require_axes(name, axes, len(x.shape))
    if len(indices) != len(axes):
        raise ShapeError(f"{name}: {len(indices)} index tensors for axes {axes}", expected="one per axis",
                         fix="use x[...]")
    rest = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    return TensorType(broadcast_shapes(name, *(index.shape for index in indices)) + rest, x.dtype)


def scatter(name: str, x: TensorType, updates: TensorType, *indices: TensorType, axes: tuple[int, ...]) -> TensorType:
    require_same_dtype(name, x, updates)
    picked = gather(name, x, *indices, axes=axes)
    if picked.shape != updates.shape:
        raise ShapeError(f"{name}: updates of shape {updates.shape} for places of shape {picked.shape}",
                         expected=f"updates of shape {picked.shape}", fix="broadcast the updates first")
    return x


# Reduce ---------------------------------------------------------------------------------------------------------

def reduction(kinds: tuple[str, ...], *, needs_elements: bool = False) -> Rule:
    def rule(name: str, x: TensorType, *, axes: tuple[int, ...]) -> TensorType:
        require_kind(name, kinds, x)
        require_axes(name, axes, len(x.shape))
        if needs_elements and any(x.shape[axis] == 0 for axis in axes):
            raise ShapeError(f"{name} over axes {axes} of shape {x.shape}, which hold no element",
                             expected="at least one element", fix="check the size before, or pad the tensor")
        return TensorType(tuple(n for axis, n in enumerate(x.shape) if axis not in axes), x.dtype)
    return rule


def arg_reduction(name: str, x: TensorType, *, axis: int) -> TensorType:
    reduced = reduction((*REAL, "bool"), needs_elements=True)(name, x, axes=(axis,))
    return TensorType(reduced.shape, dtypes.DEFAULT_INT)


def cumulative(name: str, x: TensorType, *, axis: int) -> TensorType:
    require_kind(name, NUMBER, x)
    require_axes(name, (axis,), len(x.shape))
    return x


def fft(name: str, x: TensorType, *, axes: tuple[int, ...], kind: str) -> TensorType:
    require_kind(name, ("complex",), x)
    require_axes(name, axes, len(x.shape))
    if kind not in ("forward", "backward"):
        raise ArgumentError(f"{name}: kind {kind!r}", expected='"forward" or "backward"', fix="use tz.fft")
    if any(x.shape[axis] == 0 for axis in axes):
        raise ShapeError(f"{name} over axes {axes} of shape {x.shape}, which hold no element",
                         expected="at least one element", fix="check the size before, or pad the tensor")
    return x


# Contract, sort, random -----------------------------------------------------------------------------------------

def dot(name: str, x: TensorType, y: TensorType, *, contract: tuple[tuple[int, ...], tuple[int, ...]],
        batch: tuple[tuple[int, ...], tuple[int, ...]]) -> TensorType:
    require_kind(name, NUMBER, x, y)
    dtype = require_same_dtype(name, x, y)
    sides = [(type_, contract[side], batch[side]) for side, type_ in enumerate((x, y))]
    for type_, contracted, batched in sides:
        require_axes(name, contracted + batched, len(type_.shape))
    for pairs in (contract, batch):
        sizes = [tuple(type_.shape[axis] for axis in axes) for type_, axes in zip((x, y), pairs, strict=True)]
        if sizes[0] != sizes[1]:
            raise ShapeError(f"{name}: shapes {x.shape} and {y.shape} meet with sizes {sizes[0]} and {sizes[1]}",
                             expected="equal sizes where they meet: in a @ b the last axis of a, the last but one of b",
                             fix="transpose or reshape one of them (x.mT swaps the last two axes)")
    free = [tuple(n for axis, n in enumerate(t.shape) if axis not in c + b) for t, c, b in sides]
    return TensorType(tuple(x.shape[axis] for axis in batch[0]) + free[0] + free[1], dtype)


def sort(name: str, x: TensorType, *, axis: int) -> tuple[TensorType, TensorType]:
    require_kind(name, (*REAL, "bool"), x)
    require_axes(name, (axis,), len(x.shape))
    return x, TensorType(x.shape, dtypes.DEFAULT_INT)


def random_bits(name: str, state: TensorType, *, shape: Shape) -> TensorType:
    if state != TensorType((4,), dtypes.uint32):
        raise DTypeError(f"{name}: a generator state of type {state}", expected="uint32[4]",
                         fix="use tz.random.Generator")
    return TensorType(shape, dtypes.uint32)


# Control --------------------------------------------------------------------------------------------------------

def require_types(name: str, what: str, found: tuple[TensorType, ...], wanted: tuple[TensorType, ...]) -> None:
    if found != wanted:
        raise TraceError(f"{name}: {what} of types ({', '.join(map(str, found))})",
                         expected=f"({', '.join(map(str, wanted))})",
                         fix="what goes round a loop keeps its shapes and dtypes: cast or broadcast it")


def call(name: str, *types: TensorType, label: str, body: Graph, gradient: Any = None) -> tuple[TensorType, ...]:
    require_types(label, "inputs", types, body.input_types)
    return body.output_types


def scan(name: str, *types: TensorType, body: Graph, length: int, reverse: bool, constants: int,
         carries: int) -> tuple[TensorType, ...]:
    consts, carry, sequences = types[:constants], types[constants:constants + carries], types[constants + carries:]
    for sequence in sequences:
        if sequence.shape[:1] != (length,):
            raise ShapeError(f"{name}: a sequence of shape {sequence.shape} in a scan of length {length}",
                             expected=f"a first axis of size {length}", fix="scan over tensors of one length")
    rows = tuple(TensorType(t.shape[1:], t.dtype) for t in sequences)
    require_types(name, "inputs of the body", consts + carry + rows, body.input_types)
    require_types(name, "a carry after one step", body.output_types[:carries], carry)
    return carry + tuple(TensorType((length, *t.shape), t.dtype) for t in body.output_types[carries:])


def cond(name: str, predicate: TensorType, *types: TensorType, on_true: Graph,
         on_false: Graph) -> tuple[TensorType, ...]:
    require_types(name, "the predicate", (predicate,), (TensorType((), dtypes.bool_),))
    require_types(name, "inputs of the true branch", types, on_true.input_types)
    require_types(name, "inputs of the false branch", types, on_false.input_types)
    require_types(name, "results of the false branch", on_false.output_types, on_true.output_types)
    return on_true.output_types


def barrier(name: str, *types: TensorType) -> tuple[TensorType, ...]:
    return types


def while_(name: str, *types: TensorType, condition: Graph, body: Graph, condition_constants: int,
           body_constants: int, bound: int | None = None) -> tuple[TensorType, ...]:
    start = condition_constants + body_constants
    carry = types[start:]
    require_types(name, "inputs of the condition", types[:condition_constants] + carry, condition.input_types)
    require_types(name, "inputs of the body", types[condition_constants:start] + carry, body.input_types)
    require_types(name, "the condition", condition.output_types, (TensorType((), dtypes.bool_),))
    require_types(name, "a carry after one step", body.output_types, carry)
    return carry
