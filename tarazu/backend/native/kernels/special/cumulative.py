"""Running sums and products along an axis, in the precision in which NumPy's kernels keep them."""

from __future__ import annotations

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.entry import Entry, bits
from tarazu.backend.native.kernels.special.lines import Lines, each_unit, lines_of
from tarazu.backend.native.kernels.special.memory import load, store
from tarazu.backend.native.llvm.llvm_text import Index, Module, Value, constant, vector
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.types import HALVES, is_supported_dtype, memory_type
from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.node import Node


def cumulative(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of a cumsum or cumprod; its items are lines, or as many of them as a vector holds."""
    x, axis = node.inputs[0], node.attributes["axis"]
    if not is_supported_dtype(x.dtype):
        return None
    entry, lines = Entry(module, name, node), lines_of(x.shape, axis, target.lanes)
    if not x.type.size:
        return entry.finish(0)
    runner = _Runner(entry, target, node, lines)
    each_unit(entry, lines, runner.line)
    return entry.finish(lines.units, rows=lines.outer if lines.units == lines.outer else 0)


class _Runner:
    """Writes the loop along a line, or along lines side by side."""

    def __init__(self, entry: Entry, target: Target, node: Node, lines: Lines) -> None:
        self.entry, self.f, self.target, self.lines, self.dtype = entry, entry.f, target, lines, node.inputs[0].dtype
        self.product = node.op is ops.CUMPROD
        self.narrow = "float" if self.dtype in HALVES else memory_type(self.dtype)
        self.wide = "double" if self.dtype is dtypes.float32 and not self.product else self.narrow

    def line(self, group: Index, column: Index, width: int) -> None:
        f = self.f
        empty = 1 if self.product else -0.0 if self.dtype.is_float else 0  # 0.0 + -0.0 would lose the sign
        name = ("f" if self.dtype.is_float else "") + ("mul" if self.product else "add")
        with f.loop(0, self.lines.length, carried=[constant(vector(self.wide, width), empty)]) as loop:
            place = self.lines.place(f, group, column, loop.index)
            source, to = (f.offset(pointer, place, bits(self.dtype))
                          for pointer in (self.entry.inputs[0], self.entry.outputs[0]))
            element = self.converted("fpext", load(f, self.target, self.dtype, width, source), self.wide)
            loop.next = [f.op(name, loop.values[0], element)]
            store(f, self.target, self.dtype, self.converted("fptrunc", loop.next[0], self.narrow), to)

    def converted(self, name: str, value: Value, element: str) -> Value:
        return value if self.wide == self.narrow else self.f.convert(name, value, element)
