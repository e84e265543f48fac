"""Expressions of a nest as instructions: loads, stores and elementwise primitives, for one element or a vector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.types import is_half, memory_type, register_type
from tarazu.backend.native.llvm.values import Index, Value, constant, constants, short_name, vector
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Accumulated,
    Apply,
    Constant,
    Expression,
    Load,
    Position,
    Store,
    walk,
)
from tarazu.backend.native.math.elementwise import emit
from tarazu.backend.native.math.half import narrow, narrow_exactly, round_to_half, widen
from tarazu.backend.native.math.number import Number
from tarazu.base.dtypes import DType

Memo = dict[int, Value]  # the values of expressions that are computed already, by the identity of the expression


class Point(NamedTuple):
    """Where in a nest expressions are computed: an index per axis, and the axis along which lanes of vectors lie."""

    indices: tuple[Index, ...]
    vector_axis: int | None
    lanes: int  # 0 computes a single element
    mask: Value | None = None  # the lanes that exist; None for all

    def lane_stride(self, strides: Sequence[int]) -> int | None:
        """How far neighboring lanes lie apart; None where a single element is computed."""
        return strides[self.vector_axis] if self.lanes and self.vector_axis is not None else None


def element_offset(function: Function, access: Access | Position, point: Point) -> Index:
    """How many elements of the buffer lie before the one at `point`; of a position, its number."""
    total: Index = access.offset
    for index, stride in zip(point.indices, access.strides, strict=False):
        if stride:
            total = function.add(total, function.multiply(index, stride))
    return total


def lanes_mask(function: Function, lanes: int, count: Index) -> Value:
    """The mask of the first `count` lanes."""
    if isinstance(count, int):
        return constants("i1", [lane < count for lane in range(lanes)])
    numbers = constants("i32", range(lanes))
    wide = function.splat(function.emit("i32", f"trunc i64 {count.text} to i32"), lanes)
    return function.compare("icmp ult", numbers, wide)


class Writer:
    """Writes expressions into functions for one target."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def load(self, function: Function, access: Access, pointers: Sequence[Value], point: Point) -> Value:
        """The element, or a vector with one for each lane; for lanes that do not exist nothing is read."""
        element = memory_type(access.dtype)
        pointer = function.offset(pointers[access.buffer], element_offset(function, access, point), element)
        stride = point.lane_stride(access.strides)
        if not stride:
            value = self._widened(function, function.load(element, pointer, access.dtype.itemsize), access.dtype)
            return function.splat(value, point.lanes)
        if stride == 1:
            raw = function.load(vector(element, point.lanes), pointer, access.dtype.itemsize, point.mask)
        else:
            raw = _gather(function, element, access.dtype.itemsize, pointer, stride, point)
        return self._widened(function, raw, access.dtype)

    def store(self, function: Function, store: Store, pointers: Sequence[Value], point: Point,
              accumulated: Sequence[Value] = (), memo: Memo | None = None) -> None:
        """Compute the expression of `store` at `point` and put it where its access says."""
        value = self.evaluate(function, store.value, pointers, point, accumulated, {} if memo is None else memo)
        access = store.access
        element = memory_type(access.dtype)
        pointer = function.offset(pointers[access.buffer], element_offset(function, access, point), element)
        raw = self._narrowed(function, value, access.dtype, isinstance(store.value, Apply | Load | Accumulated))
        stride = point.lane_stride(access.strides)
        if stride in (1, None):
            function.store(raw, pointer, access.dtype.itemsize, point.mask)
        else:
            _scatter(function, raw, access.dtype.itemsize, pointer, stride, point)

    def stores(self, function: Function, stores: Iterable[Store], pointers: Sequence[Value], point: Point,
               accumulated: Sequence[Value] = (), memo: Memo | None = None) -> None:
        """Several stores at one point; what they have in common is computed once, all before the first is stored."""
        memo = {} if memo is None else dict(memo)
        every = list(stores)
        for store in every:
            self.evaluate(function, store.value, pointers, point, accumulated, memo)
        for store in every:
            self.store(function, store, pointers, point, accumulated, memo)

    def evaluate(self, function: Function, expression: Expression, pointers: Sequence[Value], point: Point,
                 accumulated: Sequence[Value], memo: Memo) -> Value:
        """The value of `expression` at `point`, which is then in `memo`."""
        if id(expression) not in memo:
            for part in walk(expression, without=memo):
                memo[id(part)] = self._evaluate(function, part, pointers, point, accumulated, memo)
        return _in_lanes(function, memo[id(expression)], point)

    def _evaluate(self, function: Function, expression: Expression, pointers: Sequence[Value], point: Point,
                  accumulated: Sequence[Value], memo: Memo) -> Value:
        """The same of an expression whose inputs are in `memo`."""
        if isinstance(expression, Load):
            return self.load(function, expression.access, pointers, point)
        if isinstance(expression, Constant):
            return constant(register_type(expression.dtype, point.lanes), expression.value)
        if isinstance(expression, Accumulated):
            value, dtype = accumulated[expression.which], expression.dtype
            return round_to_half(function, self.target, value, dtype) if is_half(dtype) else value
        if isinstance(expression, Position):
            return _position(function, expression, point)
        inputs = [_in_lanes(function, memo[id(x)], point) for x in expression.inputs]
        return emit(function, self.target, expression.op, inputs, [x.dtype for x in expression.inputs],
                    dict(expression.attributes), expression.dtype)

    def invariant(self, function: Function, expressions: Iterable[Expression], pointers: Sequence[Value], point: Point,
                  axes: Iterable[int], memo: Memo) -> Memo:
        """`memo` and the values of all parts of `expressions` that do not change along `axes`, ahead of the loops."""
        moving, memo = set(axes), dict(memo)
        scalar = point._replace(lanes=0, mask=None)
        stack = list(expressions)[::-1]
        changing: set[int] = set()
        for x in walk(*stack):
            if _changes(x, moving, changing):
                changing.add(id(x))
        seen: set[int] = set()
        while stack:
            x = stack.pop()
            if id(x) in memo or id(x) in seen or isinstance(x, Constant):
                continue
            seen.add(id(x))
            if id(x) not in changing:
                self.evaluate(function, x, pointers, scalar, (), memo)
            elif isinstance(x, Apply):
                stack.extend(x.inputs[::-1])
        return memo

    def _widened(self, function: Function, raw: Value, dtype: DType) -> Value:
        """An element from memory in the type of registers."""
        if is_half(dtype):
            return widen(Number(function, self.target, raw), dtype).value
        return function.compare("icmp ne", raw, constant(raw.type, 0)) if dtype.kind == "bool" else raw

    def _narrowed(self, function: Function, value: Value, dtype: DType, is_rounded: bool) -> Value:
        """An element from a register in the type of memory; in half precision other numbers may have more digits."""
        if is_half(dtype):
            return (narrow_exactly if is_rounded else narrow)(Number(function, self.target, value), dtype).value
        return function.convert("zext", value, "i8") if dtype.kind == "bool" else value


