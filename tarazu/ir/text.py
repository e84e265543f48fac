"""Graphs as text: one line per node, then the graphs inside nodes (bodies of calls and loops)."""

from __future__ import annotations

import numpy as np

from tarazu.base.dtypes import DType
from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Node
from tarazu.ir.structure import GraphStructure


def to_text(graph: GraphStructure) -> str:
    """One line per node: `%3: float32[2,3] = add %1 %2`; graphs inside attributes follow, each under its own name."""
    names = {graph: "graph"}
    texts: list[str] = []
    while len(texts) < len(names):  # the text of one graph may name further ones
        body = list(names)[len(texts)]
        texts.append(_one_graph(body, names))
    return "\n\n".join(texts)


def _one_graph(graph: GraphStructure, names: dict[GraphStructure, str]) -> str:
    number = _number(graph)
    parameters = ", ".join(f"{_value(node, number)}: {node.type}" for node in graph.parameters)
    lines = [f"{names[graph]}({parameters}):"]
    lines += ["  " + _line(node, number, names) for node in graph.nodes if node.op not in (PARAMETER, CONSTANT)]
    lines.append(f"  return {' '.join(_value(node, number) for node in graph.outputs)}")
    return "\n".join(lines)


def _number(graph: GraphStructure) -> dict[Node, int]:
    shown = [node for node in graph.nodes if node.op is not CONSTANT]
    return {node: i for i, node in enumerate(shown)}


def _line(node: Node, number: dict[Node, int], names: dict[GraphStructure, str]) -> str:
    inputs = "".join(" " + _value(x, number) for x in node.inputs)
    if node.op is RESULT:
        return f"%{number[node]}: {node.type} = result {node.attributes['index']} of{inputs}"
    attributes = "".join(f" {key}={_attribute(value, names)}" for key, value in node.attributes.items())
    types = ", ".join(map(str, node.type)) if node.op.multiple else str(node.type)  # type: ignore[union-attr]
    return f"%{number[node]}: {types} = {node.op.name}{inputs}{attributes}"  # type: ignore[union-attr]


def _value(node: Node, number: dict[Node, int]) -> str:
    return constant_text(node.attributes["value"].array) if node.op is CONSTANT else f"%{number[node]}"


def constant_text(array: np.ndarray) -> str:
    """A constant's value where it is short, else its shape."""
    if array.ndim == 0:
        return str(array[()])  # with the digits of its own type
    return f"constant{list(array.shape)}" if array.size > 4 else str(array.tolist())


def _attribute(value: object, names: dict[GraphStructure, str]) -> str:
    if isinstance(value, GraphStructure):
        return names.setdefault(value, f"body{len(names)}")
    return attribute_text(value)


def attribute_text(value: object) -> str:
    """An attribute of a node on one line; a graph by its size."""
    if isinstance(value, GraphStructure):
        return f"<{len(value.nodes)} nodes>"
    if isinstance(value, DType):
        return value.name
    return getattr(value, "__name__", str(value)).replace(" ", "")
