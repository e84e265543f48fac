"""What of a graph its machine code depends on, as bytes; and its nodes by number, to find them in an equal graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tarazu.ir.graph import CONSTANT, Graph, Node


def nodes_of(graph: Graph) -> Iterator[Node]:
    """All nodes of a graph and of the graphs in their attributes, in an order that equal graphs share."""
    for node in graph.nodes:
        yield node
        for value in node.attributes.values():
            if isinstance(value, Graph):
                yield from nodes_of(value)


def content(graph: Graph) -> bytes:
    """Bytes that are equal for graphs that compile to the same program."""
    return "\n".join(_lines(graph)).encode()


def _lines(graph: Graph) -> Iterator[str]:
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
        for value in node.attributes.values():
            if isinstance(value, Graph):
                yield from _lines(value)


def _plain(value: Any) -> str:
    return "graph" if isinstance(value, Graph) else str(value)
