"""Through which results of an operation with bodies gradients can flow, and to which inputs they lead.

An operation is recorded as a whole where any of its inputs is tracked. What its bodies change in place, such as running
statistics, may follow from none of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import RESULT, Node
from tarazu.ir.op import Op
from tarazu.ir.types import CallGradient

_ENDS = frozenset({ops.STOP_GRADIENT, ops.BITCAST})  # give floats from floats, without a gradient


def differentiable_outputs(graph: Graph, tracked: Sequence[bool]) -> list[bool]:
    """Which outputs of the graph a gradient can flow through to any of the inputs that are tracked."""
    found: dict[Node, Sequence[bool]] = {x: [flag] for x, flag in zip(graph.parameters, tracked, strict=True)}
    for node in graph.nodes[len(graph.parameters):]:
        inputs = [found[x][0] for x in node.inputs]
        if node.op is RESULT:
            found[node] = [found[node.inputs[0]][node.attributes["index"]]]
        elif isinstance(node.op, Op) and node.op.multiple:
            flags = differentiable_results(node.op, inputs, node.attributes) or [any(inputs)] * len(node.type)
            found[node] = [flag and one.dtype.is_inexact for flag, one in zip(flags, node.type, strict=True)]
        else:
            found[node] = [any(inputs) and node.dtype.is_inexact and node.op not in _ENDS]
    return [found[x][0] for x in graph.outputs]


def differentiable_results(op: Op, inputs: Sequence[bool], attributes: dict) -> Sequence[bool] | None:
    """The same of the results of an operation with bodies, for which of its inputs are tracked; None for others."""
    rule = _RULES.get(op)
    return None if rule is None else rule(inputs, **attributes)


def _call(inputs: Sequence[bool], label: str, body: Graph, gradient: CallGradient | None = None) -> Sequence[bool]:
    count = getattr(gradient, "differentiable_results", None)
    if count is None:
        return differentiable_outputs(body, inputs)
    return [any(inputs) and i < count for i in range(len(body.outputs))]  # whatever the body does


def _cond(inputs: Sequence[bool], on_true: Graph, on_false: Graph) -> Sequence[bool]:
    found = [differentiable_outputs(one, inputs[1:]) for one in (on_true, on_false)]
    return [any(flags) for flags in zip(*found, strict=True)]


def _scan(inputs: Sequence[bool], body: Graph, constants: int, carries: int, length: int,
          reverse: bool) -> Sequence[bool]:
    return _loop(body, inputs[:constants], inputs[constants:constants + carries], inputs[constants + carries:])


def _while(inputs: Sequence[bool], condition: Graph, body: Graph, condition_constants: int, body_constants: int,
           bound: int | None = None) -> Sequence[bool]:
    start = condition_constants + body_constants
    return _loop(body, inputs[condition_constants:start], inputs[start:], [])


def _loop(body: Graph, constants: Sequence[bool], carries: Sequence[bool], rows: Sequence[bool]) -> Sequence[bool]:
    """What a carry depends on after any number of steps, and what is stacked."""
    while True:
        found = differentiable_outputs(body, [*constants, *carries, *rows])
        after = [before or flag for before, flag in zip(carries, found, strict=False)]
        if after == list(carries):
            return [*after, *found[len(after):]]
        carries = after


_RULES: dict[Op, Callable[..., Sequence[bool]]] = {
    ops.CALL: _call, ops.COND: _cond, ops.SCAN: _scan, ops.WHILE: _while}
