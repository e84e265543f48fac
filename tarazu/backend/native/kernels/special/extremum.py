"""argmax and argmin: the position of the first of the largest or smallest elements; NaN counts as the most extreme."""

from __future__ import annotations

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.kernel_function import (
    KernelFunction,
    bits_type,
    index_in_lanes,
    power_of_two,
)
from tarazu.backend.native.kernels.special.lines import Lines, each_unit, lines_of
from tarazu.backend.native.kernels.special.sort_key import sort_key
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import Index, Value, constant, constants, vector
from tarazu.ir import op as ops
from tarazu.ir.node import Node


def extremum(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of an argmax or argmin."""
    shape, axis = node.inputs[0].shape, node.attributes["axis"]
    if shape[axis] >= 1 << 31:
        return None
    kernel, lines = KernelFunction(module, name, node), lines_of(shape, axis, target.lanes)
    if not lines.units:
        return kernel.finish(0)
    search = _Search(kernel, node, lines)
    if lines.inner == 1 and lines.length > 1:
        width = power_of_two(min(lines.length, target.lanes))
        each_unit(kernel, lines, lambda group, column, _: search.along(group, width))
    else:
        each_unit(kernel, lines, search.across)
    equal_parts = not (lines.whole and lines.single)
    return kernel.finish(lines.units, rows=lines.units if equal_parts else 0)


class _Search:
    """The search for the largest keys of a tensor's lines; `best` is such keys and their positions."""

    def __init__(self, kernel: KernelFunction, node: Node, lines: Lines) -> None:
        self.kernel, self.f, self.lines = kernel, kernel.f, lines
        self.dtype, self.reverse = node.inputs[0].dtype, node.op is ops.ARGMIN

    def keys(self, start: Index, width: int) -> Value:
        """The keys of the elements from `start` on."""
        pointer = self.f.offset(self.kernel.inputs[0], start, bits_type(self.dtype))
        element = self.f.load(vector(bits_type(self.dtype), width), pointer, self.dtype.itemsize)
        return sort_key(self.f, self.dtype, element, reverse=self.reverse)

    def better(self, best: list[Value], keys: Value, positions: Value) -> list[Value]:
        """For each lane the larger key, the old one where they are equal."""
        larger = self.f.compare("icmp sgt", keys, best[0])
        return [self.f.select(larger, keys, best[0]), self.f.select(larger, positions, best[1])]

    def across(self, group: Index, column: Index, width: int) -> None:
        """One line per lane."""
        f, lines = self.f, self.lines
        best = [self.keys(lines.element(f, group, column), width), index_in_lanes(f, 0, "i32", width)]
        if lines.length > 1:
            with f.loop(1, lines.length, carried=best) as loop:
                keys = self.keys(lines.element(f, group, column, loop.index), width)
                loop.next = self.better(loop.values, keys, index_in_lanes(f, loop.index, "i32", width))
            best = loop.results
        self.store(best[1], f.add(f.multiply(group, lines.inner), column))

    def along(self, line: Index, width: int) -> None:
        """All lanes on one line; the last vector may overlap the one before, and the first position still counts."""
        f, length = self.f, self.lines.length
        start, offsets = f.multiply(line, length), constants("i32", range(width))
        best, whole = [self.keys(start, width), offsets], length - length % width
        if whole > width:
            with f.loop(width, whole, width, carried=best) as loop:
                positions = f.op("add", index_in_lanes(f, loop.index, "i32", width), offsets)
                loop.next = self.better(loop.values, self.keys(f.add(start, loop.index), width), positions)
            best = loop.results
        if whole < length:
            positions = constants("i32", range(length - width, length))
            best = self.better(best, self.keys(f.add(start, length - width), width), positions)
        largest = f.intrinsic("vector.reduce.smax", best[0], result=best[0].element)
        equal = f.compare("icmp eq", best[0], f.splat(largest, width))
        positions = f.select(equal, best[1], constant(best[1].type, (1 << 31) - 1))
        self.store(f.intrinsic("vector.reduce.smin", positions, result="i32"), line)

    def store(self, positions: Value, element: Index) -> None:
        """Put positions into the result from `element` on."""
        wide = self.f.convert("zext", positions, "i64")
        self.f.store(wide, self.f.offset(self.kernel.outputs[0], element, "i64"), 8)
