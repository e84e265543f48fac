"""Nests of loops over elements, as data: what lowering makes and the writers of kernels read.

A nest has axes with sizes, the kept ones first, then the reduced ones. Expressions are trees of loads, constants,
positions and elementwise primitives; they say what is computed at given loop indices. Accesses say where elements lie:
an affine function of the loop indices.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, NamedTuple

from tarazu.base.dtypes import DType, float32, uint32
from tarazu.ir import op as ops
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

    value: float
    dtype: DType


class Position(NamedTuple):
    """The number offset + sum(i * strides), which depends on the loop indices alone."""

    offset: int
    strides: tuple[int, ...]
    dtype: DType


class Apply(NamedTuple):
    """An elementwise primitive."""

    op: Op
    inputs: tuple[Expression, ...]
    attributes: tuple[tuple[str, Any], ...]
    dtype: DType


class Accumulated(NamedTuple):
    """The result of the nest's reduction number `which` at the indices of the kept axes."""

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


class Triangle(NamedTuple):
    """Two axes of a nest. Where the index of the column is larger than that of the row, reductions need not take in
    anything, and what is stored may be what follows from sums of nothing, or 0 where there is no sum."""

    row: int
    column: int
    above: tuple[float, ...] = ()  # what each store has there, where that does not depend on a sum
    block: int | None = None  # the axis that numbers blocks of rows, where the row is one of a block
    rows: int = 1  # how many rows of the matrix each index of the row stands for; all of them are above the diagonal
    columns: int = 1  # the same of the column

    @property
    def axes(self) -> tuple[int, ...]:
        return (self.row, self.column) if self.block is None else (self.row, self.column, self.block)


class Nest(NamedTuple):
    """The loops of one kernel."""

    sizes: tuple[int, ...]
    kept: int  # how many of the axes are kept; the others are reduced
    reductions: tuple[Reduction, ...]
    stores: tuple[Store, ...]
    loop_invariant: frozenset[int] = frozenset()  # buffers that the loop around never writes: all cores keep them
    outer: int = 0  # how many of the first axes make up the items that threads share; 0 where the kernel chooses
    triangle: Triangle | None = None  # of indices that count; None where all do
    parts: int = 1  # the size of the last of the outer axes, if one thread does all its indices in order


def walk(*roots: Expression, without: Container[int] = ()) -> list[Expression]:
    """All parts of the expressions, each once, inputs before users; `without` those of these identities."""
    parts: dict[int, Expression] = {}
    stack: list[Expression | None] = [*reversed(roots)]
    while stack:
        x = stack.pop()
        if x is None:  # all inputs of the one below are among the parts
            ready = stack.pop()
            assert ready is not None
            parts.setdefault(id(ready), ready)
        elif id(x) not in parts and id(x) not in without:
            if isinstance(x, Apply):
                stack += (x, None, *reversed(x.inputs))
            else:
                parts[id(x)] = x
    return list(parts.values())


def leaf_map(change: Callable[[Expression], Expression]) -> Callable[[Expression], Expression]:
    """The function that puts `change(leaf)` in the place of each leaf of an expression.

    A part that several expressions share is still one part of all that the function makes of them.
    """
    known: dict[int, tuple[Expression, Expression]] = {}

    def changed(x: Expression) -> Expression:
        for part in walk(x, without=known):
            result = part._replace(inputs=tuple([known[id(one)][1] for one in part.inputs])) \
                if isinstance(part, Apply) else change(part)
            known[id(part)] = part, result  # keeps the part alive, so that its identity stays its own
        return known[id(x)][1]

    return changed


def loads(*expressions: Expression) -> list[Access]:
    """All accesses that expressions read, each once."""
    return list(dict.fromkeys([x.access for x in walk(*expressions) if isinstance(x, Load)]))


def expressions(nest: Nest) -> list[Expression]:
    """What a nest reduces and what it stores."""
    return [*[reduction.value for reduction in nest.reductions], *[store.value for store in nest.stores]]


def accesses(nest: Nest) -> list[Access]:
    """All accesses of a nest; those of stores and their expressions have strides for the kept axes only."""
    read = [access for reduction in nest.reductions for access in loads(reduction.value)]
    return [*read, *loads(*[store.value for store in nest.stores]), *[store.access for store in nest.stores]]


# Pairs of numbers of bfloat16 in 32 bits, the first one below

def product_of_pairs(a: Expression, b: Expression) -> Expression:
    """The sum of the two products of two pairs, in float32."""
    parts = [Apply(ops.MUL, (part(a), part(b)), (), float32) for part in (_first, _second)]
    return Apply(ops.ADD, tuple(parts), (), float32)


def factors_in_pairs(value: Expression) -> tuple[Access, Access] | None:
    """What a product of two pairs in memory reads; None for another expression."""
    read = loads(value)
    if not 1 <= len(read) <= 2 or read[0].dtype is not uint32:
        return None
    return (read[0], read[-1]) if value == product_of_pairs(Load(read[0]), Load(read[-1])) else None


def _first(pair: Expression) -> Expression:
    return _as_float(Apply(ops.SHIFT_LEFT, (pair, Constant(16, uint32)), (), uint32))


def _second(pair: Expression) -> Expression:
    return _as_float(Apply(ops.AND, (pair, Constant(0xFFFF0000, uint32)), (), uint32))


def _as_float(bits: Expression) -> Expression:
    return Apply(ops.BITCAST, (bits,), (("dtype", float32),), float32)
