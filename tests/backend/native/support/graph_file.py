"""Graphs as plain data, to send them to another process and to keep them in files."""

from __future__ import annotations

from typing import Any

from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Builder, Node
from tarazu.ir.op import ALL

BY_NAME = {op.name: op for op in ALL}


def plain(graph: Graph) -> dict[str, Any]:
    """Lists, numbers and arrays from which `graph_of` makes the graph again."""
    number = {node: i for i, node in enumerate(graph.nodes)}
    return {"rows": [_row(node, number) for node in graph.nodes], "parameters": len(graph.parameters),
            "outputs": [number[node] for node in graph.outputs]}


def _row(node: Node, number: dict[Node, int]) -> tuple[str, Any]:
    if node.op is PARAMETER:
        return PARAMETER, node.type
    if node.op is CONSTANT:
        return CONSTANT, node.attributes["value"].array
    inputs = [number[x] for x in node.inputs]
    if node.op is RESULT:
        return RESULT, (inputs[0], node.attributes["index"])
    attributes = {key: ("graph", plain(value)) if isinstance(value, Graph) else ("value", value)
                  for key, value in node.attributes.items()}
    return node.op.name, (inputs, attributes)  # type: ignore[union-attr]


def graph_of(data: dict[str, Any]) -> Graph:
    builder = Builder()
    nodes: list[Any] = []  # a tuple of results for a primitive with several
    for name, rest in data["rows"]:
        nodes.append(_node(builder, nodes, name, rest))
    return Graph(nodes[:data["parameters"]], [nodes[i] for i in data["outputs"]])


def _node(builder: Builder, nodes: list[Any], name: str, rest: Any) -> Any:
    if name == PARAMETER:
        return builder.parameter(rest)
    if name == CONSTANT:
        return builder.constant(rest)
    if name == RESULT:
        return nodes[rest[0]][rest[1]]
    inputs, attributes = rest
    own = {key: graph_of(value) if kind == "graph" else value for key, (kind, value) in attributes.items()}
    return builder.add(BY_NAME[name], [nodes[i] for i in inputs], own)
