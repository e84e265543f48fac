"""Contractions, sums of products over axes, in normal form: axes of length 1 are dropped, axes that every access walks
as one are merged."""

from __future__ import annotations

import itertools
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


class Form(NamedTuple):
    """`sum(a * b)` over the reduced axes for all indices of the kept axes, and what is stored for each.

    The accesses of the stores are numbered by their position in `slots`, so that each can have a pointer of its own.
    """

    kept: tuple[int, ...]  # sizes
    reduced: tuple[int, ...]  # sizes
    factors: tuple[Access, Access]
    stores: tuple[Store, ...]
    slots: tuple[Access, ...]  # with the buffers of the nest; strides over the kept axes
    positions: bool  # whether a store computes with the indices themselves
    leading: bool  # whether the first axis is that of the nest, not merged with others
    loop_invariant: frozenset[int]  # as in the nest
    outer: int  # how many of the first axes make up the items; 0 where the choice says what does
    triangle: Triangle | None  # of indices that count

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


def normal_form(nest: Nest) -> Form | None:
    """The form of a nest; None where it is no sum of products of floats or has no kept axis longer than 1."""
    factors = _factors(nest)
    if factors is None or 0 in nest.sizes:
        return None
    values = [store.value for store in nest.stores]
    positions = [x for x in walk(*values) if isinstance(x, Position)]
    stored = [*[x.strides for x in positions], *[access.strides for access in loads(*values)],
              *[store.access.strides for store in nest.stores], *apart(nest)]
    factor_strides = [*[factor.strides for factor in factors], *apart(nest)]
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
    return Form(tuple([axis.size for axis in kept]), tuple([axis.size for axis in reduced]), (a, b), stores,
                tuple(slots), bool(positions), kept[0] == (nest.sizes[0], 0), nest.loop_invariant, len(outer),
                triangle_along(nest, [*kept, *reduced]))


def _factors(nest: Nest) -> tuple[Access, Access] | None:
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
