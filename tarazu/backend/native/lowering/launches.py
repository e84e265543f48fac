"""From groups to launches: expressions and accesses are fixed, axes that can be one are joined."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tarazu.backend.native.lowering.group import Group
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Accumulated,
    Apply,
    Constant,
    Expression,
    Load,
    Nest,
    Reduction,
    Store,
    accesses,
    leaf_map,
    walk,
)
from tarazu.backend.native.lowering.materialize import CHEAP, DEAR
from tarazu.backend.native.lowering.steps import Launch, Operand
from tarazu.backend.native.lowering.views import Buffer, Lines, View, access, identity
from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.node import Node

if TYPE_CHECKING:
    from tarazu.backend.native.lowering.region import Region

EMPTY = {ops.SUM: 0, ops.PROD: 1, ops.ANY_TRUE: 0, ops.ALL_TRUE: 1}  # what reductions of nothing give


class _Maker:
    """Makes the launch of one group."""

    def __init__(self, region: Region, group: Group) -> None:
        self.region, self.group = region, group
        self.operands: list[Operand] = []
        self.numbers: dict[Buffer, int] = {}
        self.writes: set[int] = set()
        self.memo: dict = {"rank": group.kept}
        self.all: dict = {"rank": len(group.sizes)}

    def number(self, buffer: Buffer) -> int:
        """The position of a buffer among the kernel's."""
        if buffer not in self.numbers:
            self.numbers[buffer] = len(self.operands)
            self.operands.append((buffer, 0))
        return self.numbers[buffer]

    def at(self, view: View, lines: Lines, rank: int) -> Access:
        return access(view, lines, rank, view.buffer.dtype)._replace(buffer=self.number(view.buffer))

    def member(self, base: Node, lines: Lines | None, view: View, found: Lines) -> Expression:
        """A leaf of an expression over the kept axes."""
        if base not in self.group.members:
            return Load(self.at(view, found, self.group.kept))
        return self.value(base)

    def value(self, node: Node) -> Expression:
        """The expression of a member."""
        if node is self.group.value:
            return self.memo.setdefault("accumulated", Accumulated(0, node.dtype))
        return self.region.build(node, self.group.members[node], self.member, self.memo, start=True)

    def inner(self, node: Node, lines: Lines) -> Expression:
        """The elements of a node over all axes of the nest."""
        return self.region.build(node, lines, lambda base, lines, view, found: self.load(view, found), self.all)

    def load(self, view: View, lines: Lines) -> Expression:
        """The elements of memory over all axes of the nest."""
        return Load(self.at(view, lines, len(self.group.sizes)))

    def stores(self, kept: set[Node]) -> tuple[Store, ...]:
        rank, found = self.group.kept, []
        for node, lines in self.group.members.items():
            if node in kept:
                value = self.value(node)
                found.append(Store(value, self._written(self.region.views[node], lines, rank)))
        for source, view in self.group.extra:
            found.append(Store(self._extra(source, view), self._written(view, identity(view.shape), rank)))
        return tuple(found)

    def _extra(self, source: Node | View | Constant, target: View) -> Expression:
        if isinstance(source, Constant):
            return source
        lines = identity(target.shape)
        if isinstance(source, View):
            return Load(self.at(source, lines, self.group.kept))
        fit = lines if source.shape else ()
        return self.region.build(source, fit, self.member, self.memo)

    def _written(self, view: View, lines: Lines, rank: int) -> Access:
        made = self.at(view, lines, rank)
        self.writes.add(made.buffer)
        return made


def launch(region: Region, group: Group, kept: set[Node]) -> list[Launch]:
    """The launch of a group, or nothing where nobody needs what it computes."""
    maker = _Maker(region, group)
    if 0 in group.sizes[:group.kept]:
        return []
    stores = maker.stores(kept)
    if not stores:
        return []
    reductions = () if group.reduce is None else (group.reduce(maker),)
    loop_invariant = frozenset(number for buffer, number in maker.numbers.items() if buffer.root in region.steady)
    nest = Nest(group.sizes, group.kept, reductions, stores, loop_invariant)
    if 0 in group.sizes:
        nest = _of_nothing(nest)
        maker.operands = maker.operands[:1 + max(access.buffer for access in accesses(nest))]
    return [Launch(group.title, maker.operands, maker.writes, nest=nest, estimate=estimate(nest),
                   members=tuple(group.members))]


def copy(source: View, target: View) -> Launch:
    """A launch that copies bytes between contiguous views."""
    size = source.buffer.dtype.itemsize * math.prod(source.shape)
    unit = next(dtype for dtype in (dtypes.uint64, dtypes.uint32, dtypes.uint16, dtypes.uint8)
                if not size % dtype.itemsize and not (source.offset * source.buffer.dtype.itemsize) % dtype.itemsize
                and not (target.offset * target.buffer.dtype.itemsize) % dtype.itemsize)
    sizes = (size // unit.itemsize,)
    offsets = [view.offset * view.buffer.dtype.itemsize // unit.itemsize for view in (source, target)]
    value = Load(Access(0, unit, offsets[0], (1,)))
    nest = Nest(sizes, 1, (), (Store(value, Access(1, unit, offsets[1], (1,))),))
    return Launch("copy", [(source.buffer, 0), (target.buffer, 0)], {1}, nest=nest, estimate=estimate(nest))


def _of_nothing(nest: Nest) -> Nest:
    """A nest whose reduction has no elements, without the reduction."""
    def value(leaf: Expression) -> Expression:
        return Constant(EMPTY[nest.reductions[leaf.which].op], leaf.dtype) if isinstance(leaf, Accumulated) else leaf

    changed = leaf_map(value)
    stores = tuple([Store(changed(store.value), store.access) for store in nest.stores])
    return Nest(nest.sizes[:nest.kept], nest.kept, (), stores)


# Costs -------------------------------------------------------------------------------------------------------

_PRODUCT = 0.4  # what a product and its addition cost in a register tile, where loading a number costs 1


def is_product(reduction: Reduction) -> bool:
    """Whether a reduction is a sum of products of two loads."""
    value = reduction.value
    return (reduction.op is ops.SUM and isinstance(value, Apply) and value.op is ops.MUL
            and all(isinstance(x, Load) for x in value.inputs))


def estimate(nest: Nest) -> float:
    """About how many nanoseconds one thread takes."""
    inner = sum(_PRODUCT if is_product(r) else _weight(r.value) + 1 for r in nest.reductions)
    outer = _weight(*[store.value for store in nest.stores]) + len(nest.stores)
    places = math.prod(nest.sizes[:nest.kept])
    return 0.05 * (math.prod(nest.sizes) * inner * bool(nest.reductions) + places * outer)


def _weight(*expressions: Expression) -> float:
    return sum(1.0 if isinstance(part, Load) else (1 if part.op in CHEAP else DEAR.get(part.op, 20))
               for part in walk(*expressions) if isinstance(part, Load | Apply))
