"""Where values lie: buffers, strided views of them, and affine maps from the axes of a nest to those of a value."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

from tarazu.backend.native.lowering.loop_nest import Access
from tarazu.base.dtypes import DType
from tarazu.ir.types import Shape


class Buffer:
    """Memory for the elements of one value. `place` is where it comes from: an input, an output, a constant, a part of
    the arena, or the row of another buffer that a loop is at."""

    __slots__ = ("dtype", "loop", "number", "offset", "parent", "place", "size")

    def __init__(self, dtype: DType, size: int, place: str = "arena", number: int = 0) -> None:
        self.dtype, self.size, self.place, self.number = dtype, size, place, number
        self.offset = 0  # bytes from the start of the arena, once it is planned
        self.parent: Buffer | None = None
        self.loop: object = None

    @property
    def bytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def root(self) -> Buffer:
        """The buffer that owns the memory."""
        return self if self.parent is None else self.parent.root

    @property
    def row_key(self) -> tuple:
        """What is equal for buffers that start at the same place."""
        if self.parent is None:
            return ()
        return (*self.parent.row_key, *(((id(self.loop), self.bytes),) if self.place == "row" else ()))

    def row(self, loop: object, size: int) -> Buffer:
        """The `size` elements of this buffer that belong to the turn at which `loop` is."""
        made = Buffer(self.dtype, size, "row")
        made.parent, made.loop = self, loop
        return made


def contiguous_strides(shape: Shape) -> tuple[int, ...]:
    """The strides, in elements, of a tensor whose last axis lies side by side."""
    return tuple(math.prod(shape[i + 1:]) for i in range(len(shape)))


class View(NamedTuple):
    """The elements of a buffer in the order of a tensor."""

    buffer: Buffer
    shape: Shape
    offset: int
    strides: tuple[int, ...]

    @classmethod
    def whole(cls, buffer: Buffer, shape: Shape) -> View:
        return cls(buffer, shape, 0, contiguous_strides(shape))

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
            step = self.strides[real[-1]] if real else 0
            for axis in reversed(new):
                strides[axis] = step
                step *= shape[axis]
        return View(self.buffer, shape, self.offset, tuple(strides))


def matched_axes(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]]:
    """Runs of axes of both shapes that hold the same elements: ((2, 3, 4), (6, 4)) gives ([0, 1], [0]), ([2], [1])."""
    if 0 in old or 0 in new:
        return [(list(range(len(old))), list(range(len(new))))]
    found = []
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
        found.append((first, second))
    return found


class Line(NamedTuple):
    """An index along one axis of a value: offset + sum(i * coefficients) over the axes of a nest."""

    offset: int
    coefficients: tuple[int, ...]

    def scaled(self, factor: int, shift: int = 0) -> Line:
        return Line(self.offset * factor + shift, tuple([c * factor for c in self.coefficients]))

    def plus(self, other: Line) -> Line:
        return Line(self.offset + other.offset,
                    tuple([a + b for a, b in zip(self.coefficients, other.coefficients, strict=True)]))

    @property
    def axis(self) -> int | None:
        """The axis of the nest that this index simply follows, if it does."""
        moving = [i for i, c in enumerate(self.coefficients) if c]
        return moving[0] if len(moving) == 1 and not self.offset and self.coefficients[moving[0]] == 1 else None


Lines = tuple[Line, ...]  # one per axis of a value


def zero(rank: int) -> Line:
    return Line(0, (0,) * rank)


def unit(axis: int, rank: int) -> Line:
    return Line(0, tuple([int(i == axis) for i in range(rank)]))


def identity(shape: Shape) -> Lines:
    """A nest over the axes of the value itself."""
    return tuple([unit(axis, len(shape)) if n != 1 else zero(len(shape)) for axis, n in enumerate(shape)])


def access(view: View, lines: Lines, rank: int, dtype: DType) -> Access:
    """The elements of `view` at `lines`; the buffer is numbered later, here it is 0."""
    total = Line(view.offset, (0,) * rank)
    for line, stride, size in zip(lines, view.strides, view.shape, strict=True):
        if size != 1:
            total = total.plus(line.scaled(stride))
    return Access(0, dtype, total.offset, total.coefficients)


def aligned(lines: Lines, outer: Shape, inner: Shape, rank: int) -> Lines:
    """The lines of a value of shape `inner` that is broadcast to `outer`, aligned at the right."""
    tail = lines[len(outer) - len(inner):]
    return tuple([zero(rank) if n == 1 else line for line, n in zip(tail, inner, strict=True)])


def split_lines(lines: Lines, new: Shape, old: Shape, rank: int) -> Lines | None:
    """The lines of a value of shape `old` that is seen as `new` at `lines`; None where they are not affine."""
    found = [zero(rank)] * len(old)
    if 0 in new:
        return tuple(found)  # of no elements, any will do
    for first, second in matched_axes(old, new):
        real = [axis for axis in first if old[axis] != 1]
        many = [axis for axis in second if new[axis] != 1]
        if len(real) == len(many) == 0:
            continue
        if len(real) != 1:
            if [old[a] for a in real] != [new[a] for a in many]:
                return None
            for a, b in zip(real, many, strict=True):
                found[a] = lines[b]
            continue
        total, step = zero(rank), 1
        for axis in reversed(many):
            total = total.plus(lines[axis].scaled(step))
            step *= new[axis]
        found[real[0]] = total
    return tuple(found)

