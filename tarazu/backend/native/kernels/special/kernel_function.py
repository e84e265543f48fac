"""What the special kernels share: their functions with the pointers of inputs and results, sizes and strides."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.values import Index, Value, constant, vector
from tarazu.base.dtypes import DType
from tarazu.ir.node import Node
from tarazu.ir.op import Op


class KernelFunction:
    """The function of a kernel being written; it takes as many inputs as its node, unless it is said how many."""

    def __init__(self, module: Module, name: str, node: Node, count_of_inputs: int | None = None) -> None:
        count = len(node.type) if isinstance(node.op, Op) and node.op.multiple else 1
        inputs = [f"input{i}" for i in range(len(node.inputs) if count_of_inputs is None else count_of_inputs)]
        outputs = [f"output{i}" for i in range(count)]
        pointers = [("ptr", pointer) for pointer in ("frame", *inputs, *outputs)]
        self.f = module.function(name, [*pointers, ("i64", "begin"), ("i64", "end")],
                                 attributes="noinline")
        self.frame, self.begin, self.end = (self.f.parameters[key] for key in ("frame", "begin", "end"))
        self.inputs = [self.f.parameters[key] for key in inputs]
        self.outputs = [self.f.parameters[key] for key in outputs]

    def finish(self, items: int, scratch: int = 0, rows: int = 0) -> Kernel:
        """The kernel, after all of its code is written."""
        self.f.ret()
        return Kernel(self.f.name, items, scratch, rows)


def bits_type(dtype: DType) -> str:
    """The integer type as wide as an element."""
    return f"i{8 * dtype.itemsize}"


def power_of_two(limit: int) -> int:
    """The largest power of two up to `limit`."""
    return 1 << (limit.bit_length() - 1)


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of a row-major array, in elements."""
    return tuple(math.prod(shape[axis + 1:]) for axis in range(len(shape)))


def coordinates(f: Function, number: Index, sizes: Sequence[int]) -> list[Index]:
    """The indices of the element `number` of a row-major array."""
    indices: list[Index] = []
    for axis in reversed(range(len(sizes))):
        indices.insert(0, number if axis == 0 else f.remainder(number, sizes[axis]))
        number = f.divide(number, sizes[axis])
    return indices


def index_in_lanes(f: Function, index: Index, element: str, lanes: int) -> Value:
    """An index in every lane, as an integer of the type `element`."""
    if isinstance(index, int):
        return constant(vector(element, lanes), index)
    return f.splat(index if element == "i64" else f.convert("trunc", index, element), lanes)
