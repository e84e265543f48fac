"""Fewer and longer loops: axes of size 1 are dropped, axes that every access walks as one are merged."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from tarazu.backend.native.kernels.loops import FEW_ITEMS
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Expression,
    Load,
    Nest,
    Position,
    Reduction,
    Store,
    Triangle,
    accesses,
    expressions,
    leaf_map,
    walk,
)

Affine = TypeVar("Affine", Access, Position)
Strides = tuple[int, ...]


class Axis(NamedTuple):
    """An axis that stands for one or more axes of a nest."""

    size: int
    source: int  # the axis of the nest whose strides it has: the innermost of those merged


Pairs = Callable[[list[Axis]], Iterable[tuple[Axis, Axis]]]


def all_pairs(axes: list[Axis]) -> Iterable[tuple[Axis, Axis]]:
    """Every axis as the outer one of every other, where the order of loops is free."""
    return itertools.permutations(axes, 2)


def merged_axes(sizes: Sequence[int], axes: Iterable[int], strides: Sequence[Sequence[int]],
                pairs: Pairs = all_pairs) -> list[Axis]:
    """The axes that are left when those of `pairs` (outer, inner) are merged that lie in one line in all `strides`."""
    left = [Axis(sizes[axis], axis) for axis in axes if sizes[axis] != 1]
    while pair := next((pair for pair in pairs(left) if _is_one_line(*pair, strides)), None):
        outer, inner = pair
        left[left.index(outer)] = Axis(outer.size * inner.size, inner.source)
        left.remove(inner)
    return left


def _is_one_line(outer: Axis, inner: Axis, strides: Sequence[Sequence[int]]) -> bool:
    return all(own[outer.source] == own[inner.source] * inner.size for own in strides)


def along(x: Affine, axes: Sequence[Axis]) -> Affine:
    """An access or a position over merged axes; one with strides for the kept axes only gets them for those only."""
    return x._replace(strides=_along(x.strides, axes))


def _along(strides: Strides, axes: Sequence[Axis]) -> Strides:
    return tuple([strides[axis.source] for axis in axes if axis.source < len(strides)])


def with_strides(nest: Nest, change: Callable[[Strides], Strides]) -> tuple[tuple[Reduction, ...], tuple[Store, ...]]:
    """The reductions and stores of a nest with the strides of all accesses and positions changed."""
    def leaf(x: Expression) -> Expression:
        if isinstance(x, Load):
            return Load(there(x.access))
        return there(x) if isinstance(x, Position) else x

    def there(x: Affine) -> Affine:
        return x._replace(strides=change(x.strides))

    changed = leaf_map(leaf)
    return (tuple([Reduction(r.op, changed(r.value)) for r in nest.reductions]),
            tuple([Store(changed(s.value), there(s.access)) for s in nest.stores]))


def with_merged_axes(nest: Nest) -> Nest:
    """The nest with neighboring axes as one where every access allows it.

    A first axis that is long enough to be shared out among threads stays apart, so that kernels one after the other
    share alike and need not wait for each other.
    """
    rank = len(nest.sizes)
    strides = [[*own, *[0] * (rank - len(own))] for own in _all_strides(nest)]
    if nest.outer:
        ends = 0, nest.outer - (nest.parts > 1), nest.outer, nest.kept
        kept = [axis for start, end in itertools.pairwise(ends)
                for axis in merged_axes(nest.sizes, range(start, end), strides, itertools.pairwise)]
    else:
        kept = merged_axes(nest.sizes, range(nest.kept), strides, _neighbors_behind_a_long_first)
    return over_axes(nest, kept + merged_axes(nest.sizes, range(nest.kept, rank), strides, itertools.pairwise))


def over_axes(nest: Nest, axes: Sequence[Axis]) -> Nest:
    """The nest with other axes, which stand for its own in order."""
    reductions, stores = with_strides(nest, lambda own: _along(own, axes))
    outer, kept = (sum(axis.source < end for axis in axes) for end in (nest.outer, nest.kept))
    return Nest(tuple([axis.size for axis in axes]), kept, reductions, stores, nest.loop_invariant, outer,
                triangle_along(nest, axes), nest.parts)


def without_short_axes(nest: Nest) -> Nest:
    """The nest without axes of size 1."""
    return over_axes(nest, [Axis(size, axis) for axis, size in enumerate(nest.sizes) if size != 1])


def triangle_along(nest: Nest, axes: Sequence[Axis]) -> Triangle | None:
    """The triangle of a nest over other axes."""
    numbers = {axis.source: number for number, axis in enumerate(axes)}
    if nest.triangle is None or not all(axis in numbers for axis in nest.triangle.axes):
        return None
    row, column, *block = [numbers[axis] for axis in nest.triangle.axes]
    return nest.triangle._replace(row=row, column=column, block=block[0] if block else None)


def apart(nest: Nest) -> list[list[int]]:
    """Strides by which the axes of the triangle do not lie in one line with others."""
    axes = nest.triangle.axes if nest.triangle else ()
    return [[int(axis == own) for axis in range(len(nest.sizes))] for own in axes]


def _neighbors_behind_a_long_first(axes: list[Axis]) -> Iterable[tuple[Axis, Axis]]:
    pairs = list(itertools.pairwise(axes))
    return pairs[1:] if axes and axes[0].size >= FEW_ITEMS else pairs


def _all_strides(nest: Nest) -> list[Sequence[int]]:
    positions = [x.strides for x in walk(*expressions(nest)) if isinstance(x, Position)]
    return [*[access.strides for access in accesses(nest)], *positions, *apart(nest)]
