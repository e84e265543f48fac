"""A graph as bytes, for the key in the cache on disk (cache.py); and its nodes in an order that equal graphs share."""

from __future__ import annotations

from collections.abc import Iterator

from tarazu.ir.node import CONSTANT, Node
from tarazu.ir.structure import GraphStructure, graphs_in


def nodes_of(graph: GraphStructure) -> Iterator[Node]:
    """All nodes of a graph and of the graphs in their attributes, in an order that equal graphs share."""
    for node in graph.nodes:
        yield node
        for body in graphs_in(node.attributes):
            yield from nodes_of(body)


def content(graph: GraphStructure) -> bytes:
    """Bytes that are equal for graphs that compile to the same program."""
    return "\n".join(_lines(graph)).encode()


def _lines(graph: GraphStructure) -> Iterator[str]:
    number = {node: i for i, node in enumerate(graph.nodes)}
    yield f"graph {len(graph.parameters)} {[number[node] for node in graph.outputs]}"
    for node in graph.nodes:
        op = node.op if isinstance(node.op, str) else node.op.name
        if node.op is CONSTANT:
            array = node.attributes["value"].array
            yield f"{op} {node.type} {array.tobytes().hex() if array.size == 1 else ''}"
            continue
        plain = [(key, _plain(value)) for key, value in node.attributes.items()]
        yield f"{op} {node.type} {[number[x] for x in node.inputs]} {plain}"
        for body in graphs_in(node.attributes):
            yield from _lines(body)


def _plain(value: object) -> str:
    return "graph" if isinstance(value, GraphStructure) else str(value)
