"""Sizes that follow the number of rows: slope times rows plus offset, told from a few numbers of rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

# Above the largest array that is folded to a constant, and primes, so that they are hardly sizes of anything else.
ROWS = (5003, 5009, 5021)


@dataclass(frozen=True)
class Size:
    """slope * rows + offset; what has no slope is a plain number instead."""

    slope: int
    offset: int

    def __str__(self) -> str:
        factor = "batch" if self.slope == 1 else f"{self.slope}*batch"
        return f"{factor}{self.offset:+d}" if self.offset else factor

    def __add__(self, other: Dim) -> Dim:
        slope, offset = (other.slope, other.offset) if isinstance(other, Size) else (0, other)
        return _plain(self.slope + slope, self.offset + offset)

    __radd__ = __add__

    def __neg__(self) -> Size:
        return Size(-self.slope, -self.offset)

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: int) -> Dim:
        return -self + other

    def __mul__(self, factor: int) -> Dim:
        return _plain(self.slope * factor, self.offset * factor)

    __rmul__ = __mul__


Dim: TypeAlias = "int | Size"
Dims: TypeAlias = tuple[Dim, ...]
BATCH = Size(1, 0)


def _plain(slope: int, offset: int) -> Dim:
    return Size(slope, offset) if slope else offset


def fitted(values: Sequence[float]) -> Dim | None:
    """The size that has these values at the numbers of `ROWS`; None where no straight line goes through them.

    >>> fitted([10009, 10021, 10045])
    Size(slope=2, offset=3)
    """
    slope = (values[1] - values[0]) / (ROWS[1] - ROWS[0])
    offset = values[0] - slope * ROWS[0]
    is_line = slope * ROWS[2] + offset == values[2]
    whole = is_line and slope == math.floor(slope) and offset == math.floor(offset)
    return _plain(int(slope), int(offset)) if whole else None


def is_static(dims: Iterable[Dim]) -> bool:
    """Whether no size follows the rows."""
    return not any(isinstance(size, Size) for size in dims)


def broadcast(*shapes: Dims) -> Dims:
    """The common shape of shapes that broadcast."""
    rank = max(map(len, shapes))
    aligned = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(next((size for size in sizes if size != 1), 1) for sizes in zip(*aligned, strict=True))


def static(dims: Dims) -> tuple[int, ...]:
    """The sizes as plain numbers; TypeError where one follows the rows."""
    return tuple(np.asarray(dims, dtype=object).astype(np.int64).tolist())
