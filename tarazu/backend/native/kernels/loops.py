"""Kernels of nests without a product to tile: elementwise loops, and reductions along any axes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.expression import Point, Writer, lanes_mask
from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.llvm.llvm_text import Function, Index, Module, Value, constant
from tarazu.backend.native.llvm.types import is_half, register_type
from tarazu.backend.native.lowering.loop_nest import Access, Nest, Reduction, accesses, loads
from tarazu.backend.native.math.elementwise import emit
from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops

FEW_ITEMS = 8  # from so many parts on, the first axis alone is shared out among threads
LONG = 4096  # numbers of single precision that one accumulator adds; of more the sum is kept in double

COMBINE = {ops.SUM: ops.ADD, ops.PROD: ops.MUL, ops.MAX: ops.MAXIMUM, ops.MIN: ops.MINIMUM, ops.ANY_TRUE: ops.OR,
           ops.ALL_TRUE: ops.AND}


def kernel_function(module: Module, name: str, nest: Nest) -> tuple[Function, list[Value]]:
    """A function with the signature of kernels, and its buffers."""
    count = 1 + max(access.buffer for access in accesses(nest))
    function = module.function(name, [("ptr", "frame"), *(("ptr", f"b{i}") for i in range(count)), ("i64", "begin"),
                                      ("i64", "end")], attributes="noinline")
    return function, [function.parameters[f"b{i}"] for i in range(count)]


def vector_axis(nest: Nest, axes: Sequence[int], found: Sequence[tuple[Access, int]]) -> int | None:
    """The axis along which most elements lie side by side; `found` are accesses with weights."""
    def score(axis: int) -> tuple[float, int]:
        total = 0.0
        for access, weight in found:
            stride = access.strides[axis] if axis < len(access.strides) else 0
            total += weight * (1 if stride == 1 else 0 if stride == 0 else -1)
        return total * min(nest.sizes[axis], 16), axis

    return max(axes, key=score) if axes else None


class Split(NamedTuple):
    """How the kept axes are walked: `shared` ones make up the items, `inner` ones are loops inside an item."""

    shared: tuple[int, ...]
    inner: tuple[int, ...]
    items: int

    @property
    def rows(self) -> int:
        """The number of items where they are the indices of the first axis."""
        return self.items if self.shared == (0,) else 0


def split(nest: Nest, without: int | None) -> Split:
    """The leading kept axes as items, as many as it takes to have a few of them."""
    outer = [axis for axis in range(nest.kept) if axis != without]
    taken, items = 0, 1
    while taken < len(outer) and items < FEW_ITEMS:
        items *= nest.sizes[outer[taken]]
        taken += 1
    return Split(tuple(outer[:taken]), tuple(outer[taken:]), items)


def _indices(function: Function, nest: Nest, shared: Sequence[int], item: Index) -> dict[int, Index]:
    """The index along each shared axis for the item number `item`."""
    found: dict[int, Index] = {}
    for axis in reversed(shared[1:]):
        found[axis] = function.remainder(item, nest.sizes[axis])
        item = function.divide(item, nest.sizes[axis])
    return found | ({shared[0]: item} if shared else {})


def _point(nest: Nest, indices: dict[int, Index], axis: int | None = None, lanes: int = 0,
           mask: Value | None = None) -> Point:
    return Point(tuple(indices.get(i, 0) for i in range(len(nest.sizes))), axis, lanes, mask)


@contextlib.contextmanager
def _nested(function: Function, nest: Nest, axes: Sequence[int], indices: dict[int, Index]) -> Iterator[dict]:
    """Loops over `axes`, the first outermost; gives the indices inside."""
    with contextlib.ExitStack() as stack:
        inside = dict(indices)
        for axis in axes:
            inside[axis] = stack.enter_context(function.loop(0, nest.sizes[axis])).index
        yield inside


# Elementwise ----------------------------------------------------------------------------------------------------

def map_kernel(module: Module, writer: Writer, name: str, nest: Nest) -> Kernel:
    """The kernel of a nest without reductions."""
    function, pointers = kernel_function(module, name, nest)
    begin, end = function.parameters["begin"], function.parameters["end"]
    weighed = [(access, 1) for store in nest.stores for access in loads(store.value)]
    axis = vector_axis(nest, range(nest.kept), weighed + [(store.access, 2) for store in nest.stores])
    way = split(nest, axis)
    values = [store.value for store in nest.stores]
    memo = writer.invariant(function, values, pointers, _point(nest, {}), range(nest.kept), {})
    lanes = _lanes(writer, nest, axis)

    def at(indices: dict[int, Index], start: Index, mask: Value | None, known: dict[int, Value]) -> None:
        point = _point(nest, indices | ({axis: start} if axis is not None else {}), axis, lanes, mask)
        writer.stores(function, nest.stores, pointers, point, (), known)

    if not way.shared:
        block = 4 * max(lanes, 1)
        items = -(-nest.sizes[axis] // block) if axis is not None else 1
        _blocks(function, begin, end, nest.sizes[axis] if axis is not None else 1, block, max(lanes, 1),
                lambda start, mask: at({}, start, mask, memo))
        function.ret()
        return Kernel(name, items, rows=items, per_item=block)
    assert axis is not None  # there are kept axes
    with function.loop(begin, end) as item:
        shared = _indices(function, nest, way.shared, item.index)
        with _nested(function, nest, way.inner, shared) as indices:
            known = writer.invariant(function, values, pointers, _point(nest, indices), [axis], memo)
            _along(function, nest.sizes[axis], lanes, lambda start, mask: at(indices, start, mask, known))
    function.ret()
    return Kernel(name, way.items, rows=way.rows)


def _lanes(writer: Writer, nest: Nest, axis: int | None) -> int:
    return writer.target.lanes if axis is not None and nest.sizes[axis] > 1 else 0


def _along(function: Function, size: int, lanes: int, body: Callable[[Index, Value | None], None]) -> None:
    """`body` for all vectors along an axis of known size; the last may be a part of one."""
    step = max(lanes, 1)
    whole = size // step * step
    if whole:
        with function.loop(0, whole, step) as loop:
            body(loop.index, None)
    if whole < size:
        body(whole, lanes_mask(function, lanes, size - whole))


def _blocks(function: Function, begin: Index, end: Index, size: int, block: int, step: int,
            body: Callable[[Index, Value | None], None]) -> None:
    """`body` for the vectors of the blocks from `begin` to `end` of a single axis."""
    whole = size // step * step
    stop = function.minimum(function.multiply(end, block), whole)
    start = function.multiply(begin, block)
    with function.loop(start, stop, step) as loop:
        body(loop.index, None)
    if whole < size:
        last = function.compare("icmp eq", function.index(end), Value(str(-(-size // block)), "i64"))
        some = function.compare("icmp slt", function.index(begin), function.index(end))
        with function.when(function.op("and", last, some)):
            body(whole, lanes_mask(function, step, size - whole))


# Reductions -----------------------------------------------------------------------------------------------------

def reduce_kernel(module: Module, writer: Writer, name: str, nest: Nest) -> Kernel:
    """The kernel of a nest with reductions."""
    weighed = [(access, 1) for reduction in nest.reductions for access in loads(reduction.value)]
    axis = vector_axis(nest, [i for i in range(len(nest.sizes)) if nest.sizes[i] > 1], weighed)
    maker = _Reducer(module, writer, name, nest, axis)
    return maker.vertical() if axis is not None and axis < nest.kept else maker.horizontal()


class _Reducer:
    """Writes one reduction: `vertical` has lanes along a kept axis, `horizontal` along a reduced one."""

    def __init__(self, module: Module, writer: Writer, name: str, nest: Nest, axis: int | None) -> None:
        self.function, self.pointers = kernel_function(module, name, nest)
        self.writer, self.name, self.nest, self.axis = writer, name, nest, axis
        self.lanes = _lanes(writer, nest, axis)
        self.values = [reduction.value for reduction in nest.reductions]
        self.stored = [store.value for store in nest.stores]
        self.memo = writer.invariant(self.function, self.values + self.stored, self.pointers, _point(nest, {}),
                                     range(len(nest.sizes)), {})
        terms = math.prod(nest.sizes[nest.kept:])
        per_lane = terms if axis is not None and axis < nest.kept else terms // max(self.lanes, 1)
        self.wide = [_wide(reduction, per_lane) for reduction in nest.reductions]

    # The parts

    @property
    def lane_axis(self) -> int:
        """The axis that lanes lie along, where they lie along one."""
        assert self.axis is not None
        return self.axis

    def identities(self, lanes: int) -> list[Value]:
        return [constant(register_type(dtype, lanes), _identity(reduction))
                for reduction, dtype in zip(self.nest.reductions, self.wide, strict=True)]

    def terms(self, point: Point, memo: dict[int, Value]) -> list[Value]:
        memo = dict(memo)
        found = [self.writer.evaluate(self.function, value, self.pointers, point, (), memo) for value in self.values]
        return [self._widen(x, reduction, dtype)
                for x, reduction, dtype in zip(found, self.nest.reductions, self.wide, strict=True)]

    def _widen(self, x: Value, reduction: Reduction, dtype: DType) -> Value:
        narrow = reduction.value.dtype
        return self.function.convert("fpext", x, "double") if dtype is dtypes.float64 is not narrow else x

    def combine(self, a: Sequence[Value], b: Sequence[Value]) -> list[Value]:
        return [emit(self.function, self.writer.target, COMBINE[reduction.op], [x, y], [dtype, dtype], {}, dtype)
                for x, y, reduction, dtype in zip(a, b, self.nest.reductions, self.wide, strict=True)]

    def finish(self, indices: dict[int, Index], totals: Sequence[Value], axis: int | None, lanes: int,
               mask: Value | None, memo: dict[int, Value]) -> None:
        narrow = [self.function.convert("fptrunc", x, "float")
                  if dtype is dtypes.float64 is not reduction.value.dtype else x
                  for x, dtype, reduction in zip(totals, self.wide, self.nest.reductions, strict=True)]
        point = _point(self.nest, indices, axis, lanes, mask)
        self.writer.stores(self.function, self.nest.stores, self.pointers, point, narrow, memo)

    def reduced(self, axes: Sequence[int], indices: dict[int, Index], start: Sequence[Value],
                body: Callable[[dict[int, Index], list[Value]], list[Value]]) -> list[Value]:
        """What `body` makes of the accumulators over loops along `axes`."""
        if not axes:
            return body(indices, list(start))
        with self.function.loop(0, self.nest.sizes[axes[0]], carried=start) as loop:
            loop.next = self.reduced(axes[1:], indices | {axes[0]: loop.index}, loop.values, body)
        return loop.results

    # Lanes along a kept axis

    def vertical(self) -> Kernel:
        function, size = self.function, self.nest.sizes[self.lane_axis]
        begin, end = function.parameters["begin"], function.parameters["end"]
        way = split(self.nest, self.lane_axis)
        vectors = min(max(size // self.lanes // (FEW_ITEMS // 2), 1), 4)
        block = vectors * self.lanes
        if not way.shared:
            items = -(-size // block)
            with function.loop(begin, function.minimum(end, size // block)) as item:
                self._column({}, function.multiply(item.index, block), vectors, None)
            if size % block:
                inside = function.compare("icmp slt", function.index(begin), function.index(end))
                last = function.compare("icmp eq", function.index(end), Value(str(items), "i64"))
                with function.when(function.op("and", last, inside)):
                    self._rest({}, size // block * block, size)
            function.ret()
            return Kernel(self.name, items, rows=items, per_item=block)
        with function.loop(begin, end) as item:
            shared = _indices(function, self.nest, way.shared, item.index)
            with _nested(function, self.nest, way.inner, shared) as indices:
                if size >= block:
                    with function.loop(0, size // block * block, block) as column:
                        self._column(indices, column.index, vectors, None)
                if size % block:
                    self._rest(indices, size // block * block, size)
        function.ret()
        return Kernel(self.name, way.items, rows=way.rows)

    def _rest(self, indices: dict[int, Index], start: int, size: int) -> None:
        whole = (size - start) // self.lanes
        if whole:
            self._column(indices, start, whole, None)
        if (size - start) % self.lanes:
            mask = lanes_mask(self.function, self.lanes, (size - start) % self.lanes)
            self._column(indices, start + whole * self.lanes, 1, mask)

    def _column(self, indices: dict[int, Index], start: Index, vectors: int, mask: Value | None) -> None:
        """The reduction for `vectors` vectors side by side."""
        nest, axis, count = self.nest, self.lane_axis, len(self.nest.reductions)
        starts = [self.function.add(start, i * self.lanes) for i in range(vectors)]

        def body(inside: dict[int, Index], values: list[Value]) -> list[Value]:
            found: list[Value] = []
            memo = self.writer.invariant(self.function, self.values, self.pointers, _point(nest, inside), [axis],
                                         self.memo)
            for i, first in enumerate(starts):
                point = _point(nest, inside | {axis: first}, axis, self.lanes, mask)
                found += self.combine(values[i * count:(i + 1) * count], self.terms(point, memo))
            return found

        totals = self.reduced(range(nest.kept, len(nest.sizes)), indices, self.identities(self.lanes) * vectors, body)
        memo = self.writer.invariant(self.function, self.stored, self.pointers, _point(nest, indices), [axis],
                                     self.memo)
        for i, first in enumerate(starts):
            self.finish(indices | {axis: first}, totals[i * count:(i + 1) * count], axis, self.lanes, mask, memo)

    # Lanes along a reduced axis, or none

    def horizontal(self) -> Kernel:
        function, nest = self.function, self.nest
        way = split(nest, None)
        with function.loop(function.parameters["begin"], function.parameters["end"]) as item:
            shared = _indices(function, nest, way.shared, item.index)
            with _nested(function, nest, way.inner, shared) as indices:
                totals = self._row(indices)
                self.finish(indices, totals, None, 0, None, self.memo)
        function.ret()
        return Kernel(self.name, way.items, rows=way.rows)

    def _row(self, indices: dict[int, Index]) -> list[Value]:
        nest = self.nest
        others = [axis for axis in range(nest.kept, len(nest.sizes)) if axis != self.axis]
        if self.axis is None or not self.lanes:
            return self.reduced(others, indices, self.identities(0), lambda inside, values: self.combine(
                values, self.terms(_point(nest, inside), self.memo)))
        size, count = nest.sizes[self.axis], len(nest.reductions)
        unrolled = min(max(size // self.lanes, 1), 4)
        totals = self.reduced(others, indices, self.identities(self.lanes) * unrolled,
                              lambda inside, values: self._vectors(inside, values, size, unrolled))
        parts = [totals[i * count:(i + 1) * count] for i in range(unrolled)]
        while len(parts) > 1:
            parts = [self.combine(*parts[i:i + 2]) if i + 1 < len(parts) else parts[i] for i in range(0, len(parts), 2)]
        return self._across(parts[0])

    def _vectors(self, indices: dict[int, Index], values: list[Value], size: int, unrolled: int) -> list[Value]:
        nest, axis, count, lanes = self.nest, self.lane_axis, len(self.nest.reductions), self.lanes
        memo = self.writer.invariant(self.function, self.values, self.pointers, _point(nest, indices), [axis],
                                     self.memo)

        def step(start: Index, part: list[Value], mask: Value | None) -> list[Value]:
            point = _point(nest, indices | {axis: start}, axis, lanes, mask)
            found = self.terms(point, memo)
            if mask is not None:
                found = [self.function.select(mask, x, y) for x, y in zip(found, self.identities(lanes), strict=True)]
            return self.combine(part, found)

        whole, wide = size // lanes * lanes, unrolled * lanes
        if size >= wide:
            with self.function.loop(0, size // wide * wide, wide, values) as loop:
                loop.next = [x for i in range(unrolled) for x in step(
                    self.function.add(loop.index, i * lanes), loop.values[i * count:(i + 1) * count], None)]
            values = loop.results
        for i, start in enumerate(range(size // wide * wide, whole, lanes)):
            values[i * count:(i + 1) * count] = step(start, values[i * count:(i + 1) * count], None)
        if whole < size:
            values[-count:] = step(whole, values[-count:], lanes_mask(self.function, lanes, size - whole))
        return values

    def _across(self, values: list[Value]) -> list[Value]:
        """The lanes of each accumulator joined by halves."""
        lanes = self.lanes
        while lanes > 1:
            lanes //= 2
            low = [self.function.shuffle(x, x, range(lanes)) for x in values]
            high = [self.function.shuffle(x, x, range(lanes, 2 * lanes)) for x in values]
            values = self.combine(low, high)
        return [self.function.extract(x, 0) for x in values]


def _wide(reduction: Reduction, terms: int) -> DType:
    """The dtype in which a reduction is kept."""
    dtype = reduction.value.dtype
    if is_half(dtype):
        return dtypes.float32
    return dtypes.float64 if dtype is dtypes.float32 and reduction.op is ops.SUM and terms > LONG else dtype


def _identity(reduction: Reduction) -> float | int:
    """What changes no other value: -0.0 in sums, as x + 0.0 is not x when x is -0.0."""
    dtype, op = reduction.value.dtype, reduction.op
    if op in (ops.MAX, ops.MIN) and dtype.kind != "bool":
        sign = -1 if op is ops.MAX else 1
        if dtype.is_float:
            return sign * math.inf
        bits, signed = 8 * dtype.itemsize, dtype.kind == "int"
        lowest, highest = (-2**(bits - 1), 2**(bits - 1) - 1) if signed else (0, 2**bits - 1)
        return lowest if op is ops.MAX else highest
    if op is ops.SUM:
        return -0.0 if dtype.is_float else 0
    return 1 if op in (ops.PROD, ops.ALL_TRUE, ops.MIN) else 0
