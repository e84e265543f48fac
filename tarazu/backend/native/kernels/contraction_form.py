"""A sum of products in its shortest form: axes of length 1 dropped, axes that lie in one line everywhere merged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.lowering.loop_nest import Access, Apply, Expression, Load, Nest, Position, Store
from tarazu.base.dtypes import DType, float32, float64
from tarazu.ir import op as ops


class Form(NamedTuple):
    """`sum(a * b)` over the reduced axes at each place of the kept ones, and what is stored there.

    The accesses of the stores are numbered by their position in `slots`, so that each can have a pointer of its own.
    """

    kept: tuple[int, ...]
    reduced: tuple[int, ...]
    factors: tuple[Access, Access]
    stores: tuple[Store, ...]
    slots: tuple[Access, ...]  # with the buffers of the nest; strides over the kept axes
    positions: bool  # whether a store computes with the place itself
    leading: bool  # whether the first axis is that of the nest, not merged with others
    steady: frozenset[int]  # as in the nest

    @property
    def dtype(self) -> DType:
        return self.factors[0].dtype

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.kept + self.reduced


def normal_form(nest: Nest) -> Form | None:
    """The form of a nest, None when it is no sum of products of floats or has no kept axis longer than 1."""
    factors = _factors(nest)
    if factors is None or 0 in nest.sizes:
        return None
    lines = [factors[0].strides, factors[1].strides]
    for store in nest.stores:
        lines += [part.strides for part in _places(store)]
    kept = _merged(nest.sizes, range(nest.kept), lines)
    reduced = _merged(nest.sizes, range(nest.kept, len(nest.sizes)), lines[:2])
    if not kept:
        return None
    sources = [source for _, source in kept]

    def picked(access: Access) -> Access:
        return access._replace(strides=tuple(access.strides[source] for source in sources))

    slots: list[Access] = []

    def numbered(access: Access) -> Access:
        wanted = picked(access)
        if wanted not in slots:
            slots.append(wanted)
        return wanted._replace(buffer=slots.index(wanted), offset=0)

    known: dict[int, Expression] = {}  # what stores share stays shared
    stores = tuple(Store(_mapped(store.value, numbered, sources, known), numbered(store.access))
                   for store in nest.stores)
    every = [source for _, source in (*kept, *reduced)]
    a, b = (factor._replace(strides=tuple(factor.strides[source] for source in every)) for factor in factors)
    positions = any(isinstance(part, Position) for store in nest.stores for part in _places(store))
    return Form(tuple(size for size, _ in kept), tuple(size for size, _ in reduced), (a, b), stores, tuple(slots),
                positions, kept[0] == (nest.sizes[0], 0), nest.steady)


def _factors(nest: Nest) -> tuple[Access, Access] | None:
    if len(nest.reductions) != 1 or nest.reductions[0].op is not ops.SUM:
        return None
    product = nest.reductions[0].value
    if not isinstance(product, Apply) or product.op is not ops.MUL or product.dtype not in (float32, float64):
        return None
    a, b = product.inputs
    if not (isinstance(a, Load) and isinstance(b, Load) and a.dtype is b.dtype is product.dtype):
        return None
    return a.access, b.access


def _merged(sizes: Sequence[int], axes: range, lines: Sequence[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Lengths of the merged axes, each with the axis of the nest whose strides it has."""
    left = [(sizes[axis], axis) for axis in axes if sizes[axis] > 1]
    while pair := next((pair for pair in _pairs(left) if _in_line(*pair, lines)), None):
        (outer, _), (inner, source) = pair
        left[left.index(pair[0])] = (outer * inner, source)
        left.remove(pair[1])
    return left


def _pairs(axes: list[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    return ((outer, inner) for outer in axes for inner in axes if outer is not inner)


def _in_line(outer: tuple[int, int], inner: tuple[int, int], lines: Sequence[tuple[int, ...]]) -> bool:
    return all(line[outer[1]] == line[inner[1]] * inner[0] for line in lines)


def _places(store: Store) -> Iterator[Access | Position]:
    yield store.access
    waiting = [store.value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Load):
            yield part.access
        elif isinstance(part, Position):
            yield part
        elif isinstance(part, Apply):
            waiting += part.inputs


def _mapped(value: Expression, numbered: Callable[[Access], Access], sources: Sequence[int],
            known: dict[int, Expression]) -> Expression:
    """The expression over the merged axes."""
    if id(value) not in known:
        result = value
        if isinstance(value, Load):
            result = Load(numbered(value.access))
        elif isinstance(value, Position):
            result = value._replace(strides=tuple(value.strides[source] for source in sources))
        elif isinstance(value, Apply):
            result = value._replace(inputs=tuple(_mapped(part, numbered, sources, known) for part in value.inputs))
        known[id(value)] = result
    return known[id(value)]
