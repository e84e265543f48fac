"""How index tensors address the elements of a tensor: what gathers and scatters share.

Index tensors, broadcast to one shape, give one index along each of some axes for every element of that shape, here
called an entry. An entry selects all elements with those indices: along the axes between that are not indexed, `outer`,
and along the trailing axes. The elements along the trailing axes are contiguous, and are moved as a whole: a part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tarazu.backend.native.kernels.special.kernel_function import bits_type, coordinates, row_major
from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.values import Index, Value
from tarazu.base.dtypes import DType
from tarazu.ir.node import Node


class Indexing:
    """Index tensors along `axes` of a tensor of shape `shape`."""

    def __init__(self, shape: Sequence[int], indices: Sequence[Node], axes: Sequence[int]) -> None:
        self.shape, self.indices, self.axes = tuple(shape), tuple(indices), tuple(axes)
        self.index_shape = np.broadcast_shapes(*(index.shape for index in indices))
        self.entries = math.prod(self.index_shape)
        self.strides = row_major(self.shape)
        self.trailing = max(self.axes, default=-1) + 1  # the first axis behind those that are indexed
        self.part = math.prod(self.shape[self.trailing:])
        self.outer = tuple(axis for axis in range(self.trailing) if axis not in self.axes)
        self.outer_sizes = tuple(self.shape[axis] for axis in self.outer)

    @property
    def parts(self) -> int:
        """How many parts all entries select."""
        return self.entries * math.prod(self.outer_sizes)

    def load_indices(self, f: Function, pointers: Sequence[Value], entry: Index) -> list[Index]:
        """The index along each of `axes` for the entry of that number; out of range ones are clamped."""
        alike = all(index.shape in (self.index_shape, ()) for index in self.indices)
        position = [] if alike else coordinates(f, entry, self.index_shape)
        loaded: list[Index] = []
        for axis, index, pointer in zip(self.axes, self.indices, pointers, strict=True):
            element = entry if index.shape == self.index_shape else _broadcast(f, index.shape, position)
            raw = f.load(bits_type(index.dtype), f.offset(pointer, element, bits_type(index.dtype)),
                         index.dtype.itemsize)
            loaded.append(_clamped(f, raw, index.dtype, self.shape[axis]))
        return loaded

    def offset(self, f: Function, axes: Sequence[int], indices: Sequence[Index]) -> Index:
        """How many elements lie before the one with these indices along `axes`."""
        total: Index = 0
        for axis, index in zip(axes, indices, strict=True):
            total = f.add(total, f.multiply(index, self.strides[axis]))
        return total


def _broadcast(f: Function, shape: Sequence[int], position: Sequence[Index]) -> Index:
    """How many elements of a tensor of shape `shape` lie before the one that is broadcast to `position`."""
    total: Index = 0
    for size, stride, index in zip(shape, row_major(shape), position[len(position) - len(shape):], strict=True):
        if size > 1:
            total = f.add(total, f.multiply(index, stride))
    return total


def _clamped(f: Function, raw: Value, dtype: DType, size: int) -> Value:
    """An index from 0 to size - 1; negative ones count from the end."""
    if dtype.kind == "uint":
        wide = raw if dtype.itemsize == 8 else f.convert("zext", raw, "i64")
        return f.call("i64", "llvm.umin.i64", wide, f.index(size - 1))
    wide = raw if dtype.itemsize == 8 else f.convert("sext", raw, "i64")
    negative = f.compare("icmp slt", wide, f.index(0))
    wide = f.select(negative, f.op("add", wide, f.index(size)), wide)
    return f.index(f.minimum(f.maximum(wide, 0), size - 1))
