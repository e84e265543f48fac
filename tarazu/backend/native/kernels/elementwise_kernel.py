"""Kernels of nests without reductions: loops over the kept axes, with vectors along one of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from tarazu.backend.native.kernels.expression import Memo, Writer, lanes_mask
from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.loops import (
    AxisIndices,
    below_triangle,
    divided_kernel,
    division,
    end_of_triangle,
    item_indices,
    kernel_function,
    lanes_along,
    nested_loops,
    point_at,
    spans_of,
    start_of_triangle,
    stores_below,
    vector_axis,
)
from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.values import Index, Value
from tarazu.backend.native.lowering.loop_nest import Apply, Constant, Nest, Store, loads, walk
from tarazu.ir import op as ops

# Those that several vectors at once make faster, by a third on AVX2; log, expm1 and sin are not, or slower.
FUNCTIONS = frozenset({ops.EXP, ops.TANH, ops.SIGMOID, ops.ERF, ops.LOG1P})


def elementwise_kernel(module: Module, writer: Writer, name: str, nest: Nest) -> Kernel:
    """The kernel of a nest without reductions."""
    function, pointers = kernel_function(module, name, nest)
    begin, end = function.parameters["begin"], function.parameters["end"]
    weighed = [(access, 1) for access in loads(*[store.value for store in nest.stores])]
    axis = vector_axis(nest, range(nest.outer, nest.kept), weighed + [(store.access, 2) for store in nest.stores])
    divided = division(nest, axis)
    below = stores_below(nest.stores, nest.triangle, nest.sizes)
    values = [store.value for store in (*nest.stores, *below)]
    memo = writer.invariant(function, values, pointers, point_at(nest, {}), range(nest.kept), {})
    lanes = lanes_along(writer, nest, axis) * _vectors_at_once(writer, nest, axis)

    def store(stores: Sequence[Store], indices: AxisIndices, start: Index, mask: Value | None, known: Memo) -> None:
        point = point_at(nest, indices | ({axis: start} if axis is not None else {}), axis, lanes, mask)
        writer.stores(function, stores, pointers, point, (), known)

    if not divided.outer:
        block = max(4 * lanes_along(writer, nest, axis), 4)
        items = -(-nest.sizes[axis] // block) if axis is not None else 1
        _blocks(function, begin, end, nest.sizes[axis] if axis is not None else 1, block, max(lanes, 1),
                lambda start, mask: store(nest.stores, {}, start, mask, memo))
        function.ret()
        return Kernel(name, items, rows=items, per_item=block, spans=spans_of(nest, axis))
    assert axis is not None  # there are kept axes
    with function.loop(begin, end) as item:
        outer = item_indices(function, nest, divided.outer, item.index)
        with nested_loops(function, nest, divided.inner, outer) as indices:
            known = writer.invariant(function, values, pointers, point_at(nest, indices), [axis], memo)
            for stores, first, last in _parts(function, nest, axis, max(lanes, 1), indices, below):
                if isinstance(first, Value) or isinstance(last, Value) or first < last:
                    with function.loop(first, last, max(lanes, 1)) as loop:
                        store(stores, indices, loop.index, None, known)
            if rest := nest.sizes[axis] % max(lanes, 1):
                mask = lanes_mask(function, lanes, rest)
                store(nest.stores, indices, nest.sizes[axis] - rest, mask, known)
    function.ret()
    return divided_kernel(name, nest, divided)


def _vectors_at_once(writer: Writer, nest: Nest, axis: int | None) -> int:
    """How many vectors are computed as one: several where functions are computed, whose instructions wait for each
    other; no more than leave few lanes of the last one idle."""
    if not any(isinstance(x, Apply) and x.op in FUNCTIONS for x in walk(*[store.value for store in nest.stores])):
        return 1
    size = math.ceil(nest.sizes[axis] / writer.target.lanes) if axis is not None else 1
    return next(count for count in (4, 2, 1) if math.ceil(size / count) * count <= 1.125 * size)


def _parts(function: Function, nest: Nest, axis: int, step: int, indices: AxisIndices,
           below: Sequence[Store]) -> Iterator[tuple[Sequence[Store], Index, Index]]:
    """What is stored in the whole steps along an axis, in parts: zeros above the diagonal, `below` where all of a step
    is on the other side."""
    zeros = [store._replace(value=Constant(0, store.access.dtype)) for store in nest.stores]
    start = start_of_triangle(function, nest, axis, step, indices)
    stop = end_of_triangle(function, nest, axis, step, indices)
    yield zeros, 0, start
    if below is nest.stores:
        yield below, start, stop
    else:
        first, last = below_triangle(function, nest, axis, step, indices)
        yield from ((nest.stores, start, first), (below, first, last), (nest.stores, last, stop))
    yield zeros, stop, nest.sizes[axis] // step * step


def _blocks(function: Function, begin: Value, end: Value, size: int, block: int, step: int,
            body: Callable[[Index, Value | None], None]) -> None:
    """`body` for the vectors of the blocks from `begin` to `end` of the only axis."""
    whole = size // step * step
    stop = function.minimum(function.multiply(end, block), whole)
    start = function.multiply(begin, block)
    with function.loop(start, stop, step) as loop:
        body(loop.index, None)
    if whole < size:
        last = function.compare("icmp eq", end, function.index(-(-size // block)))
        some = function.compare("icmp slt", begin, end)
        with function.when(function.op("and", last, some)):
            body(whole, lanes_mask(function, step, size - whole))
