"""From a graph to steps: nodes are joined into groups, each a kernel; control flow becomes steps of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tarazu.backend.native.kernels.special import SPECIAL
from tarazu.backend.native.llvm.types import is_supported_dtype
from tarazu.backend.native.lowering import products
from tarazu.backend.native.lowering.group import Group
from tarazu.backend.native.lowering.launches import copy, launch
from tarazu.backend.native.lowering.loop_nest import Apply, Constant, Expression, Position
from tarazu.backend.native.lowering.materialize import (
    NESTS,
    PRODUCTS,
    VIEWS,
    Demand,
    is_alias,
    is_compiled,
    passed_on,
    takes,
)
from tarazu.backend.native.lowering.steps import Callback, Launch, Step
from tarazu.backend.native.lowering.views import Buffer, Line, Lines, View, aligned, identity, split_lines, unit, zero
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Node
from tarazu.ir.types import TensorType

Leaf = Callable[[Node, Lines | None, View, Lines], Expression]
MOST_STORES = 8  # of one kernel


class Shared:
    """What all regions of a program have in common."""

    def __init__(self) -> None:
        self.constants: list[Node] = []
        self.callbacks: list[Node] = []

    def constant(self, node: Node) -> Buffer:
        """The buffer of a constant."""
        self.constants.append(node)
        return Buffer(node.dtype, node.type.size, "constant", len(self.constants) - 1)

    def callback(self, node: Node, inputs: list[View], outputs: list[View]) -> Callback:
        """The step in which NumPy computes `node`."""
        self.callbacks.append(node)
        return Callback(node, inputs, outputs, len(self.callbacks) - 1)


class Region:
    """The steps of one graph, whose inputs lie in the views `inputs`; result i goes to `targets[i]` if there is one. In
    the body of a loop, so many of the first inputs are `constants`."""

    def __init__(self, graph: Graph, inputs: Sequence[View], targets: Sequence[View | None], shared: Shared,
                 constants: int = 0) -> None:
        self.graph, self.shared, self.demand = graph, shared, Demand(graph)
        self.views: dict[Node, View] = dict(zip(graph.parameters, inputs, strict=True))
        self.steady = {view.buffer.root for view in inputs[:constants]}
        self.parts: list[Group | Step] = []
        self.position: dict[Node, int] = {}  # of the part that stores a node
        self.needed: set[Node] = set()  # stored nodes that another part reads
        self.targets = self._targets(targets)
        self.handed_on = self._handed_on(targets)
        nodes = graph.nodes[len(graph.parameters):]
        for node in sorted(nodes, key=lambda node: node not in self.demand.early):
            self._place(node)
        self.outputs = [target if target is not None and i in self.handed_on else self._output(node, target)
                        for i, (node, target) in enumerate(zip(graph.outputs, targets, strict=True))]
        self.steps = self._finished()

    # Where values go

    def _targets(self, targets: Sequence[View | None]) -> dict[Node, View]:
        """Which stored node goes straight to which target."""
        found: dict[Node, View] = {}
        for node, target in zip(self.graph.outputs, targets, strict=True):
            while node.op is ops.RESHAPE:
                node = node.inputs[0]
            if target is not None and node not in found and node.op not in (PARAMETER, CONSTANT) and not is_alias(node):
                found[node] = View.whole(target.buffer, node.shape)._replace(offset=target.offset)
        return found

    def _handed_on(self, targets: Sequence[View | None]) -> set[int]:
        """Copy inputs that are outputs too, before anything renews them; gives the numbers of those outputs."""
        found = set()
        for i, (node, target) in enumerate(zip(self.graph.outputs, targets, strict=True)):
            if node.op is PARAMETER and target is not None:
                self.copy(self.contiguous(node), target)
                found.add(i)
        return found

    def allocate(self, node: Node, type_: TensorType | None = None) -> View:
        """Memory for a node: its target, or new memory."""
        type_ = type_ or node.type
        return self.targets.get(node) or View.whole(Buffer(type_.dtype, type_.size), type_.shape)

    def _output(self, node: Node, target: View | None) -> View:
        """Where an output lies in the end; copied when it could not be put into its target."""
        view = self.contiguous(node)
        if target is None or (view.buffer is target.buffer and view.offset == target.offset):
            return view
        self.copy(view, target)
        return target

    def copy(self, source: View, target: View) -> None:
        """Copy the elements of one contiguous view to another, whatever they are."""
        if source.buffer.size == 0 or math.prod(source.shape) == 0:
            return
        self.parts.append(copy(source, target))

    # Nodes in order

    def _place(self, node: Node) -> None:
        if node.op in (CONSTANT, RESULT) or node not in self.demand.stored:
            return
        if not is_compiled(node):
            self._opaque(node)
        elif not node.type.size:
            self.views[node] = self.allocate(node)
        elif node.op in NESTS | PRODUCTS:
            products.LOWER[node.op](self, node)
        else:
            self._elementwise(node)

    def add(self, part: Group | Step, *nodes: Node) -> None:
        """Append a part, which stores `nodes`."""
        for node in nodes:
            self.position[node] = len(self.parts)
        self.parts.append(part)

    def _elementwise(self, node: Node) -> None:
        """Join the last group that the node reads from, where each of its elements needs just one of the group's."""
        reads: list[tuple[Node, Lines | None]] = []

        def leaf(base: Node, lines: Lines | None, view: View, _: Lines) -> Expression:
            reads.append((base, lines))
            return Constant(0, base.dtype)

        self.build(node, identity(node.shape), leaf, {"rank": len(node.shape)}, start=True)
        last = max((self.position.get(base, -1) for base, _ in reads), default=-1)
        group = self.parts[last] if last >= 0 else None
        self.views[node] = self.allocate(node)
        lines = group.lines_for(node, reads) if isinstance(group, Group) and len(group.members) < MOST_STORES else None
        if lines is None:
            group, lines = Group(node.shape, len(node.shape)), identity(node.shape)
            self.add(group, node)
        assert isinstance(group, Group)
        self.needed.update(base for base, _ in reads if base not in group.members)
        group.members[node] = lines
        self.position.setdefault(node, last)

    def _opaque(self, node: Node) -> None:
        from tarazu.backend.native.lowering.control import LOWER

        if node.op in LOWER:
            LOWER[node.op](self, node)
        elif node.op is not ops.BARRIER:
            inputs = [self.contiguous(x) for x in node.inputs]
            outputs = self.result_views(node)
            if any(view.buffer.size for view in outputs):
                self.parts.append(self._special(node, inputs, outputs))

    def result_views(self, node: Node) -> list[View]:
        """Memory for all results of a node; also registers the nodes that name them."""
        if not node.op.multiple:  # type: ignore[union-attr]
            self.views[node] = self.allocate(node)
            self.position[node] = len(self.parts)
            return [self.views[node]]
        results = {x.attributes["index"]: x for x in self.demand.users[node] if x.op is RESULT}
        found = []
        for i, type_ in enumerate(node.type):
            view = self.allocate(results[i], type_) if i in results else View.whole(Buffer(type_.dtype, type_.size),
                                                                                    type_.shape)
            if i in results:
                self.views[results[i]] = view
                self.position[results[i]] = len(self.parts)
            found.append(view)
        return found

    def _special(self, node: Node, inputs: list[View], outputs: list[View]) -> Step:
        """The step for a node that takes and gives contiguous memory."""
        if node.op in SPECIAL and takes(node):
            operands = [(view.buffer, view.offset) for view in [*inputs, *outputs]]
            return Launch(node.op.name, operands, set(range(len(inputs), len(operands))), node=node,
                          estimate=float(sum(view.buffer.size for view in [*inputs[1:], *outputs])))
        return self.shared.callback(node, inputs, outputs)

    # Views and expressions

    def base(self, node: Node) -> Node:
        """The stored node whose memory a view of `node` shows."""
        while node not in self.views and (node.op in VIEWS or is_alias(node)):
            node = passed_on(node) if is_alias(node) else node.inputs[0]
        return node

    def view(self, node: Node) -> View:
        """Memory that holds the value of `node`; a part that reads it must follow."""
        self.needed.add(self.base(node))
        found = self._view(node)
        assert found is not None, f"{node.op} has no memory"
        return found

    def contiguous(self, node: Node) -> View:
        """The same in the order of its axes."""
        found = self.view(node)
        assert found.is_contiguous, f"{node.op} is not contiguous"
        return found

    def _view(self, node: Node) -> View | None:
        if node in self.views:
            return self.views[node]
        if node.op is CONSTANT:
            self.views[node] = View.whole(self.shared.constant(node), node.shape)
            return self.views[node]
        if is_alias(node):
            return self.view(passed_on(node))
        return VIEW_OF[node.op](self.view(node.inputs[0]), node) if node.op in VIEWS else None

    def build(self, node: Node, lines: Lines, leaf: Leaf, memo: dict, *, start: bool = False) -> Expression:
        """The expression of `node` at `lines`; what lies in memory is given by `leaf(base, lines, view, lines)`."""
        key = (node, lines)
        if key not in memo:
            memo[key] = self._build(node, lines, leaf, memo, start)
        return memo[key]

    def _build(self, node: Node, lines: Lines, leaf: Leaf, memo: dict, start: bool) -> Expression:
        if node.op is CONSTANT and node.type.size == 1 and is_supported_dtype(node.dtype):
            return Constant(node.attributes["value"].array.reshape(()).item(), node.dtype)
        if not start and (node in self.views or node.op is CONSTANT) and not self._is_computed_again(node):
            view = self._view(node)
            assert view is not None
            return leaf(node, lines, view, lines)
        if node.op is ops.IOTA:
            return Position(lines[0].offset, lines[0].coefficients, node.dtype)
        if is_alias(node):
            return self.build(passed_on(node), lines, leaf, memo)
        rank = memo["rank"]
        if node.op in VIEWS:
            inner = LINES_OF[node.op](node, lines, rank)
            x = node.inputs[0]
            if inner is None:
                view = self._view(node)
                assert view is not None
                return leaf(self.base(node), None, view, lines)
            return self.build(x, inner, leaf, memo)
        inputs = [self.build(x, aligned(lines, node.shape, x.shape, rank), leaf, memo) for x in node.inputs]
        return Apply(node.op, tuple(inputs), tuple(node.attributes.items()), node.dtype)  # type: ignore[arg-type]

    def _is_computed_again(self, node: Node) -> bool:
        return node in self.demand.stored and not self.demand.is_read(node)

    # The end

    def _finished(self) -> list[Step]:
        kept = set(self.graph.outputs) | self.needed
        kept |= {self.base(node) for node in self.graph.outputs}
        steps: list[Step] = []
        for part in self.parts:
            steps.extend(launch(self, part, kept) if isinstance(part, Group) else [part])
        return steps


