"""Moving elements to and from indexed places: gather, scatter_add and scatter_set."""

from __future__ import annotations

import contextlib
import math

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.entry import Entry, bits, coordinates, row_major
from tarazu.backend.native.kernels.special.memory import copy, copy_range, in_pieces, load, store
from tarazu.backend.native.kernels.special.places import Places
from tarazu.backend.native.llvm.llvm_text import Index, Module, Value, vector
from tarazu.backend.native.llvm.target import Target
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.node import Node

LARGE, AHEAD = 512, 2  # parts of so many bytes are fetched into the cache so many parts ahead

def gather(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of a gather; an item is one part of the result."""
    x, *indices = node.inputs
    if x.dtype.kind == "complex" or (node.type.size and not x.type.size):
        return None
    entry, places = Entry(module, name, node), Places(x.shape, indices, node.attributes["axes"])
    if not node.type.size:
        return entry.finish(0)
    f, size = entry.f, places.part * x.dtype.itemsize
    with f.loop(entry.begin, entry.end) as loop:
        to = f.offset(entry.outputs[0], f.multiply(loop.index, size))
        source, ahead = _source(entry, places, x.dtype, loop.index), None
        if size >= LARGE:
            later = f.minimum(f.add(loop.index, AHEAD), places.parts - 1)
            ahead = _source(entry, places, x.dtype, later)
        copy(f, to, source, size, x.dtype.itemsize, target.vector_bytes, ahead)
    return entry.finish(places.parts, rows=places.parts)


def _source(entry: Entry, places: Places, dtype: DType, item: Index) -> Value:
    """Where the part of the tensor lies that becomes part number `item` of a gather's result."""
    f, outer = entry.f, math.prod(places.outer_sizes)
    at = places.along_axes(f, entry.inputs[1:], f.divide(item, outer))
    between = coordinates(f, f.remainder(item, outer), places.outer_sizes)
    place = f.add(places.offset(f, places.axes, at), places.offset(f, places.outer, between))
    return f.offset(entry.inputs[0], place, bits(dtype))


def scatter(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of a scatter_add or scatter_set.

    The items are the rows of the result along its first axis of more than one element: whoever does them goes through
    all the indices, and leaves out what falls into other rows. So each element meets its updates in their order.
    """
    x, updates, *indices = node.inputs
    if x.dtype.kind == "complex" or not indices or (updates.type.size and not x.type.size):
        return None
    entry, places = Entry(module, name, node), Places(x.shape, indices, node.attributes["axes"])
    if not x.type.size:
        return entry.finish(0)
    shared = next((axis for axis in range(places.behind) if x.shape[axis] > 1), 0)
    row = places.strides[shared]
    copy_range(entry.f, entry.outputs[0], entry.inputs[0], entry.f.multiply(entry.begin, row),
               entry.f.multiply(entry.end, row), bits(x.dtype), target.lanes)
    if updates.type.size:
        _Scatter(entry, target, node, places, shared).write()
    return entry.finish(x.type.size // row, rows=x.type.size // row)


class _Scatter:
    """Writes the loops over the updates."""

    def __init__(self, entry: Entry, target: Target, node: Node, places: Places, shared: int) -> None:
        self.entry, self.f, self.places, self.shared = entry, entry.f, places, shared
        self.dtype: DType = node.inputs[0].dtype
        self.target = target
        self.adds = node.op is ops.SCATTER_ADD

    def write(self) -> None:
        f, places = self.f, self.places
        with f.loop(0, places.count) as loop:
            at = places.along_axes(f, self.entry.inputs[2:], loop.index)
            target = places.offset(f, places.axes, at)
            source = f.multiply(loop.index, math.prod(places.outer_sizes) * places.part)
            if self.shared in places.axes:
                with f.when(self.is_own(at[places.axes.index(self.shared)])):
                    self.parts(target, source)
            else:
                self.parts(target, source)

    def is_own(self, row: Index) -> Value:
        f = self.f
        first = f.compare("icmp sge", f.index(row), self.entry.begin)
        return f.op("and", first, f.compare("icmp slt", f.index(row), self.entry.end))

    def parts(self, target: Index, source: Index) -> None:
        """The updates of one place, which start at `source`; its elements start at `target`."""
        f, places = self.f, self.places
        steps = row_major((*places.outer_sizes, places.part))
        with contextlib.ExitStack() as loops:
            for axis, step in zip(places.outer, steps, strict=False):
                bounds = (self.entry.begin, self.entry.end) if axis == self.shared else (0, places.shape[axis])
                index = loops.enter_context(f.loop(*bounds)).index
                target = f.add(target, f.multiply(index, places.strides[axis]))
                source = f.add(source, f.multiply(index, step))
            in_pieces(f, places.part, self.target.lanes,
                      lambda place, width: self.update(f.add(target, place), f.add(source, place), width))

    def update(self, target: Index, source: Index, width: int) -> None:
        f, element = self.f, bits(self.dtype)
        to, update = f.offset(self.entry.outputs[0], target, element), f.offset(self.entry.inputs[1], source, element)
        if self.adds:
            old, new = (load(f, self.target, self.dtype, width, pointer) for pointer in (to, update))
            name = "or" if self.dtype.kind == "bool" else "fadd" if self.dtype.is_float else "add"
            store(f, self.target, self.dtype, f.op(name, old, new), to)
        else:
            f.store(f.load(vector(element, width), update, self.dtype.itemsize), to, self.dtype.itemsize)
