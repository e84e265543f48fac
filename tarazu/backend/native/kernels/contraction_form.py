"""Contractions, sums of products over axes, in normal form: axes of length 1 are dropped, axes that every access walks
as one are merged."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.merge_axes import along, apart, merged_axes, triangle_along
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Apply,
    Expression,
    Load,
    Nest,
    Position,
    Store,
    Triangle,
    factors_in_pairs,
    leaf_map,
    loads,
    walk,
)
from tarazu.base.dtypes import DType, float32, float64, uint32
from tarazu.ir import op as ops

Factors = tuple[Access, Access]


class Spread(NamedTuple):
    """Groups of columns that are narrower than vectors, as convolutions have them, side by side in vectors. Each column
    meets the numbers of its own group only, of which the left factor has as many as the group has columns."""

    left: int  # which factor that is
    size: int  # of a group
    axis: int  # along which the numbers of a group lie side by side; the strides of the left factor do without
    column: int  # the axis of the nest along which the columns of a group lie


class Form(NamedTuple):
    """`sum(a * b)` over the reduced axes for all indices of the kept axes, and what is stored for each.

    The accesses of the stores are numbered by their position in `slots`, so that each can have a pointer of its own.
    """

    kept: tuple[int, ...]  # sizes
    reduced: tuple[int, ...]  # sizes
    factors: Factors
    stores: tuple[Store, ...]
    slots: tuple[Access, ...]  # with the buffers of the nest; strides over the kept axes
    positions: bool  # whether a store computes with the indices themselves
    leading: bool  # whether the first axis is that of the nest, not merged with others
    loop_invariant: frozenset[int]  # as in the nest
    outer: int  # how many of the first axes make up the items; 0 where the choice says what does
    triangle: Triangle | None  # of indices that count
    spread: Spread | None  # of groups, as one axis along which the left factor seems to lie like the right one

    @property
    def dtype(self) -> DType:
        """That of the factors."""
        return self.factors[0].dtype

    @property
    def sum_dtype(self) -> DType:
        return float32 if self.has_pairs else self.dtype

    @property
    def has_pairs(self) -> bool:
        """Whether each factor is a pair of numbers of bfloat16."""
        return self.dtype is uint32

    @property
    def sizes(self) -> tuple[int, ...]:
        """Those of all axes, the kept ones first."""
        return self.kept + self.reduced


def normal_form(nest: Nest, vector_bytes: int) -> Form | None:
    """The form of a nest for vectors of such a width; None where it is no sum of products of floats or has no kept axis
    longer than 1."""
    factors = _factors(nest)
    if factors is None or 0 in nest.sizes:
        return None
    values = [store.value for store in nest.stores]
    positions = [x for x in walk(*values) if isinstance(x, Position)]
    stored = [*[x.strides for x in positions], *[access.strides for access in loads(*values)],
              *[store.access.strides for store in nest.stores], *apart(nest)]
    spread = None if positions or nest.triangle or nest.outer else _spread(
        nest, factors, stored, vector_bytes // factors[0].dtype.itemsize)
    factor_strides = apart(nest)
    if spread is not None:
        factors = _with_one_each(factors, spread)
        factor_strides.append([int(axis == spread.axis) for axis in range(len(nest.sizes))])
    factor_strides += [list(factor.strides) for factor in factors]
    outer = merged_axes(nest.sizes, range(nest.outer), factor_strides + stored, itertools.pairwise)
    kept = outer + merged_axes(nest.sizes, range(nest.outer, nest.kept), factor_strides + stored)
    reduced = merged_axes(nest.sizes, range(nest.kept, len(nest.sizes)), factor_strides)
    if not kept:
        return None
    slots: list[Access] = []

    def numbered(access: Access) -> Access:
        wanted = along(access, kept)
        if wanted not in slots:
            slots.append(wanted)
        return wanted._replace(buffer=slots.index(wanted), offset=0)

    def over_axes(leaf: Expression) -> Expression:
        if isinstance(leaf, Load):
            return Load(numbered(leaf.access))
        return along(leaf, kept) if isinstance(leaf, Position) else leaf

    changed = leaf_map(over_axes)
    stores = tuple([Store(changed(store.value), numbered(store.access)) for store in nest.stores])
    a, b = (along(factor, [*kept, *reduced]) for factor in factors)
    if spread is not None:
        spread = spread._replace(axis=[axis.source for axis in (*kept, *reduced)].index(spread.axis))
    return Form(tuple([axis.size for axis in kept]), tuple([axis.size for axis in reduced]), (a, b), stores,
                tuple(slots), bool(positions), kept[0] == (nest.sizes[0], 0), nest.loop_invariant, len(outer),
                triangle_along(nest, [*kept, *reduced]), spread)


def _spread(nest: Nest, factors: Factors, stored: Sequence[Sequence[int]], lanes: int) -> Spread | None:
    """The groups that lie side by side in both factors and in all that is stored; None where there are none, or they
    are as wide as vectors."""
    long = [axis for axis, size in enumerate(nest.sizes) if size > 1]
    kept = [axis for axis in long if axis < nest.kept]
    for left, column in itertools.product(range(2), kept):
        a, b, size = factors[left].strides, factors[1 - left].strides, nest.sizes[column]
        if a[column] or b[column] != 1 or size >= lanes or lanes % size:
            continue
        for group, inner in itertools.product(kept, long):
            is_group = a[group] == b[group] == size and all(own[group] == size * own[column] for own in stored)
            is_inner = a[inner] == 1 and nest.sizes[inner] == size and (inner >= nest.kept or not b[inner])
            if is_group and is_inner:
                return Spread(left, size, inner, column)
    return None


def _with_one_each(factors: Factors, spread: Spread) -> Factors:
    """The factors with a number of the left one for each column, as if it lay there."""
    changed = list(factors)
    strides = list(factors[spread.left].strides)
    strides[spread.column], strides[spread.axis] = 1, 0
    changed[spread.left] = factors[spread.left]._replace(strides=tuple(strides))
    return changed[0], changed[1]


def _factors(nest: Nest) -> Factors | None:
    """What the only reduction of a nest multiplies and sums, where it does so with two loads of floats."""
    if len(nest.reductions) != 1 or nest.reductions[0].op is not ops.SUM:
        return None
    product = nest.reductions[0].value
    if (found := factors_in_pairs(product)) is not None:
        return found
    if not isinstance(product, Apply) or product.op is not ops.MUL or product.dtype not in (float32, float64):
        return None
    a, b = product.inputs
    if not (isinstance(a, Load) and isinstance(b, Load) and a.dtype is b.dtype is product.dtype):
        return None
    return a.access, b.access
