"""The check that a graph is well formed, which runs before and after the simplification of each compiled graph."""

from __future__ import annotations

from tarazu.base.errors import GraphError, TarazuError
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Node, infer
from tarazu.ir.op import ALL, Op

_KNOWN = frozenset(ALL)


def verify(graph: Graph, after: str = "tracing") -> Graph:
    """`graph` itself; GraphError, which names pass and node, where a node has not the type that its rule gives."""
    parameters = set(graph.parameters)
    if len(parameters) != len(graph.parameters):
        raise GraphError(f"after {after}: a parameter stands twice in the parameter list")
    for position, node in enumerate(graph.nodes):
        if node.op == PARAMETER and node not in parameters:
            raise GraphError(f"after {after}: node {position} is a parameter of another graph",
                             fix="pass the value into the graph as an input of its own")
        wanted = _type_by_rule(node, position, after)
        if wanted != node.type:
            raise GraphError(f"after {after}: node {position} ({_name(node)}) has type {node.type}",
                             expected=str(wanted))
    return graph


def _type_by_rule(node: Node, position: int, after: str) -> object:
    if isinstance(node.op, Op) and node.op in _KNOWN:
        try:
            return infer(node.op, [x.type for x in node.inputs], node.attributes)
        except TarazuError as error:
            raise GraphError(f"after {after}: node {position} ({_name(node)}) is ill typed: {error.problem}") from error
    if node.op is PARAMETER:
        return node.type
    if node.op is CONSTANT:
        return node.attributes["value"].type
    if node.op is RESULT:
        return node.inputs[0].type[node.attributes["index"]]
    raise GraphError(f"after {after}: node {position} has the unknown operation {node.op!r}")


def _name(node: Node) -> str:
    return node.op.name if isinstance(node.op, Op) else node.op
