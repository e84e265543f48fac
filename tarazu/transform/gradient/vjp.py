"""Reverse-mode differentiation: the backward pass over the tape, which applies the rule of each primitive.

The rules call ops, so the same pass works on arrays and inside a trace, and can be differentiated itself, as its own
steps are recorded too. Sums over axes along which an elementwise primitive broadcast an input are done here (`sum_to`),
not in the rules.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import bind, state
from tarazu.ir.op import Op
from tarazu.ir.types import Data
from tarazu.ops.elementwise import add
from tarazu.ops.reduce import sum_to
from tarazu.transform.gradient.complex_rules import conjugated
from tarazu.transform.gradient.tape import Leaf, TapeEntry, TapeNode, ignoring
from tarazu.transform.typing import Cotangents, Tensor, Tensors

Rule: TypeAlias = tuple[Callable[..., Tensor] | None, ...] | Callable[..., Cotangents]

RULES: dict[Op, Rule] = {}  # one row per primitive; rules.py says what a row is, and fills the table


def track(x: Tensor, bit: int) -> Tensor:
    """`x` as a tensor that is tracked under `bit` too: a leaf, or, where `x` is tracked already, the result of a cast
    to its own dtype."""
    x = state.interpreter.capture(x)
    if x.tape_entry is None or not x.tape_entry.is_alive:
        return state.interpreter.wrap(x.raw, Leaf(bit))
    node = TapeNode(ops.CAST, {"dtype": x.dtype}, (x.raw,), (x.tape_entry,), (x.raw,), x.tape_entry.mask | bit)
    return state.interpreter.wrap(x.raw, node)


def pull_back(outputs: Tensors, cotangents: Cotangents, inputs: Tensors, bit: int) -> list[Tensor | None]:
    """The cotangents of `inputs` (made by `track(..., bit)`), None where no output depends on one."""
    targets = [x.tape_entry.node for x in inputs]
    with ignoring(-bit):  # this bit and the higher ones: the levels inside have ended
        by_node = walk_back([x.tape_entry for x in outputs], cotangents, bit, stops=targets)
    return [by_node.get(target) for target in targets]


def walk_back(entries: Sequence[TapeEntry | None], cotangents: Cotangents, wanted: int, *,
              stops: Iterable[TapeNode | Leaf] = (), free: bool = False) -> dict[Any, Tensor]:
    """The backward pass: from cotangents at `entries` to those at the leaves and at `stops`, by node.

    It goes through nodes that have one of the mask bits `wanted`, and frees what they saved if `free`. GradientError
    where that was freed before.
    """
    stopping = set(stops)
    pending = _Pending(wanted)
    reached: dict[Any, Any] = {}
    for entry, cotangent in zip(entries, cotangents, strict=True):
        pending.send(entry, cotangent)
    enter_backward = state.interpreter.enter_backward
    try:
        while pending.queue:
            node, arrived = pending.take()
            enter_backward(node)
            if node.notes is not None:
                arrived = node.notes.run_hooks(arrived)
            if isinstance(node, Leaf) or node in stopping:
                reached[node] = arrived[0]
                continue
            for entry, cotangent in zip(node.tape_entries, apply_rule(node, arrived, wanted), strict=True):
                pending.send(entry, cotangent)
            if free:
                node.free()
    finally:
        enter_backward(None)
    return reached


class _Pending:
    """Nodes that a backward pass has yet to go through, with the sums of the cotangents that have arrived there.

    The latest node comes first. Leaves, which have order 0, come last, in the order in which they were reached: so a
    traced backward pass is the same graph in each process, and its compiled program is found on disk.
    """

    def __init__(self, wanted: int) -> None:
        self.queue: list[tuple[int, int, TapeNode | Leaf]] = []
        self._wanted, self._arrivals = wanted, itertools.count()
        self._cotangents: dict[TapeNode | Leaf, list[Tensor | None]] = {}

    def send(self, entry: TapeEntry | None, cotangent: Tensor | None) -> None:
        """Add a cotangent at `entry`, unless nobody wants it."""
        if entry is None or cotangent is None or not entry.mask & self._wanted:
            return
        node = entry.node
        arrived = self._cotangents.get(node)
        if arrived is None:
            arrived = self._cotangents[node] = [None] * (1 if isinstance(node, Leaf) else len(_outputs(node)))
            heapq.heappush(self.queue, (-node.order, next(self._arrivals), node))
        before = arrived[entry.index]
        arrived[entry.index] = cotangent if before is None else add(before, cotangent)

    def take(self) -> tuple[TapeNode | Leaf, list[Tensor | None]]:
        """The latest node, and its cotangents."""
        node = heapq.heappop(self.queue)[2]
        return node, self._cotangents.pop(node)


def _outputs(node: TapeNode) -> Sequence[Data]:
    node.require_alive()
    return node.outputs


def replay(graph: Graph, inputs: Tensors) -> list[Tensor]:
    """The outputs of a graph, each of its primitives bound again by the current interpreter."""
    interpreter = state.interpreter
    try:
        return graph.evaluate(inputs, lambda op, values, attributes: bind(op, *values, **attributes),
                              lambda array: interpreter.constant(array, None), interpreter.enter_replay)
    finally:
        interpreter.enter_replay(None)


def apply_rule(node: TapeNode, cotangents: Cotangents, wanted: int) -> Cotangents:
    """The cotangents of a node's inputs from those of its results; None for inputs without a `wanted` mask bit."""
    node.require_alive()
    if node.outputs[0].dtype.kind[0] == "c":  # "c" is complex to NumPy, "complex" to a DType
        return conjugated(_apply, node, cotangents, wanted)
    return _apply(node, cotangents, wanted)


def _apply(node: TapeNode, cotangents: Cotangents, wanted: int) -> Cotangents:
    wrap = state.interpreter.wrap
    inputs = [wrap(raw, entry) for raw, entry in zip(node.inputs, node.tape_entries, strict=True)]
    outputs = [wrap(raw, node.tape_entry_of(i)) for i, raw in enumerate(node.outputs)]
    needed = tuple([entry is not None and bool(entry.mask & wanted) for entry in node.tape_entries])
    rule = RULES[node.op]
    if callable(rule):
        return rule(cotangents, outputs, inputs, needed, **node.attributes)
    results = [one(cotangents[0], outputs[0], *inputs, **node.attributes) if need and one is not None else None
               for one, need in zip(rule, needed, strict=True)]
    if node.op.is_elementwise:
        return [r if r is None else sum_to(r, x.shape) for r, x in zip(results, inputs, strict=True)]
    return results
