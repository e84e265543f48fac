"""Kernels of nests with reductions that are no products: loops over all axes, with vectors along a kept or a reduced
axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tarazu.backend.native.kernels.expression import Memo, Point, Writer, lanes_mask
from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.loops import (
    AxisIndices,
    divided_kernel,
    division,
    end_of_triangle,
    item_indices,
    kernel_function,
    lanes_along,
    nested_loops,
    point_at,
    spans_of,
    vector_axis,
)
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.types import is_half, register_type
from tarazu.backend.native.llvm.values import Index, Value, constant
from tarazu.backend.native.lowering.loop_nest import Nest, Reduction, loads
from tarazu.backend.native.math.elementwise import emit
from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops

LONG = 4096  # numbers of single precision that one accumulator adds; the sum of more is kept in double precision
SHORT = 64  # numbers of which such a sum takes in the sum in single precision at once

COMBINE = {ops.SUM: ops.ADD, ops.PROD: ops.MUL, ops.MAX: ops.MAXIMUM, ops.MIN: ops.MINIMUM, ops.ANY_TRUE: ops.OR,
           ops.ALL_TRUE: ops.AND}


def reduction_kernel(module: Module, writer: Writer, name: str, nest: Nest) -> Kernel:
    """The kernel of a nest with reductions."""
    weighed = [(access, 1) for reduction in nest.reductions for access in loads(reduction.value)]
    axis = vector_axis(nest, [i for i in range(nest.outer, len(nest.sizes)) if nest.sizes[i] > 1], weighed)
    reducer = _Reducer(module, writer, name, nest, axis)
    return reducer.vertical() if axis is not None and axis < nest.kept else reducer.horizontal()


class _Reducer:
    """One kernel being written: `vertical` has lanes along a kept axis, `horizontal` along a reduced one, or none."""

    def __init__(self, module: Module, writer: Writer, name: str, nest: Nest, axis: int | None) -> None:
        self.function, self.pointers = kernel_function(module, name, nest)
        self.writer, self.name, self.nest, self.axis = writer, name, nest, axis
        self.lanes = lanes_along(writer, nest, axis)
        self.values = [reduction.value for reduction in nest.reductions]
        self.stored = [store.value for store in nest.stores]
        self.memo = writer.invariant(self.function, self.values + self.stored, self.pointers, point_at(nest, {}),
                                     range(len(nest.sizes)), {})
        terms = math.prod(nest.sizes[nest.kept:])
        per_lane = terms if axis is not None and axis < nest.kept else terms // max(self.lanes, 1)
        self.dtypes = [_accumulator_dtype(reduction, per_lane) for reduction in nest.reductions]
        self.narrow = [_accumulator_dtype(reduction, 1) for reduction in nest.reductions]

    # Accumulators, one for each reduction

    @property
    def lane_axis(self) -> int:
        """The axis that lanes lie along, where there is one."""
        assert self.axis is not None
        return self.axis

    def _identities(self, lanes: int, dtypes: Sequence[DType] | None = None) -> list[Value]:
        return [constant(register_type(dtype, lanes), _identity(reduction))
                for reduction, dtype in zip(self.nest.reductions, dtypes or self.dtypes, strict=True)]

    def _terms(self, point: Point, memo: Memo) -> list[Value]:
        """What the accumulators take in at a point."""
        memo = dict(memo)
        return [self.writer.evaluate(self.function, value, self.pointers, point, (), memo) for value in self.values]

    def _combined(self, a: Sequence[Value], b: Sequence[Value], dtypes: Sequence[DType] | None = None) -> list[Value]:
        return [emit(self.function, self.writer.target, COMBINE[reduction.op], [x, y], [dtype, dtype], {}, dtype)
                for x, y, reduction, dtype in zip(a, b, self.nest.reductions, dtypes or self.dtypes, strict=True)]

    def _with_narrow(self, wide: Sequence[Value], narrow: Sequence[Value]) -> list[Value]:
        """The accumulators, any number for each reduction, with others combined that are not wider than the terms."""
        count, result = len(self.dtypes), []
        for i in range(0, len(wide), count):
            rows = zip(narrow[i:i + count], self.narrow, self.dtypes, strict=True)
            result += self._combined(wide[i:i + count], [x if before is after else self.function.convert(
                "fpext", x, "double") for x, before, after in rows])
        return result

    def _store(self, indices: AxisIndices, totals: Sequence[Value], axis: int | None, lanes: int, mask: Value | None,
               memo: Memo) -> None:
        """Store the expressions of the reductions' results."""
        narrow = [self.function.convert("fptrunc", x, "float")
                  if dtype is dtypes.float64 is not reduction.value.dtype else x
                  for x, dtype, reduction in zip(totals, self.dtypes, self.nest.reductions, strict=True)]
        point = point_at(self.nest, indices, axis, lanes, mask)
        self.writer.stores(self.function, self.nest.stores, self.pointers, point, narrow, memo)

    def _reduced(self, axes: Sequence[int], indices: AxisIndices, start: Sequence[Value],
                 body: Callable[[AxisIndices, list[Value]], list[Value]]) -> list[Value]:
        """What `body` makes of the accumulators in loops over `axes`."""
        if not axes:
            return body(indices, list(start))
        with self.function.loop(0, self.nest.sizes[axes[0]], carried=start) as loop:
            loop.next = self._reduced(axes[1:], indices | {axes[0]: loop.index}, loop.values, body)
        return loop.results

    def _innermost(self, length: int, step: int, start: Sequence[Value],
                   body: Callable[[Index, list[Value]], list[Value]], stop: Index | None = None) -> list[Value]:
        """What `body` makes of the accumulators in one loop; it has them as narrow as the terms, SHORT times.

        What comes from `stop` on may be left out.
        """
        if self.dtypes == self.narrow:
            with self.function.loop(0, length if stop is None else stop, step, start) as loop:
                loop.next = body(loop.index, loop.values)
            return loop.results

        def with_part(values: Sequence[Value], first: Index, size: int) -> list[Value]:
            begin = self._identities(start[0].lanes, self.narrow) * (len(start) // len(self.narrow))
            with self.function.loop(0, size, step, begin) as loop:
                loop.next = body(self.function.add(first, loop.index), loop.values)
            return self._with_narrow(values, loop.results)

        part, values = SHORT * step, list(start)
        if length >= part:
            with self.function.loop(0, length // part * part, part, values) as loop:
                loop.next = with_part(loop.values, loop.index, part)
            values = loop.results
        return with_part(values, length // part * part, length % part) if length % part else values

    def _reduced_in_parts(self, axes: Sequence[int], indices: AxisIndices, start: Sequence[Value],
                          body: Callable[[AxisIndices, list[Value]], list[Value]],
                          stop: Index | None = None) -> list[Value]:
        """`_reduced` with a body that has accumulators as narrow as the terms; what comes from `stop` on, along the
        last axis, may be left out."""
        if not axes:
            return body(indices, list(start))
        return self._reduced(axes[:-1], indices, start, lambda inside, values: self._innermost(
            self.nest.sizes[axes[-1]], 1, values, lambda index, narrow: body(inside | {axes[-1]: index}, narrow), stop))

    # Lanes along a kept axis

    def vertical(self) -> Kernel:
        """A kernel in which each lane has accumulators of its own."""
        function, size = self.function, self.nest.sizes[self.lane_axis]
        begin, end = function.parameters["begin"], function.parameters["end"]
        divided = division(self.nest, self.lane_axis)
        vectors = self._vectors_of_an_item(size)
        block = vectors * self.lanes
        if not divided.outer:
            items = -(-size // block)
            with function.loop(begin, function.minimum(end, size // block)) as item:
                self._columns({}, function.multiply(item.index, block), vectors, None)
            if size % block:
                some = function.compare("icmp slt", begin, end)
                last = function.compare("icmp eq", end, function.index(items))
                with function.when(function.op("and", last, some)):
                    self._last_columns({}, size // block * block, size)
            function.ret()
            return Kernel(self.name, items, rows=items, per_item=block, spans=spans_of(self.nest, self.lane_axis))
        with function.loop(begin, end) as item:
            outer = item_indices(function, self.nest, divided.outer, item.index)
            with nested_loops(function, self.nest, divided.inner, outer) as indices:
                if size >= block:
                    with function.loop(0, size // block * block, block) as column:
                        self._columns(indices, column.index, vectors, None)
                if size % block:
                    self._last_columns(indices, size // block * block, size)
        function.ret()
        return divided_kernel(self.name, self.nest, divided)

    def _vectors_of_an_item(self, size: int) -> int:
        """How many vectors side by side an item takes: as many as accumulators stay in registers, so that memory is
        read in long lines, but no more than leave each thread its part of the columns, where threads share them."""
        of_thread = max(size // self.lanes // (1 if self.nest.outer else self.writer.target.threads), 1)
        return math.ceil(of_thread / math.ceil(of_thread / 4))

    def _last_columns(self, indices: AxisIndices, start: int, size: int) -> None:
        """The reduction for the columns behind the last whole block."""
        whole = (size - start) // self.lanes
        if whole:
            self._columns(indices, start, whole, None)
        if (size - start) % self.lanes:
            mask = lanes_mask(self.function, self.lanes, (size - start) % self.lanes)
            self._columns(indices, start + whole * self.lanes, 1, mask)

    def _columns(self, indices: AxisIndices, start: Index, vectors: int, mask: Value | None) -> None:
        """The reduction for `vectors` vectors side by side."""
        nest, axis, count = self.nest, self.lane_axis, len(self.nest.reductions)
        starts = [self.function.add(start, i * self.lanes) for i in range(vectors)]

        def body(inside: AxisIndices, values: list[Value]) -> list[Value]:
            result: list[Value] = []
            memo = self.writer.invariant(self.function, self.values, self.pointers, point_at(nest, inside), [axis],
                                         self.memo)
            for i, first in enumerate(starts):
                point = point_at(nest, inside | {axis: first}, axis, self.lanes, mask)
                result += self._combined(values[i * count:(i + 1) * count], self._terms(point, memo), self.narrow)
            return result

        last = self.function.add(start, vectors * self.lanes - 1)
        stop = end_of_triangle(self.function, nest, len(nest.sizes) - 1, 1, indices | {axis: last})
        totals = self._reduced_in_parts(range(nest.kept, len(nest.sizes)), indices,
                                        self._identities(self.lanes) * vectors, body, stop)
        memo = self.writer.invariant(self.function, self.stored, self.pointers, point_at(nest, indices), [axis],
                                     self.memo)
        for i, first in enumerate(starts):
            self._store(indices | {axis: first}, totals[i * count:(i + 1) * count], axis, self.lanes, mask, memo)

    # Lanes along a reduced axis, or none

    def horizontal(self) -> Kernel:
        """A kernel in which the lanes share one result."""
        function, nest = self.function, self.nest
        divided = division(nest, None)
        with function.loop(function.parameters["begin"], function.parameters["end"]) as item:
            outer = item_indices(function, nest, divided.outer, item.index)
            with nested_loops(function, nest, divided.inner, outer) as indices:
                totals = self._totals(indices)
                self._store(indices, totals, None, 0, None, self.memo)
        function.ret()
        return divided_kernel(self.name, self.nest, divided)

    def _totals(self, indices: AxisIndices) -> list[Value]:
        """The results of the reductions; those with lanes have up to four vectors of accumulators."""
        nest = self.nest
        others = [axis for axis in range(nest.kept, len(nest.sizes)) if axis != self.axis]
        if self.axis is None or not self.lanes:
            return self._reduced_in_parts(others, indices, self._identities(0), lambda inside, values: self._combined(
                values, self._terms(point_at(nest, inside), self.memo), self.narrow))
        size, count = nest.sizes[self.axis], len(nest.reductions)
        unrolled = min(max(size // self.lanes, 1), 4)
        totals = self._reduced(others, indices, self._identities(self.lanes) * unrolled,
                               lambda inside, values: self._along(inside, values, size, unrolled))
        parts = [totals[i * count:(i + 1) * count] for i in range(unrolled)]
        while len(parts) > 1:
            parts = [self._combined(parts[i], parts[i + 1]) if i + 1 < len(parts) else parts[i]
                     for i in range(0, len(parts), 2)]
        return self._across(parts[0])

    def _along(self, indices: AxisIndices, values: list[Value], size: int, unrolled: int) -> list[Value]:
        """The accumulators after all elements along the axis of lanes, `unrolled` vectors in each iteration."""
        nest, axis, count, lanes = self.nest, self.lane_axis, len(self.nest.reductions), self.lanes
        memo = self.writer.invariant(self.function, self.values, self.pointers, point_at(nest, indices), [axis],
                                     self.memo)

        def terms(start: Index, mask: Value | None = None) -> list[Value]:
            found = self._terms(point_at(nest, indices | {axis: start}, axis, lanes, mask), memo)
            if mask is None:
                return found
            none = self._identities(lanes, self.narrow)
            return [self.function.select(mask, x, y) for x, y in zip(found, none, strict=True)]

        def side_by_side(start: Index, narrow: list[Value]) -> list[Value]:
            return [x for i in range(unrolled) for x in self._combined(
                narrow[i * count:(i + 1) * count], terms(self.function.add(start, i * lanes)), self.narrow)]

        whole, wide = size // lanes * lanes, unrolled * lanes
        if size >= wide:
            stop = end_of_triangle(self.function, nest, axis, wide, indices)
            values = self._innermost(size // wide * wide, wide, values, side_by_side, stop)
        for i, start in enumerate(range(size // wide * wide, whole, lanes)):
            values[i * count:(i + 1) * count] = self._with_narrow(values[i * count:(i + 1) * count], terms(start))
        if whole < size:
            mask = lanes_mask(self.function, lanes, size - whole)
            values[-count:] = self._with_narrow(values[-count:], terms(whole, mask))
        return values

    def _across(self, values: list[Value]) -> list[Value]:
        """The lanes of each accumulator combined by halves."""
        lanes = self.lanes
        while lanes > 1:
            lanes //= 2
            low = [self.function.shuffle(x, x, range(lanes)) for x in values]
            high = [self.function.shuffle(x, x, range(lanes, 2 * lanes)) for x in values]
            values = self._combined(low, high)
        return [self.function.extract(x, 0) for x in values]


def _accumulator_dtype(reduction: Reduction, terms: int) -> DType:
    """The dtype in which a reduction of so many terms is accumulated."""
    dtype = reduction.value.dtype
    if is_half(dtype):
        return dtypes.float32
    return dtypes.float64 if dtype is dtypes.float32 and reduction.op is ops.SUM and terms > LONG else dtype


def _identity(reduction: Reduction) -> float:
    """The identity element of a reduction: -0.0 for sums, as x + 0.0 is not x when x is -0.0."""
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
