"""Groups of nodes that one kernel computes: a nest of loops, at most one reduction, and what is made of its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tarazu.backend.native.lowering.loop_nest import Constant, Expression, Reduction
from tarazu.backend.native.lowering.views import Lines, View, identity, unit, zero
from tarazu.ir.node import Node
from tarazu.ir.types import Shape

Reads = Sequence[tuple[Node, Lines | None]]


class Inner(Protocol):
    """What a reduction is written with: expressions over all axes of the nest."""

    def inner(self, node: Node, lines: Lines) -> Expression:
        """The elements of a node."""

    def load(self, view: View, lines: Lines) -> Expression:
        """The elements of memory."""


class Group:
    """A kernel to be: `members` are stored nodes with their index lines over the kept axes."""

    __slots__ = ("extra", "kept", "members", "reduce", "sizes", "title", "value")

    def __init__(self, sizes: Shape, kept: int, title: str = "map") -> None:
        self.sizes, self.kept, self.title = tuple(sizes), kept, title
        self.members: dict[Node, Lines] = {}
        self.value: Node | None = None  # the member that is the reduction's result
        self.reduce: Callable[[Inner], Reduction] | None = None
        self.extra: list[tuple[Node | View | Constant, View]] = []  # stores that are not of members

    @classmethod
    def reduction(cls, node: Node, kept: Shape, reduced: Shape, reduce: Callable[[Inner], Reduction]) -> Group:
        """The group that starts with a reduction whose result is `node`."""
        group = cls((*kept, *reduced), len(kept), node.op.name)  # type: ignore[union-attr]
        group.value, group.reduce = node, reduce
        group.members[node] = identity(kept)
        return group

    def lines_for(self, node: Node, reads: Reads) -> Lines | None:
        """The lines of `node` over this group's axes when it reads members at matching places only, else None."""
        found: dict[int, int] = {}
        for base, lines in reads:
            if base in self.members and (lines is None or not self._match(node, base, lines, found)):
                return None
        long = [axis for axis, n in enumerate(node.shape) if n != 1]
        wanted = [axis for axis in range(self.kept) if self.sizes[axis] != 1]
        if self.extra or sorted(found) != long or sorted(found.values()) != wanted:
            return None
        return tuple([unit(found[axis], self.kept) if axis in found else zero(self.kept)
                      for axis in range(len(node.shape))])

    def _match(self, node: Node, base: Node, lines: Lines, found: dict[int, int]) -> bool:
        """Whether axes of `node` that follow those of the member `base` follow the same axis of the group always."""
        for size, line, own in zip(base.shape, lines, self.members[base], strict=True):
            if size == 1:
                continue
            axis, target = line.axis, own.axis
            if axis is None or target is None or node.shape[axis] != size:
                return False
            if found.setdefault(axis, target) != target:
                return False
        return True
