"""From groups to launches: the nest of a group, with its expressions and the buffers that it reads and writes."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

from tarazu.backend.native.lowering.buffers import Buffer, View
from tarazu.backend.native.lowering.index_map import IndexMap, access
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Accumulated,
    Constant,
    Expression,
    Load,
    Nest,
    Store,
    accesses,
    leaf_map,
)
from tarazu.backend.native.lowering.region.builder import RegionBuilder
from tarazu.backend.native.lowering.region.expressions import ExpressionBuilder
from tarazu.backend.native.lowering.region.group import Group
from tarazu.backend.native.lowering.steps import NestLaunch, Operand
from tarazu.backend.native.lowering.trampoline import Recursive, run
from tarazu.ir import op as ops
from tarazu.ir.node import Node

EMPTY = {ops.SUM: 0, ops.PROD: 1, ops.ANY_TRUE: 0, ops.ALL_TRUE: 1}  # what reductions of nothing give


def launch(builder: RegionBuilder, group: Group, kept: Set[Node]) -> NestLaunch | None:
    """The launch of a group; None where it has no elements, or where nothing needs what it computes.

    `kept` are the nodes whose memory is needed after it.
    """
    if 0 in group.sizes[:group.kept]:
        return None
    parts = _NestBuilder(builder, group)
    stores = tuple(parts.stores(kept))
    if not stores:
        return None
    reductions = () if group.reduce is None else (group.reduce(parts),)
    nest = Nest(group.sizes, group.kept, reductions, stores, parts.loop_invariant())
    operands = parts.operands
    if 0 in group.sizes:
        nest = _of_nothing(nest)
        operands = operands[:1 + max(access.buffer for access in accesses(nest))]
    return NestLaunch.of(group.title, operands, parts.writes, nest, group.members)


class _NestBuilder:
    """The expressions of one group, and the buffers that they name, numbered in the order in which they come up."""

    def __init__(self, builder: RegionBuilder, group: Group) -> None:
        self.builder, self.group = builder, group
        self.operands: list[Operand] = []
        self.writes: set[int] = set()
        self._numbers: dict[Buffer, int] = {}
        self.over_kept = ExpressionBuilder(builder, group.kept, self._leaf)
        self._over_all = ExpressionBuilder(builder, len(group.sizes),
                                           lambda base, index_map, view, view_map: self.load(view, view_map))
        self._accumulated: Accumulated | None = None

    def loop_invariant(self) -> frozenset[int]:
        """The numbers of the buffers that the loop around does not change."""
        return frozenset([number for buffer, number in self._numbers.items()
                          if buffer.root in self.builder.loop_invariant])

    def stores(self, kept: Set[Node]) -> Iterator[Store]:
        """What the group stores: members that are needed later, and stores that are of none."""
        for node, index_map in self.group.members.items():
            if node in kept:
                value = run(self._member(node))
                yield Store(value, self._written(self.builder.view(node), index_map))
        if self.group.computed is not None:
            for value, view, index_map in self.group.computed(_OverKept(self)):
                yield Store(value, self._written(view, index_map))

    def element(self, node: Node, index_map: IndexMap) -> Expression:
        """The element of a node over all axes of the nest."""
        return self._over_all.read(node, index_map)

    def load(self, view: View, index_map: IndexMap) -> Expression:
        """The element in memory over all axes of the nest."""
        return Load(self.access(view, index_map, len(self.group.sizes)))

    def access(self, view: View, index_map: IndexMap, rank: int) -> Access:
        """Where the elements of a view lie."""
        buffer = view.buffer
        if buffer not in self._numbers:
            self._numbers[buffer] = len(self.operands)
            self.operands.append(Operand(buffer))
        return access(view, index_map, rank, buffer.dtype)._replace(buffer=self._numbers[buffer])

    def _leaf(self, base: Node, index_map: IndexMap | None, view: View,
              view_map: IndexMap) -> Expression | Recursive[Expression]:
        """What stands for a stored node over the kept axes: the expression of a member, or a load."""
        if base in self.group.members:
            return self._member(base)
        return Load(self.access(view, view_map, self.group.kept))

    def _member(self, node: Node) -> Recursive[Expression]:
        if node is not self.group.value:
            return (yield self.over_kept.computing(node, self.group.members[node]))
        if self._accumulated is None:
            self._accumulated = Accumulated(0, node.dtype)
        return self._accumulated

    def _written(self, view: View, index_map: IndexMap) -> Access:
        written = self.access(view, index_map, self.group.kept)
        self.writes.add(written.buffer)
        return written


class _OverKept(NamedTuple):
    """What stores are written with: expressions over the kept axes of the nest."""

    parts: _NestBuilder

    def element(self, node: Node, index_map: IndexMap) -> Expression:
        """The element of a node."""
        return self.parts.over_kept.read(node, index_map)

    def load(self, view: View, index_map: IndexMap) -> Expression:
        """The element in memory."""
        return Load(self.parts.access(view, index_map, self.parts.group.kept))


def _of_nothing(nest: Nest) -> Nest:
    """A nest whose reduction has no elements, without the reduction."""
    def value(leaf: Expression) -> Expression:
        return Constant(EMPTY[nest.reductions[leaf.which].op], leaf.dtype) if isinstance(leaf, Accumulated) else leaf

    changed = leaf_map(value)
    stores = tuple([Store(changed(store.value), store.access) for store in nest.stores])
    return Nest(nest.sizes[:nest.kept], nest.kept, (), stores)
