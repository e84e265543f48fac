"""Memory of values while a program is made: buffers, and strided views of their elements."""

from __future__ import annotations

import itertools
import math
from typing import Literal, NamedTuple

from tarazu.base.dtypes import DType
from tarazu.ir.types import Shape

Storage = Literal["input", "output", "constant", "arena", "row", "alias"]


class Iteration:
    """The index of a loop; rows of buffers refer to it."""


class Buffer:
    """Memory for the elements of one value; it never changes, and is equal to itself only.

    `storage` says where the memory comes from: it is input, output or constant number `number` of the program, a part
    of the arena, the row of `parent` at an iteration of a loop, or the same memory as `parent` (an alias).
    """

    __slots__ = ("dtype", "iteration", "number", "parent", "size", "storage")

    def __init__(self, dtype: DType, size: int, storage: Storage = "arena", number: int = 0,
                 parent: Buffer | None = None, iteration: Iteration | None = None) -> None:
        self.dtype, self.size, self.storage, self.number = dtype, size, storage, number
        self.parent, self.iteration = parent, iteration

    @property
    def bytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def root(self) -> Buffer:
        """The buffer that owns the memory."""
        return self if self.parent is None else self.parent.root

    @property
    def row_key(self) -> tuple[tuple[int, int], ...]:
        """What is equal for buffers of one root that start at the same address."""
        if self.parent is None:
            return ()
        own = ((id(self.iteration), self.bytes),) if self.storage == "row" else ()
        return (*self.parent.row_key, *own)

    def row(self, iteration: Iteration, size: int) -> Buffer:
        """The `size` elements of this buffer that belong to the current iteration of a loop."""
        return Buffer(self.dtype, size, "row", parent=self, iteration=iteration)

    def alias_of(self, parent: Buffer) -> Buffer:
        """A buffer for the same elements in the memory of `parent`."""
        return Buffer(self.dtype, self.size, "alias", parent=parent)

    def with_parent(self, parent: Buffer) -> Buffer:
        """The same row or alias of another buffer."""
        return Buffer(self.dtype, self.size, self.storage, self.number, parent, self.iteration)


def contiguous_strides(shape: Shape) -> tuple[int, ...]:
    """The strides, in elements, of a tensor in C order."""
    return tuple(math.prod(shape[i + 1:]) for i in range(len(shape)))


class View(NamedTuple):
    """The elements of a buffer in the order of a tensor."""

    buffer: Buffer
    shape: Shape
    offset: int  # in elements
    strides: tuple[int, ...]

    @classmethod
    def whole(cls, buffer: Buffer, shape: Shape) -> View:
        """All elements of a buffer in C order."""
        return cls(buffer, shape, 0, contiguous_strides(shape))

    @classmethod
    def new(cls, dtype: DType, shape: Shape) -> View:
        """Memory of its own for a tensor."""
        return cls.whole(Buffer(dtype, math.prod(shape)), shape)

    @property
    def is_contiguous(self) -> bool:
        wanted = contiguous_strides(self.shape)
        return all(n == 1 or have == want for n, have, want in zip(self.shape, self.strides, wanted, strict=True))

    def reshape(self, shape: Shape) -> View | None:
        """The same elements in another shape; None where no strides give them."""
        if self.is_contiguous or 0 in shape:
            return View(self.buffer, shape, self.offset, contiguous_strides(shape))
        strides = [0] * len(shape)
        for old, new in matched_axes(self.shape, shape):
            if not new:
                continue
            real = [i for i in old if self.shape[i] > 1]
            if any(self.strides[a] != self.strides[b] * self.shape[b] for a, b in itertools.pairwise(real)):
                return None
            stride = self.strides[real[-1]] if real else 0
            for axis in reversed(new):
                strides[axis] = stride
                stride *= shape[axis]
        return View(self.buffer, shape, self.offset, tuple(strides))


def matched_axes(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]]:
    """Axes of both shapes that hold the same elements: ((2, 3, 4), (6, 4)) gives ([0, 1], [0]), ([2], [1])."""
    if 0 in old or 0 in new:
        return [(list(range(len(old))), list(range(len(new))))]
    groups = []
    i = j = 0
    while i < len(old) or j < len(new):
        first, second = [i] if i < len(old) else [], [j] if j < len(new) else []
        left = old[i] if first else 1
        right = new[j] if second else 1
        i, j = i + len(first), j + len(second)
        while left != right:
            if left < right:
                left, first, i = left * old[i], [*first, i], i + 1
            else:
                right, second, j = right * new[j], [*second, j], j + 1
        groups.append((first, second))
    return groups