def _position(function: Function, position: Position, point: Point) -> Value:
    """The number of a position at `point`, or of one for each lane."""
    value = function.splat(function.index(element_offset(function, position, point)), point.lanes)
    if stride := point.lane_stride(position.strides):
        value = function.op("add", value, constants("i64", [lane * stride for lane in range(point.lanes)]))
    element = register_type(position.dtype)
    if position.dtype.kind == "float":
        return function.convert("sitofp", value, element)
    if position.dtype.kind == "bool":
        return function.compare("icmp ne", value, constant(value.type, 0))
    return value if element == "i64" else function.convert("trunc", value, element)


def _in_lanes(function: Function, value: Value, point: Point) -> Value:
    """A value in as many lanes as the point has."""
    return value if value.lanes == point.lanes else function.splat(value, point.lanes)


def _changes(x: Expression, axes: set[int], changing: set[int]) -> bool:
    """Whether an expression changes along the axes, given the identities of those of its parts that do."""
    if isinstance(x, Load | Position):
        strides = x.access.strides if isinstance(x, Load) else x.strides
        return any(axis < len(strides) and strides[axis] for axis in axes)
    if isinstance(x, Apply):
        return any(id(part) in changing for part in x.inputs)
    return isinstance(x, Accumulated)


def _lane_pointers(function: Function, element: str, pointer: Value, stride: int, lanes: int) -> Value:
    """A vector of pointers to elements `stride` apart."""
    steps = constants("i64", [lane * stride for lane in range(lanes)])
    return function.emit(f"<{lanes} x ptr>",
                         f"getelementptr {element}, ptr {pointer.text}, {steps.type} {steps.text}")


def _gather(function: Function, element: str, align: int, pointer: Value, stride: int, point: Point) -> Value:
    """A vector of elements that lie `stride` apart."""
    sources = _lane_pointers(function, element, pointer, stride, point.lanes)
    type_, mask = vector(element, point.lanes), point.mask or constant(vector("i1", point.lanes), True)
    name = f"llvm.masked.gather.{short_name(type_)}.v{point.lanes}p0"
    function.module.declarations.setdefault(name, f"declare {type_} @{name}({sources.type}, {mask.type}, {type_})")
    return function.emit(type_, f"call {type_} @{name}({sources.type} align {align} {sources.text}, {mask.type} "
                                f"{mask.text}, {type_} zeroinitializer)")


def _scatter(function: Function, raw: Value, align: int, pointer: Value, stride: int, point: Point) -> None:
    """Store the lanes of a vector `stride` elements apart."""
    targets = _lane_pointers(function, raw.element, pointer, stride, point.lanes)
    mask = point.mask or constant(vector("i1", point.lanes), True)
    name = f"llvm.masked.scatter.{short_name(raw.type)}.v{point.lanes}p0"
    function.module.declarations.setdefault(name, f"declare void @{name}({raw.type}, {targets.type}, {mask.type})")
    function.do(f"call void @{name}({raw.type} {raw.text}, {targets.type} align {align} {targets.text}, {mask.type} "
                f"{mask.text})")
