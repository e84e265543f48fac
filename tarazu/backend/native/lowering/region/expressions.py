"""Expressions of nodes: what a nest computes at its loop indices, down to what lies in memory."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.backend.native.llvm.types import is_supported_dtype
from tarazu.backend.native.lowering.buffers import View
from tarazu.backend.native.lowering.index_map import VIEWS, IndexMap, broadcast_map, input_map
from tarazu.backend.native.lowering.loop_nest import Apply, Constant, Expression, Position
from tarazu.backend.native.lowering.nodes import barrier_input, is_barrier_result, op_of
from tarazu.backend.native.lowering.region.builder import RegionBuilder
from tarazu.backend.native.lowering.trampoline import Recursive, run
from tarazu.ir import op as ops
from tarazu.ir.node import CONSTANT, Node

# What stands for a stored node: given the node, where it is read (None where that is not affine), its memory as a view,
# and where that view is read. It may be a recursive call that gives the expression.
Leaf = Callable[[Node, IndexMap | None, View, IndexMap], Expression | Recursive[Expression]]


class ExpressionBuilder:
    """Makes expressions over `rank` axes; a node that is read twice at the same indices is one part of them."""

    def __init__(self, builder: RegionBuilder, rank: int, leaf: Leaf) -> None:
        self.builder, self.rank, self.leaf = builder, rank, leaf
        self._known: dict[tuple[Node, IndexMap], Expression] = {}

    def read(self, node: Node, index_map: IndexMap) -> Expression:
        """The element of `node` at `index_map`: a leaf where the node is loaded from memory."""
        return run(self._reading(node, index_map))

    def compute(self, node: Node, index_map: IndexMap) -> Expression:
        """As `read`, but the node itself is computed even where it has memory."""
        return run(self.computing(node, index_map))

    def computing(self, node: Node, index_map: IndexMap) -> Recursive[Expression]:
        """`compute` as a recursive call."""
        return self._once(node, index_map, self._compute)

    def _once(self, node: Node, index_map: IndexMap,
              make: Callable[[Node, IndexMap], Expression | Recursive[Expression]]) -> Recursive[Expression]:
        key = node, index_map
        if key not in self._known:
            self._known[key] = yield make(node, index_map)
        return self._known[key]

    def _read(self, node: Node, index_map: IndexMap) -> Expression | Recursive[Expression]:
        if self.builder.is_loaded(node) and not _is_number(node):
            return self.leaf(node, index_map, self.builder.view(node), index_map)
        return self._compute(node, index_map)

    def _reading(self, node: Node, index_map: IndexMap) -> Recursive[Expression]:
        return self._once(node, index_map, self._read)

    def _compute(self, node: Node, index_map: IndexMap) -> Recursive[Expression]:
        if _is_number(node):
            return Constant(node.attributes["value"].array.reshape(()).item(), node.dtype)
        if node.op is ops.IOTA:
            return Position(index_map[0].offset, index_map[0].coefficients, node.dtype)
        if is_barrier_result(node):
            return (yield self._reading(barrier_input(node), index_map))
        if node.op in VIEWS:
            inner = input_map(node, index_map, self.rank)
            if inner is None:
                return (yield self.leaf(self.builder.base(node), None, self.builder.view(node), index_map))
            return (yield self._reading(node.inputs[0], inner))
        inputs: tuple[Expression, ...] = ()
        for x in node.inputs:
            inputs += (yield self._reading(x, broadcast_map(index_map, node.shape, x.shape, self.rank))),
        return Apply(op_of(node), inputs, tuple(node.attributes.items()), node.dtype)


def _is_number(node: Node) -> bool:
    """Whether a node is a constant of one element, which becomes part of the code."""
    return node.op is CONSTANT and node.type.size == 1 and is_supported_dtype(node.dtype)


def _recording(builder: RegionBuilder, rank: int) -> tuple[ExpressionBuilder, list[tuple[Node, IndexMap | None]]]:
    """A builder of expressions, and the list in which it notes the stored nodes that they read."""
    reads: list[tuple[Node, IndexMap | None]] = []

    def leaf(base: Node, index_map: IndexMap | None, view: View, view_map: IndexMap) -> Expression:
        reads.append((base, index_map))
        return Constant(0, base.dtype)

    return ExpressionBuilder(builder, rank, leaf), reads


def reads_to_compute(builder: RegionBuilder, node: Node, index_map: IndexMap) -> list[tuple[Node, IndexMap | None]]:
    """The stored nodes that the expression of `node` at `index_map` reads, and where."""
    expressions, reads = _recording(builder, len(node.shape))
    expressions.compute(node, index_map)
    return reads


def mark_read(builder: RegionBuilder, node: Node, index_map: IndexMap) -> None:
    """Note that a part reads the elements of `node`, or what they are computed from."""
    expressions, reads = _recording(builder, len(node.shape))
    expressions.read(node, index_map)
    builder.mark_read([base for base, _ in reads])
