"""Nests of loops over elements, as data: what the scheduler makes and the kernel generators read.

A nest has axes with sizes, the kept ones first, then the reduced ones. Expressions say what is computed at each place;
accesses say where its elements lie: an affine function of the loop indices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tarazu.base.dtypes import DType
from tarazu.ir.op import Op


class Access(NamedTuple):
    """Elements of a buffer: that of the indices i lies at offset + sum(i * strides), counted in elements."""

    buffer: int  # the position among the kernel's pointers
    dtype: DType
    offset: int
    strides: tuple[int, ...]  # one per axis of the nest


class Load(NamedTuple):
    """The element at an access."""

    access: Access

    @property
    def dtype(self) -> DType:
        return self.access.dtype


class Constant(NamedTuple):
    """A number that is known."""

    value: Any
    dtype: DType


class Position(NamedTuple):
    """The number offset + sum(i * strides) of the place itself."""

    offset: int
    strides: tuple[int, ...]
    dtype: DType


class Apply(NamedTuple):
    """An elementwise primitive."""

    op: Op
    inputs: tuple[Any, ...]
    attributes: tuple[tuple[str, Any], ...]
    dtype: DType


class Accumulated(NamedTuple):
    """The result of the nest's reduction number `which` at this place."""

    which: int
    dtype: DType


Expression = Load | Constant | Position | Apply | Accumulated


class Reduction(NamedTuple):
    """What is gathered over the reduced axes: sum, prod, max, min, any or all of an expression."""

    op: Op
    value: Expression


class Store(NamedTuple):
    """An expression over the kept axes, and where its values go (strides over the kept axes only)."""

    value: Expression
    access: Access


class Nest(NamedTuple):
    """The loops of one kernel."""

    sizes: tuple[int, ...]
    kept: int  # how many of the axes are kept; the others are reduced
    reductions: tuple[Reduction, ...]
    stores: tuple[Store, ...]
    steady: frozenset[int] = frozenset()  # buffers that nothing writes while the loop around runs: all cores keep them


class Kernel(NamedTuple):
    """A function in the module: `void name(ptr frame, ptr buffers..., i64 begin, i64 end)` does the items from begin
    to end. Items are independent, so threads share them out; each thread has `scratch` bytes at the frame's start."""

    name: str
    items: int
    scratch: int = 0
    rows: int = 0  # where item i writes just the i-th of so many equal parts of each result; 0 where it does not
    step: int = 1  # how many indices of a nest's first axis make up an item, where the items are that axis
    tile: str = ""  # how registers and panels cut it, for people
