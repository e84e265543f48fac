"""Which nodes of a graph are stored in memory of their own, and which are computed anew where they are used.

A node is stored when a user needs it in memory, or when computing it for each use would cost too much. What the way
back needs of an activation is one value, its derivative, stored by the kernel that computes the activation.
"""

from __future__ import annotations

import itertools
from enum import Enum, auto

from tarazu.backend.native.lowering.costs import cost
from tarazu.backend.native.lowering.index_map import VIEWS
from tarazu.backend.native.lowering.nodes import is_barrier_result, op_of
from tarazu.backend.native.lowering.primitives import (
    NESTS,
    is_affine,
    is_compiled,
    is_elementwise,
    is_scatter_into_zeros,
)
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Node
from tarazu.ir.types import TensorType

LARGEST = 48  # what an expression may cost that is computed for each use
LARGE = 2**18  # bytes of a value from which on it is rather computed again for each user, from one other value,
AGAIN = 8  # where that costs no more than this, than written and read again
FEW = 8  # values of which so many times fewer are read cost nothing beside
EARLY = 4  # the same of a single number that could be computed before everything else


class Need(Enum):
    """What a user makes of a value."""

    NUMBERS = auto()  # its elements, wherever they come from
    STRIDED = auto()  # memory, in any order that strides describe
    CONTIGUOUS = auto()  # memory in the order of its axes


