"""cumsum and cumprod: running sums and products along an axis, accumulated in the precision of NumPy's kernels."""

from __future__ import annotations

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.kernel_function import KernelFunction, bits_type
from tarazu.backend.native.kernels.special.lines import Lines, each_unit, lines_of
from tarazu.backend.native.kernels.special.memory import load, store
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.types import HALVES, is_supported_dtype, memory_type
from tarazu.backend.native.llvm.values import Index, Value, constant, vector
from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.node import Node


def cumulative(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of a cumsum or cumprod; its items are the units of lines."""
    x, axis = node.inputs[0], node.attributes["axis"]
    if not is_supported_dtype(x.dtype):
        return None
    kernel, lines = KernelFunction(module, name, node), lines_of(x.shape, axis, target.lanes)
    if not x.type.size:
        return kernel.finish(0)
    runner = _Runner(kernel, target, node, lines)
    each_unit(kernel, lines, runner.line)
    return kernel.finish(lines.units, rows=lines.outer if lines.units == lines.outer else 0)


class _Runner:
    """Writes the loop along a line, or along lines side by side."""

    def __init__(self, kernel: KernelFunction, target: Target, node: Node, lines: Lines) -> None:
        self.kernel, self.f, self.target, self.lines, self.dtype = kernel, kernel.f, target, lines, node.inputs[0].dtype
        self.product = node.op is ops.CUMPROD
        self.narrow = "float" if self.dtype in HALVES else memory_type(self.dtype)
        self.wide = "double" if self.dtype is dtypes.float32 and not self.product else self.narrow

    def line(self, group: Index, column: Index, width: int) -> None:
        """A line, or `width` lines side by side."""
        f = self.f
        identity = 1 if self.product else -0.0 if self.dtype.is_float else 0  # 0.0 + -0.0 is 0.0, without the sign
        name = ("f" if self.dtype.is_float else "") + ("mul" if self.product else "add")
        with f.loop(0, self.lines.length, carried=[constant(vector(self.wide, width), identity)]) as loop:
            element = self.lines.element(f, group, column, loop.index)
            source, to = (f.offset(pointer, element, bits_type(self.dtype))
                          for pointer in (self.kernel.inputs[0], self.kernel.outputs[0]))
            value = self.converted("fpext", load(f, self.dtype, width, source), self.wide)
            loop.next = [f.op(name, loop.values[0], value)]
            store(f, self.dtype, self.converted("fptrunc", loop.next[0], self.narrow), to)

    def converted(self, name: str, value: Value, element: str) -> Value:
        """A value in the other precision, where the two differ."""
        return value if self.wide == self.narrow else self.f.convert(name, value, element)