def _reshaped(node: Node, lines: Lines, rank: int) -> Lines | None:
    return split_lines(lines, node.shape, node.inputs[0].shape, rank)


def _transposed(node: Node, lines: Lines, rank: int) -> Lines:
    found = [zero(rank)] * len(lines)
    for line, axis in zip(lines, node.attributes["permutation"], strict=True):
        found[axis] = line
    return tuple(found)


def _sliced(node: Node, lines: Lines, rank: int) -> Lines:
    rows = zip(lines, node.attributes["step"], node.attributes["start"], strict=True)
    return tuple([line.scaled(step, start) for line, step, start in rows])


def _flipped(node: Node, lines: Lines, rank: int) -> Lines:
    return tuple([line.scaled(-1, n - 1) if axis in node.attributes["axes"] else line
                  for axis, (line, n) in enumerate(zip(lines, node.shape, strict=True))])


LINES_OF: dict[ops.Op, Callable[[Node, Lines, int], Lines | None]] = {
    ops.RESHAPE: _reshaped,
    ops.TRANSPOSE: _transposed,
    ops.BROADCAST: lambda node, lines, rank: aligned(lines, node.shape, node.inputs[0].shape, rank),
    ops.SLICE: _sliced,
    ops.FLIP: _flipped,
}


def _strided(view: View, node: Node) -> View:
    """A view seen through a node whose index map is affine along each axis."""
    rank = len(node.shape)
    lines = LINES_OF[node.op](node, tuple([unit(axis, rank) for axis in range(rank)]), rank)  # type: ignore[index]
    assert lines is not None
    total = Line(view.offset, (0,) * rank)
    for line, stride in zip(lines, view.strides, strict=True):
        total = total.plus(line.scaled(stride))
    return View(view.buffer, node.shape, total.offset, total.coefficients)


VIEW_OF: dict[ops.Op, Callable[[View, Node], View | None]] = {
    ops.RESHAPE: lambda view, node: view.reshape(node.shape),
    ops.TRANSPOSE: _strided,
    ops.BROADCAST: _strided,
    ops.SLICE: _strided,
    ops.FLIP: _strided,
}