class Demand:
    """What the users of each node need, and from that which nodes are stored."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.needs: dict[Node, set[Need]] = {node: set() for node in graph.nodes}
        self.users: dict[Node, list[Node]] = {node: [] for node in graph.nodes}
        self.weight: dict[Node, int] = {}
        self._sources: dict[Node, frozenset[Node]] = {}  # what has memory and is about as large, down from a node
        self._homes: dict[Node, frozenset[Node]] = {}  # results of reductions and products that a node follows from
        self._uses: dict[Node, int] = {}  # for how many elements of its own a user computes a value anew
        self.stored: set[Node] = set()
        self.early: set[Node] = set()  # single numbers that follow from single numbers that are given
        for node in graph.outputs:
            self.needs[node].add(Need.CONTIGUOUS)
        for node in reversed(graph.nodes):
            self._note_needs(node)
            self._uses[node] = self._uses_of(node)
        for node in graph.nodes:
            self._homes[node] = self._homes_of(node)
        for node in graph.nodes:
            if self._is_early(node):
                self.early.add(node)
            if self._is_stored(node):
                self.stored.add(node)
            self.weight[node] = 0 if self.is_read(node) else self._weight(node)
            self._sources[node] = self._sources_of(node)

    def is_read(self, node: Node) -> bool:
        """Whether users read the node from memory.

        A single number is computed anew instead, even where it is stored, so that no thread waits for another; unless
        that takes long and it can be computed before everything else.
        """
        again = EARLY if node in self.early else LARGEST
        return node in self.stored and not (is_compiled(node) and is_elementwise(node) and node.type.size == 1
                                            and self._weight(node) <= again)

    def _is_early(self, node: Node) -> bool:
        """Whether a node is a single number that follows from single numbers among the inputs and constants."""
        return (bool(node.inputs) and is_compiled(node) and is_elementwise(node) and node.type.size == 1
                and all(x in self.early or (x.op in (PARAMETER, CONSTANT) and x.type.size == 1) for x in node.inputs))

    def _note_needs(self, node: Node) -> None:
        """Note what `node` needs of its inputs."""
        need = self._need(node)  # once: loops have thousands of inputs
        unread = node.inputs[0] if is_scatter_into_zeros(node) else None
        for x in node.inputs:
            self.users[x].append(node)
            self.needs[x].add(Need.NUMBERS if x is unread else need)

    def _need(self, node: Node) -> Need:
        """What a node needs of its inputs."""
        if is_barrier_result(node):
            return Need.CONTIGUOUS if Need.CONTIGUOUS in self.needs[node] else Need.STRIDED
        if node.op is RESULT or not is_compiled(node):
            return Need.CONTIGUOUS
        if node.op in ops.PRODUCTS:
            return Need.STRIDED
        if node.op is ops.RESHAPE:
            if Need.CONTIGUOUS in self.needs[node] or not is_affine(node):
                return Need.CONTIGUOUS
            return Need.STRIDED if Need.STRIDED in self.needs[node] else Need.NUMBERS
        if node.op in VIEWS and Need.STRIDED in self.needs[node] and Need.CONTIGUOUS not in self.needs[node]:
            return Need.STRIDED
        return Need.NUMBERS

    def _is_stored(self, node: Node) -> bool:
        """Whether the node's value is stored."""
        if node.op in (PARAMETER, CONSTANT, RESULT) or is_barrier_result(node):
            return False
        if not is_compiled(node) or node.op in NESTS | ops.PRODUCTS:
            return True
        needs = self.needs[node]
        if node.op is ops.RESHAPE:
            return False
        if node.op in VIEWS:
            return Need.CONTIGUOUS in needs
        if needs - {Need.NUMBERS}:
            return True
        weight = self._weight(node)
        if weight > 4 * LARGEST:
            return True
        if node.type.size <= 1:
            return node in self.early and weight > EARLY
        if self._stands_for_others(node):
            return True
        is_cheap = node.type.size * node.dtype.itemsize >= LARGE and weight <= AGAIN
        if is_cheap and not self._below(node):  # a comparison of positions
            return False
        users = set(self.users[node])
        if len(users) == 1:
            return weight > 2 and self._uses[users.pop()] > 2 * node.type.size
        if is_cheap and len(self._below(node)) < 2 and not self._replaces_its_source(node):
            return False
        return weight > 1 or node.dtype.kind == "bool" or len(
            [x for x in node.inputs if FEW * x.type.size > node.type.size]) > 1

    def _homes_of(self, node: Node) -> frozenset[Node]:
        """The results, of reductions, products and what is not compiled, that the elements of a node follow from; two
        where there are more."""
        if node.op in (PARAMETER, CONSTANT):
            return frozenset()
        if not is_compiled(node) or node.op in NESTS | ops.PRODUCTS:
            return frozenset([node])
        return frozenset(itertools.islice({home for x in node.inputs for home in self._homes[x]}, 2))

    def _stands_for_others(self, node: Node) -> bool:
        """Whether a large value is stored beside the reduction or product that it follows from, so that users elsewhere
        read it alone, not several values or one from which it takes long to compute: the derivative of an activation,
        for the way back."""
        if node.type.size * node.dtype.itemsize < LARGE or len(self._homes[node]) != 1:
            return False
        (home,) = self._homes[node]
        if not is_compiled(home) or home.type.size != node.type.size:
            return False
        if all(self._homes[user] == self._homes[node] for user in self.users[node]):
            return False
        return len(self._below(node)) > 1 or self._weight(node) > AGAIN

    def _replaces_its_source(self, node: Node) -> bool:
        """Whether a node is all that becomes of a reduction or product, whose kernel then stores it in its place.

        What a mask hides of a product is better left to those who read it: they say what need not be computed.
        """
        while node not in self.stored:
            if node.op in (PARAMETER, CONSTANT, RESULT):
                return False
            large = [x for x in node.inputs if self._sources[x] and FEW * x.type.size > node.type.size]
            if node.op is ops.WHERE or len(large) != 1 or len(set(self.users[large[0]])) != 1:
                return False
            node, = large
        return node.op in NESTS | ops.PRODUCTS

    def _sources_of(self, node: Node) -> frozenset[Node]:
        """What is read from memory where a node is."""
        if node in self.stored or node.op in (PARAMETER, CONSTANT, RESULT) or is_barrier_result(node):
            return frozenset([node])
        return self._below(node)

    def _below(self, node: Node) -> frozenset[Node]:
        """What is read from memory to compute a node, without what is much smaller."""
        every = frozenset([source for x in node.inputs for source in self._sources[x]])
        return frozenset([x for x in every if FEW * x.type.size > node.type.size])

    def _weight(self, node: Node) -> int:
        """What it costs to compute the node anew for each use."""
        if node.op in (PARAMETER, CONSTANT, RESULT):
            return 0
        below = sum(self.weight.get(x, 0) for x in node.inputs)
        return below + (0 if node.op in VIEWS else cost(op_of(node)))

    def _uses_of(self, user: Node) -> int:
        """For how many elements of its own the user computes a value anew, given the same of its own users."""
        if user.op in NESTS:
            return user.inputs[0].type.size
        if not isinstance(user.type, TensorType):
            return 1  # it reads memory, whatever that costs
        users = self.users[user]
        if user.op in VIEWS and len(users) == 1:
            return max(user.type.size, self._uses[users[0]])
        return user.type.size
