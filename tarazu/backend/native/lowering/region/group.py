"""Groups of nodes that one kernel computes: at most one reduction, and elementwise nodes over the same indices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from tarazu.backend.native.lowering.buffers import View
from tarazu.backend.native.lowering.index_map import AffineIndex, IndexMap, identity, zero
from tarazu.backend.native.lowering.loop_nest import Constant, Expression, Reduction
from tarazu.backend.native.lowering.nodes import op_of
from tarazu.ir.node import Node
from tarazu.ir.types import Shape

Reads = Sequence[tuple[Node, IndexMap | None]]  # stored nodes, and where they are read; None where that is not affine


class Inner(Protocol):
    """What a reduction is written with: expressions over all axes of the nest."""

    def element(self, node: Node, index_map: IndexMap) -> Expression:
        """The element of a node."""

    def load(self, view: View, index_map: IndexMap) -> Expression:
        """The element in memory."""


class Computed(NamedTuple):
    """A store of a group that is of no node: what it stores, and where, over the kept axes."""

    value: Expression
    view: View
    index_map: IndexMap


class Group(NamedTuple):
    """A kernel to be: `members` are stored nodes with their index maps over the kept axes."""

    title: str
    sizes: Shape  # of the kept axes, then of the reduced ones
    kept: int  # how many axes are kept
    members: Mapping[Node, IndexMap]
    value: Node | None = None  # the member that is the reduction's result
    reduce: Callable[[Inner], Reduction] | None = None
    computed: Callable[[Inner], Iterable[Computed]] | None = None  # stores that are not of members

    @classmethod
    def elementwise(cls, node: Node) -> Group:
        """The group of one elementwise node."""
        return cls("map", node.shape, len(node.shape), {node: identity(node.shape)})

    @classmethod
    def store(cls, title: str, source: Node | View | Constant, target: View) -> Group:
        """The group that stores something in all elements of a view: a node's elements, those of a view, a number."""
        where = identity(target.shape)

        def computed(nest: Inner) -> Iterable[Computed]:
            if isinstance(source, Constant):
                value: Expression = source
            elif isinstance(source, View):
                value = nest.load(source, where)
            else:
                value = nest.element(source, where if source.shape else ())
            return [Computed(value, target, where)]

        return cls.computing(title, target.shape, computed)

    @classmethod
    def computing(cls, title: str, sizes: Shape, computed: Callable[[Inner], Iterable[Computed]],
                  kept: int | None = None, reduce: Callable[[Inner], Reduction] | None = None) -> Group:
        """The group of stores that are of no nodes; `reduce` has the axes from number `kept` on too."""
        return cls(title, sizes, len(sizes) if kept is None else kept, {}, None, reduce, computed)

    @classmethod
    def reduction(cls, node: Node, kept: Shape, reduced: Shape, reduce: Callable[[Inner], Reduction],
                  result: IndexMap | None = None) -> Group:
        """The group that starts with a reduction whose result is `node`, stored at `result` or in order."""
        return cls(op_of(node).name, (*kept, *reduced), len(kept), {node: result or identity(kept)}, node, reduce)

    def with_member(self, node: Node, index_map: IndexMap) -> Group:
        """The group that also computes `node`."""
        return self._replace(members={**self.members, node: index_map})

    def index_map_for(self, node: Node, reads: Reads) -> IndexMap | None:
        """The index map of `node` over this group's axes when it reads members at matching indices only, else None."""
        found: dict[int, AffineIndex] = {}  # axes of the node, and where the group has them
        for base, index_map in reads:
            if base in self.members and (index_map is None or not self._match(node, base, index_map, found)):
                return None
        long = [axis for axis, n in enumerate(node.shape) if n != 1]
        wanted = [axis for axis in range(self.kept) if self.sizes[axis] != 1]
        met = sorted([axis for index in found.values() for axis in wanted if index.coefficients[axis]])
        if self.computed or sorted(found) != long or met != wanted:
            return None
        return tuple([found.get(axis, zero(self.kept)) for axis in range(len(node.shape))])

    def _match(self, node: Node, base: Node, index_map: IndexMap, found: dict[int, AffineIndex]) -> bool:
        """Whether axes of `node` that follow those of the member `base` are the same for the group always."""
        for size, index, own in zip(base.shape, index_map, self.members[base], strict=True):
            if size == 1:
                continue
            axis = index.axis
            if axis is None or node.shape[axis] != size or found.setdefault(axis, own) != own:
                return False
        return True
