"""gather, scatter_add and scatter_set: moving parts of a tensor to and from where index tensors say."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.indexing import Indexing
from tarazu.backend.native.kernels.special.kernel_function import KernelFunction, bits_type, coordinates, row_major
from tarazu.backend.native.kernels.special.memory import copy, copy_range, in_vectors, load, store
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import Index, Value, vector
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.node import Node

LARGE, AHEAD = 512, 2  # parts of so many bytes are fetched into the cache so many parts ahead


def gather(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of a gather; an item is one part of the result."""
    x, *indices = node.inputs
    if x.dtype.kind == "complex" or (node.type.size and not x.type.size):
        return None
    kernel, indexing = KernelFunction(module, name, node), Indexing(x.shape, indices, node.attributes["axes"])
    if not node.type.size:
        return kernel.finish(0)
    f, size = kernel.f, indexing.part * x.dtype.itemsize
    with f.loop(kernel.begin, kernel.end) as loop:
        to = f.offset(kernel.outputs[0], f.multiply(loop.index, size))
        source, ahead = _source(kernel, indexing, x.dtype, loop.index), None
        if size >= LARGE:
            later = f.minimum(f.add(loop.index, AHEAD), indexing.parts - 1)
            ahead = _source(kernel, indexing, x.dtype, later)
        copy(f, to, source, size, x.dtype.itemsize, target.vector_bytes, ahead)
    return kernel.finish(indexing.parts, rows=indexing.parts)


def _source(kernel: KernelFunction, indexing: Indexing, dtype: DType, item: Index) -> Value:
    """Where the part of the tensor lies that becomes part number `item` of the result of a gather."""
    f, outer = kernel.f, math.prod(indexing.outer_sizes)
    indices = indexing.load_indices(f, kernel.inputs[1:], f.divide(item, outer))
    between = coordinates(f, f.remainder(item, outer), indexing.outer_sizes)
    element = f.add(indexing.offset(f, indexing.axes, indices), indexing.offset(f, indexing.outer, between))
    return f.offset(kernel.inputs[0], element, bits_type(dtype))


def scatter(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of a scatter_add or scatter_set.

    The items are the rows of the result along its first axis of more than one element. A thread goes through all
    entries and leaves out those that select other rows than its own, so that the updates of each element are done in
    their order.
    """
    x, updates, *indices = node.inputs
    if x.dtype.kind == "complex" or not indices or (updates.type.size and not x.type.size):
        return None
    kernel, indexing = KernelFunction(module, name, node), Indexing(x.shape, indices, node.attributes["axes"])
    if not x.type.size:
        return kernel.finish(0)
    shared = next((axis for axis in range(indexing.trailing) if x.shape[axis] > 1), 0)
    row = indexing.strides[shared]
    copy_unless_there(kernel, kernel.f.multiply(kernel.begin, row), kernel.f.multiply(kernel.end, row), x.dtype, target)
    if updates.type.size:
        entries = Entries(kernel, target, node, indexing, shared)
        with kernel.f.loop(0, indexing.entries) as loop:
            entries.update(loop.index, kernel.inputs[1:])
    return kernel.finish(x.type.size // row, rows=x.type.size // row)


def copy_unless_there(kernel: KernelFunction, begin: Index, end: Index, dtype: DType, target: Target) -> None:
    """Copy the elements from `begin` to `end` of the first input to the result, unless that lies in the same memory."""
    f, (source, to) = kernel.f, (kernel.inputs[0], kernel.outputs[0])
    with f.when(f.compare("icmp ne", to, source)):
        copy_range(f, to, source, begin, end, bits_type(dtype), target.lanes)


class Entries:
    """Writes the updates of entries; `shared` is the axis whose rows are the items of the kernel."""

    def __init__(self, kernel: KernelFunction, target: Target, node: Node, indexing: Indexing, shared: int) -> None:
        self.kernel, self.f, self.indexing, self.shared = kernel, kernel.f, indexing, shared
        self.dtype, self.target, self.adds = node.inputs[0].dtype, target, node.op is ops.SCATTER_ADD

    def update(self, entry: Index, inputs: Sequence[Value]) -> None:
        """The updates of one entry for own rows; `inputs` are the updates, then the index tensors."""
        f, indexing = self.f, self.indexing
        indices = indexing.load_indices(f, inputs[1:], entry)
        target = indexing.offset(f, indexing.axes, indices)
        source = f.multiply(entry, math.prod(indexing.outer_sizes) * indexing.part)
        if self.shared in indexing.axes:
            with f.when(self._is_own(indices[indexing.axes.index(self.shared)])):
                self._parts(inputs[0], target, source)
        else:
            self._parts(inputs[0], target, source)

    def _is_own(self, row: Index) -> Value:
        """Whether a row is one of this thread's."""
        f = self.f
        first = f.compare("icmp sge", f.index(row), self.kernel.begin)
        return f.op("and", first, f.compare("icmp slt", f.index(row), self.kernel.end))

    def _parts(self, updates: Value, target: Index, source: Index) -> None:
        """The updates of one entry, which start at `source`, for the elements that start at `target`."""
        f, indexing = self.f, self.indexing
        strides = row_major((*indexing.outer_sizes, indexing.part))
        with contextlib.ExitStack() as loops:
            for axis, stride in zip(indexing.outer, strides, strict=False):
                bounds = (self.kernel.begin, self.kernel.end) if axis == self.shared else (0, indexing.shape[axis])
                index = loops.enter_context(f.loop(*bounds)).index
                target = f.add(target, f.multiply(index, indexing.strides[axis]))
                source = f.add(source, f.multiply(index, stride))
            in_vectors(f, indexing.part, self.target.lanes,
                       lambda start, width: self._some(updates, f.add(target, start), f.add(source, start), width))

    def _some(self, updates: Value, target: Index, source: Index, width: int) -> None:
        """Add or set `width` elements."""
        f, element = self.f, bits_type(self.dtype)
        to, update = f.offset(self.kernel.outputs[0], target, element), f.offset(updates, source, element)
        if self.adds:
            old, new = (load(f, self.dtype, width, pointer) for pointer in (to, update))
            name = "or" if self.dtype.kind == "bool" else "fadd" if self.dtype.is_float else "add"
            store(f, self.dtype, f.op(name, old, new), to)
        else:
            f.store(f.load(vector(element, width), update, self.dtype.itemsize), to, self.dtype.itemsize)
