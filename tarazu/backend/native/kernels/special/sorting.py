"""sort, stable along an axis: short lines by comparison counting, long ones by radix sort (Knuth, "The Art of Computer
Programming", volume 3, sections 5.2 and 5.2.5).

Both move integers in the order of the elements; the results are then read from the input itself, so that zeros keep
their signs and NaN its bits.
"""

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
from tarazu.ir.node import Node

SHORT = 96  # up to this length counting, which takes the square of it, is faster
DIGITS = 256


def sort(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of a sort; its items are the lines."""
    x, axis = node.inputs[0], node.attributes["axis"]
    if x.shape[axis] >= 1 << 31:
        return None
    kernel, lines = KernelFunction(module, name, node), lines_of(x.shape, axis)
    if not x.type.size:
        return kernel.finish(0)
    sorter = (_ComparisonCountingSort if lines.length <= SHORT else _RadixSort)(kernel, node, lines, target)
    each_unit(kernel, lines, lambda group, column, _: sorter.line(group, column))
    return kernel.finish(lines.units, sorter.scratch, lines.units if lines.inner == 1 else 0)


class _Sort:
    """What both ways to sort a line share."""

    def __init__(self, kernel: KernelFunction, node: Node, lines: Lines, target: Target) -> None:
        self.kernel, self.f, self.lines, self.target = kernel, kernel.f, lines, target
        self.dtype = node.inputs[0].dtype
        self.bits = bits_type(self.dtype)
        self.scratch = 0

    def element(self, group: Index, column: Index, position: Index) -> Value:
        """The bits of the element at `position` along a line."""
        number = self.lines.element(self.f, group, column, position)
        return self.f.load(self.bits, self.f.offset(self.kernel.inputs[0], number, self.bits), self.dtype.itemsize)

    def store(self, group: Index, column: Index, position: Index, source: Index) -> None:
        """Put the element that was at `source` along its line at `position`."""
        f, value = self.f, self.element(group, column, source)
        number = self.lines.element(f, group, column, position)
        f.store(value, f.offset(self.kernel.outputs[0], number, self.bits), self.dtype.itemsize)
        f.store(f.index(source), f.offset(self.kernel.outputs[1], number, "i64"), 8)


class _ComparisonCountingSort(_Sort):
    """Comparison counting: the rank of an element is the number of smaller ones and of equal ones before it."""

    def __init__(self, kernel: KernelFunction, node: Node, lines: Lines, target: Target) -> None:
        super().__init__(kernel, node, lines, target)
        full = target.vector_bytes // self.dtype.itemsize
        self.width = min(full, 2 * power_of_two(max(lines.length - 1, 1)))
        self.padded = -(-lines.length // self.width) * self.width
        self.scratch = self.padded * self.dtype.itemsize

    def line(self, group: Index, column: Index) -> None:
        """Sort a line: its keys go to the scratch memory, padded with the largest one to whole vectors."""
        f, length = self.f, self.lines.length
        with f.loop(0, length) as loop:
            self.keep(loop.index, sort_key(f, self.dtype, self.element(group, column, loop.index)))
        if length < self.padded:
            with f.loop(length, self.padded) as loop:
                self.keep(loop.index, constant(self.bits, (1 << (8 * self.dtype.itemsize - 1)) - 1))
        with f.loop(0, length) as loop:
            self.store(group, column, self.rank(loop.index), loop.index)

    def keep(self, position: Index, key: Value) -> None:
        self.f.store(key, self.f.offset(self.kernel.frame, position, self.bits), self.dtype.itemsize)

    def rank(self, position: Index) -> Value:
        """Where the element at `position` belongs."""
        f, size, type_ = self.f, self.dtype.itemsize, vector(self.bits, self.width)
        own = f.splat(f.load(self.bits, f.offset(self.kernel.frame, position, self.bits), size), self.width)
        here, lanes = index_in_lanes(f, position, self.bits, self.width), constants(self.bits, range(self.width))
        with f.loop(0, self.padded, self.width, carried=[constant(type_, 0)]) as loop:
            others = f.load(type_, f.offset(self.kernel.frame, loop.index, self.bits), size * self.width)
            positions = f.op("add", index_in_lanes(f, loop.index, self.bits, self.width), lanes)
            earlier = f.compare("icmp ult", positions, here)
            tie = f.op("and", f.compare("icmp eq", others, own), earlier)
            before = f.op("or", f.compare("icmp slt", others, own), tie)
            loop.next = [f.op("add", loop.values[0], f.convert("zext", before, self.bits))]
        count = f.intrinsic("vector.reduce.add", loop.results[0], result=self.bits)
        return count if self.bits == "i64" else f.convert("zext", count, "i64")


class _RadixSort(_Sort):
    """Radix sort by the least significant digit first, with bytes as digits.

    Records hold the key above the position of the element; they go from one half of the scratch memory to the other.
    """

    def __init__(self, kernel: KernelFunction, node: Node, lines: Lines, target: Target) -> None:
        super().__init__(kernel, node, lines, target)
        self.record = "i128" if self.dtype.itemsize == 8 else "i64"
        self.position_bytes = 8 if self.dtype.itemsize == 8 else 4  # before those of the key
        self.half = -(-lines.length * 2 * self.position_bytes // 64) * 64  # bytes
        self.scratch = 2 * self.half + DIGITS * self.dtype.itemsize * 4
        self.table = self.f.offset(kernel.frame, 2 * self.half)  # how often each digit has each value

    def line(self, group: Index, column: Index) -> None:
        """Sort a line."""
        f, frame, size = self.f, self.kernel.frame, self.position_bytes
        self.count(group, column)
        with f.loop(0, self.dtype.itemsize, carried=[frame, f.offset(frame, self.half)]) as digit:
            digit.next = self.distribute(digit.index, *digit.values)
        with f.loop(0, self.lines.length) as loop:
            record = f.offset(digit.results[0], loop.index, self.record)
            position = f.load(f"i{8 * size}", record, size)
            self.store(group, column, loop.index, position if size == 8 else f.convert("zext", position, "i64"))

    def count(self, group: Index, column: Index) -> None:
        """Make the records, and count how often each digit has each value."""
        f, size, lanes = self.f, self.dtype.itemsize, self.target.lanes
        with f.loop(0, DIGITS * size, lanes) as loop:
            f.store(constant(vector("i32", lanes), 0), f.offset(self.table, loop.index, "i32"), 4 * lanes)
        with f.loop(0, self.lines.length) as loop:
            key = sort_key(f, self.dtype, self.element(group, column, loop.index))
            key = f.op("xor", key, constant(self.bits, -1 << (8 * size - 1)))  # digits have no sign
            wide = f.op("shl", f.convert("zext", key, self.record), constant(self.record, 8 * self.position_bytes))
            position = f.index(loop.index)
            if self.position_bytes == 8:
                position = f.convert("zext", position, self.record)
            f.store(f.op("or", wide, position), f.offset(self.kernel.frame, loop.index, self.record), 8)
            for digit in range(size):
                byte = f.op("lshr", key, constant(self.bits, 8 * digit)) if digit else key
                byte = f.op("and", byte, constant(self.bits, DIGITS - 1)) if size > 1 else byte
                number = byte if self.bits == "i64" else f.convert("zext", byte, "i64")
                self.increment(f.offset(self.table, DIGITS * digit, "i32"), number)

    def increment(self, table: Value, number: Value) -> Value:
        """Add 1 to a number of the table; gives what it was."""
        pointer = self.f.offset(table, number, "i32")
        before = self.f.load("i32", pointer, 4)
        self.f.store(self.f.op("add", before, constant("i32", 1)), pointer, 4)
        return before

    def distribute(self, digit: Index, source: Value, to: Value) -> list[Value]:
        """Move the records to where their digit belongs, unless all have the same one; gives both halves, swapped."""
        f, length = self.f, self.lines.length
        table = f.offset(self.table, f.multiply(digit, DIGITS), "i32")
        digits = f.offset(f.offset(source, self.position_bytes), digit)
        count = f.load("i32", f.offset(table, self.digit(digits, 0), "i32"), 4)
        alike = f.compare("icmp eq", count, constant("i32", length))
        with f.loop(0, f.select(alike, f.index(0), f.index(DIGITS)), carried=[constant("i32", 0)]) as loop:
            pointer = f.offset(table, loop.index, "i32")
            count = f.load("i32", pointer, 4)
            f.store(loop.values[0], pointer, 4)
            loop.next = [f.op("add", loop.values[0], count)]
        with f.loop(0, f.select(alike, f.index(0), f.index(length))) as loop:
            record = f.load(self.record, f.offset(source, loop.index, self.record), 8)
            target = f.convert("zext", self.increment(table, self.digit(digits, loop.index)), "i64")
            f.store(record, f.offset(to, target, self.record), 8)
        return [f.select(alike, source, to), f.select(alike, to, source)]

    def digit(self, digits: Value, number: Index) -> Value:
        """A digit of the record of that number."""
        byte = self.f.load("i8", self.f.offset(digits, number, self.record), 1)
        return self.f.convert("zext", byte, "i64")
