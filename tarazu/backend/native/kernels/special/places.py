"""Where indexed elements lie: what gathers and scatters share.

A place is a combination of the index tensors' elements. `part` is the run of elements, in the trailing axes, that every
index moves as a whole; `outer` are the axes between that are not indexed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tarazu.backend.native.kernels.special.entry import bits, coordinates, row_major
from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.values import Index, Value
from tarazu.base.dtypes import DType
from tarazu.ir.node import Node


class Places:
    """The places that the index tensors name along `axes` of a tensor of shape `shape`."""

    def __init__(self, shape: Sequence[int], indices: Sequence[Node], axes: Sequence[int]) -> None:
        self.shape, self.indices, self.axes = tuple(shape), tuple(indices), tuple(axes)
        self.index_shape = np.broadcast_shapes(*(index.shape for index in indices))
        self.count = math.prod(self.index_shape)
        self.strides = row_major(self.shape)
        self.behind = max(self.axes, default=-1) + 1
        self.part = math.prod(self.shape[self.behind:])
        self.outer = tuple(axis for axis in range(self.behind) if axis not in self.axes)
        self.outer_sizes = tuple(self.shape[axis] for axis in self.outer)

    @property
    def parts(self) -> int:
        """How many parts all places have together."""
        return self.count * math.prod(self.outer_sizes)

    def along_axes(self, f: Function, pointers: Sequence[Value], place: Index) -> list[Index]:
        """The index along each of `axes` at the place number `place`."""
        alike = all(index.shape in (self.index_shape, ()) for index in self.indices)
        position = [] if alike else coordinates(f, place, self.index_shape)
        found: list[Index] = []
        for axis, index, pointer in zip(self.axes, self.indices, pointers, strict=True):
            at = place if index.shape == self.index_shape else _broadcast(f, index.shape, position)
            raw = f.load(bits(index.dtype), f.offset(pointer, at, bits(index.dtype)), index.dtype.itemsize)
            found.append(_clamped(f, raw, index.dtype, self.shape[axis]))
        return found

    def offset(self, f: Function, axes: Sequence[int], at: Sequence[Index]) -> Index:
        """How many elements lie before the indices `at` along `axes`."""
        total: Index = 0
        for axis, index in zip(axes, at, strict=True):
            total = f.add(total, f.multiply(index, self.strides[axis]))
        return total


def _broadcast(f: Function, shape: Sequence[int], position: Sequence[Index]) -> Index:
    """How many elements of a tensor of shape `shape` lie before the one at `position`, to whose shape it broadcasts."""
    total: Index = 0
    for size, stride, at in zip(shape, row_major(shape), position[len(position) - len(shape):], strict=True):
        if size > 1:
            total = f.add(total, f.multiply(at, stride))
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
