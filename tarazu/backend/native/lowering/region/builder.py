"""The builder of a region, which is a graph as steps: where nodes are stored, which step stores them, what is read.

The functions that lower nodes use `store` (memory for a node), `read` (the memory of one) and `append` (a step, or a
group of nodes that becomes one). Groups stay open for further nodes until all nodes are lowered.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from tarazu.backend.native.lowering.buffers import Buffer, View
from tarazu.backend.native.lowering.index_map import VIEWS, view_through
from tarazu.backend.native.lowering.materialize import Demand
from tarazu.backend.native.lowering.nodes import barrier_input, is_barrier_result, op_of
from tarazu.backend.native.lowering.region.convolutions.surroundings import Framed
from tarazu.backend.native.lowering.region.group import Group, Reads
from tarazu.backend.native.lowering.steps import Externals, Step, copy_launch
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, RESULT, Node

MOST_STORES = 8  # of one kernel


def _viewed(node: Node) -> Node:
    """What a view, or a value behind a barrier, shows."""
    return barrier_input(node) if is_barrier_result(node) else node.inputs[0]


class Region(NamedTuple):
    """A graph as steps, and where its outputs lie after them."""

    steps: tuple[Step, ...]
    outputs: tuple[View, ...]


class LowerGraph(Protocol):
    """Makes the region of a graph inside a node: the body of a loop, or a branch.

    Its inputs lie in `inputs`; output i goes to `targets[i]` if that is a view. The first `constants` inputs are the
    same in all iterations of a loop.
    """

    def __call__(self, graph: Graph, inputs: Sequence[View], targets: Sequence[View | None],
                 constants: int = 0) -> Region: ...


class RegionBuilder:
    """What is known of one graph while its nodes are lowered, inputs before users."""

    def __init__(self, graph: Graph, inputs: Sequence[View], externals: Externals, targets: Mapping[Node, View],
                 constants: int) -> None:
        self.externals, self.demand = externals, Demand(graph)
        self.parts: list[Group | Step] = []
        self.loop_invariant = frozenset([view.buffer.root for view in inputs[:constants]])
        self._targets = targets  # where values go that are outputs
        self._views: dict[Node, View] = dict(zip(graph.parameters, inputs, strict=True))
        self._position: dict[Node, int] = {}  # of the part that stores a node
        self._read: set[Node] = set()  # stored nodes that another part reads
        self.framed: dict[Buffer, Framed] = {}  # memory in which a tensor lies in the middle of zeros
        self.pairs: dict[tuple[View, int], View] = {}  # what has the numbers of a view in pairs along an axis

    # Memory

    def store(self, node: Node) -> View:
        """The memory that `node` is stored in from now on: that of an output, or new memory."""
        self._views[node] = self._targets.get(node) or View.new(node.dtype, node.shape)
        return self._views[node]

    def store_at(self, node: Node, view: View) -> None:
        """Let `node`, which is no output, lie in memory that is there."""
        self._views[node] = view

    def store_results(self, node: Node) -> list[View]:
        """Memory for all results of a primitive, also for those that are not used."""
        if not op_of(node).multiple:
            return [self.store(node)]
        used = {x.attributes["index"]: x for x in self.results(node)}
        return [self.store(used[i]) if i in used else View.new(type_.dtype, type_.shape)
                for i, type_ in enumerate(node.type)]

    def results(self, node: Node) -> list[Node]:
        """The nodes that stand for the results of a primitive."""
        return [x for x in self.demand.users[node] if x.op is RESULT] if op_of(node).multiple else [node]

    def read(self, node: Node) -> View:
        """Memory that holds the value of `node`; a part that reads it must follow."""
        self.mark_read([self.base(node)])
        return self.view(node)

    def read_contiguous(self, node: Node) -> View:
        """The same in C order."""
        view = self.read(node)
        assert view.is_contiguous, f"{node.op} is not contiguous"
        return view

    def mark_read(self, nodes: Iterable[Node]) -> None:
        """Note that a part reads the memory of these nodes, which must then be stored."""
        self._read.update(nodes)

    def kept(self, outputs: Sequence[Node]) -> frozenset[Node]:
        """The nodes whose memory is needed after the part that computes them: by other parts, or as outputs."""
        return frozenset([*self._read, *outputs, *map(self.base, outputs)])

    def is_loaded(self, node: Node) -> bool:
        """Whether an expression loads the value of `node` from memory, where it could also compute it."""
        return (node in self._views or node.op is CONSTANT) and (
            node not in self.demand.stored or self.demand.is_read(node))

    def base(self, node: Node) -> Node:
        """The stored node whose memory a view of `node` shows."""
        return self._path(node)[-1]

    def _path(self, node: Node) -> list[Node]:
        """`node` and all that it shows as a view or behind a barrier, down to the one that has memory."""
        path = [node]
        while path[-1] not in self._views and (path[-1].op in VIEWS or is_barrier_result(path[-1])):
            path.append(_viewed(path[-1]))
        return path

    def view(self, node: Node) -> View:
        """Memory that holds the value of `node`, for a part that is known to read it."""
        *through, node = self._path(node)
        if through:
            self.mark_read([node])
        if node.op is CONSTANT and node not in self._views:
            self._views[node] = View.whole(self.externals.constant(node), node.shape)
        view: View | None = self._views.get(node)
        for one in reversed(through):
            view = view if view is None or is_barrier_result(one) else view_through(view, one)
        assert view is not None, f"{node.op} has no memory"
        return view

    # Parts

    def append(self, part: Group | Step, *nodes: Node) -> None:
        """Append a part, which stores `nodes`."""
        self._position.update(dict.fromkeys(nodes, len(self.parts)))
        self.parts.append(part)

    def copy(self, source: View, target: View, *nodes: Node) -> None:
        """Copy the elements of one contiguous view to another, which is where `nodes` lie."""
        if source.buffer.size and math.prod(source.shape):
            self.append(copy_launch(source, target), *nodes)

    def join(self, node: Node, reads: Reads) -> bool:
        """Let the last group that an elementwise `node` reads from store it too, where each of its elements needs just
        one of the group's. Whether that is so."""
        position = max((self._position.get(base, -1) for base, _ in reads), default=-1)
        group = self.parts[position] if position >= 0 else None
        if not isinstance(group, Group) or len(group.members) >= MOST_STORES:
            return False
        index_map = group.index_map_for(node, reads)
        if index_map is None:
            return False
        self.store(node)
        self.mark_read([base for base, _ in reads if base not in group.members])
        self.parts[position] = group.with_member(node, index_map)
        self._position[node] = position
        return True
