"""Reverse-mode differentiation: walk the tape backwards and apply the rule of each primitive.

The rules call ops, so the same walk works on arrays, inside a trace, and (as its own steps are recorded too) again on
its own result for higher derivatives.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Value, bind, state
from tarazu.ir.op import Op
from tarazu.ops.elementwise import add
from tarazu.ops.reduce import sum
from tarazu.ops.shape import reshape
from tarazu.transform.gradient.complex_rules import conjugated
from tarazu.transform.gradient.tape import Leaf, TapeNode, ignoring

Rule = tuple[Callable[..., Any] | None, ...] | Callable[..., Any]

RULES: dict[Op, Rule] = {}  # one row per primitive; vjp_rules.py says what a row is and holds them all


def track(x: Value, bit: int) -> Any:
    """`x` again, tracked under `bit` too: a leaf, or, when it is tracked already, a step on the tape to it."""
    x = state.interpreter.capture(x)
    if x.tape_entry is None or not x.tape_entry.is_alive:
        return state.interpreter.wrap(x.raw, Leaf(bit))
    node = TapeNode(ops.CAST, {"dtype": x.dtype}, (x.raw,), (x.tape_entry,), (x.raw,), x.tape_entry.mask | bit)
    return state.interpreter.wrap(x.raw, node)


def pull_back(outputs: Sequence[Value], cotangents: Sequence[Any], inputs: Sequence[Value], bit: int) -> list[Any]:
    """The cotangents of `inputs` (made by `track(..., bit)`), None where no output depends on one."""
    targets = [x.tape_entry.node for x in inputs]
    with ignoring(-bit):  # this bit and the higher ones, of levels inside, which are over
        found = walk_back([x.tape_entry for x in outputs], cotangents, bit, stops=targets)
    return [found.get(target) for target in targets]


def walk_back(entries: Sequence[Any], cotangents: Sequence[Any], wanted: int, *, stops: Iterable[Any] = (),
              free: bool = False) -> dict[Any, Any]:
    """Cotangents at the leaves and at `stops` from those at `entries`, through tape nodes whose mask meets `wanted`."""
    stopping = set(stops)
    pending: dict[Any, list[Any]] = {}
    found: dict[Any, Any] = {}
    queue: list[tuple[int, int, Any]] = []  # latest first; leaves, of order 0, last

    def send(entry: Any, cotangent: Any) -> None:
        if entry is None or cotangent is None or not entry.mask & wanted:
            return
        node = entry.node
        if node not in pending:
            pending[node] = [None] * (1 if isinstance(node, Leaf) else len(_outputs(node)))
            heapq.heappush(queue, (-node.order, id(node), node))
        before = pending[node][entry.index]
        pending[node][entry.index] = cotangent if before is None else add(before, cotangent)

    for entry, cotangent in zip(entries, cotangents, strict=True):
        send(entry, cotangent)
    enter_backward = state.interpreter.enter_backward
    try:
        while queue:
            node = heapq.heappop(queue)[2]
            arrived = pending.pop(node)
            enter_backward(node)
            if node.notes is not None:
                arrived = node.notes.hooked(arrived)
            if isinstance(node, Leaf) or node in stopping:
                found[node] = arrived[0]
                continue
            for entry, cotangent in zip(node.tape_entries, apply_rule(node, arrived, wanted), strict=True):
                send(entry, cotangent)
            if free:
                node.free()
    finally:
        enter_backward(None)
    return found


def _outputs(node: TapeNode) -> Any:
    node.require_alive()
    return node.outputs


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """`g` summed over the axes along which `shape` was broadcast to the shape of `g`."""
    if g.shape == shape:
        return g
    extra = len(g.shape) - len(shape)
    axes = [*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1 and g.shape[extra + i] != 1)]
    return reshape(sum(g, axes), shape)


def replay(graph: Graph, inputs: Sequence[Value]) -> list[Any]:
    """The outputs of a graph, each of its primitives bound anew."""
    interpreter = state.interpreter
    try:
        return graph.evaluate(inputs, lambda op, values, attributes: bind(op, *values, **attributes),
                              lambda array: interpreter.constant(array, None), interpreter.enter_replay)
    finally:
        interpreter.enter_replay(None)


def apply_rule(node: TapeNode, cotangents: list[Any], wanted: int) -> Sequence[Any]:
    """The cotangents of a node's inputs from those of its results; None for inputs that lead nowhere wanted."""
    node.require_alive()
    if node.outputs[0].dtype.kind[0] == "c":  # "c" is complex to NumPy, "complex" to a DType
        return conjugated(_apply, node, cotangents, wanted)
    return _apply(node, cotangents, wanted)


def _apply(node: TapeNode, cotangents: list[Any], wanted: int) -> Sequence[Any]:
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
