"""Kernels of nests without reductions: loops over the kept axes, with vectors along one of them."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.backend.native.kernels.expression import Memo, Writer, lanes_mask
from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.loops import (
    AxisIndices,
    division,
    end_of_triangle,
    item_indices,
    kernel_function,
    lanes_along,
    nested_loops,
    point_at,
    start_of_triangle,
    vector_axis,
)
from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.values import Index, Value
from tarazu.backend.native.lowering.loop_nest import Constant, Nest, Store, loads


def elementwise_kernel(module: Module, writer: Writer, name: str, nest: Nest) -> Kernel:
    """The kernel of a nest without reductions."""
    function, pointers = kernel_function(module, name, nest)
    begin, end = function.parameters["begin"], function.parameters["end"]
    weighed = [(access, 1) for access in loads(*[store.value for store in nest.stores])]
    axis = vector_axis(nest, range(nest.outer, nest.kept), weighed + [(store.access, 2) for store in nest.stores])
    divided = division(nest, axis)
    values = [store.value for store in nest.stores]
    memo = writer.invariant(function, values, pointers, point_at(nest, {}), range(nest.kept), {})
    lanes = lanes_along(writer, nest, axis)

    def store(indices: AxisIndices, start: Index, mask: Value | None, known: Memo) -> None:
        point = point_at(nest, indices | ({axis: start} if axis is not None else {}), axis, lanes, mask)
        writer.stores(function, nest.stores, pointers, point, (), known)

    zeros = [Store(Constant(0, store.access.dtype), store.access) for store in nest.stores]
    if not divided.outer:
        block = 4 * max(lanes, 1)
        items = -(-nest.sizes[axis] // block) if axis is not None else 1
        _blocks(function, begin, end, nest.sizes[axis] if axis is not None else 1, block, max(lanes, 1),
                lambda start, mask: store({}, start, mask, memo))
        function.ret()
        return Kernel(name, items, rows=items, per_item=block)
    assert axis is not None  # there are kept axes
    with function.loop(begin, end) as item:
        outer = item_indices(function, nest, divided.outer, item.index)
        with nested_loops(function, nest, divided.inner, outer) as indices:
            known = writer.invariant(function, values, pointers, point_at(nest, indices), [axis], memo)
            step = max(lanes, 1)
            start = start_of_triangle(function, nest, axis, step, indices)
            stop = end_of_triangle(function, nest, axis, step, indices)
            for first, last in (0, start), (stop, nest.sizes[axis] // step * step):
                if isinstance(first, Value) or isinstance(last, Value):
                    with function.loop(first, last, step) as loop:
                        writer.stores(function, zeros, pointers,
                                      point_at(nest, indices | {axis: loop.index}, axis, lanes))
            _along(function, nest.sizes[axis], lanes, start, stop,
                   lambda start, mask: store(indices, start, mask, known))
    function.ret()
    return Kernel(name, divided.items, rows=divided.rows)


def _along(function: Function, size: int, lanes: int, start: Index, stop: Index,
           body: Callable[[Index, Value | None], None]) -> None:
    """`body` for all vectors along an axis of known size, of the whole ones those from `start` to before `stop`; the
    last may be a part of one."""
    step = max(lanes, 1)
    whole = size // step * step
    if whole:
        with function.loop(start, stop, step) as loop:
            body(loop.index, None)
    if whole < size:
        body(whole, lanes_mask(function, lanes, size - whole))


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
