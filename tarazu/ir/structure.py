"""Graphs as passes and backends use them: parameters, outputs, the nodes between, equality, evaluation.

`Graph` (graph.py) adds what people look at: text, costs and drawings, whose modules build on this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tarazu.base.errors import GraphError
from tarazu.ir.node import CONSTANT, RESULT, Node
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType


class GraphStructure:
    """The parameters and outputs of a graph, and what follows from them; every graph is in fact a `Graph`."""

    __slots__ = ("__dict__", "outputs", "parameters")

    def __init__(self, parameters: Iterable[Node], outputs: Iterable[Node]) -> None:
        self.parameters, self.outputs = tuple(parameters), tuple(outputs)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node that an output needs, each after its inputs; the parameters first, in order."""
        order: dict[Node, None] = dict.fromkeys(self.parameters)
        stack = [(node, False) for node in reversed(self.outputs)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order.setdefault(node)
            elif node not in order:
                stack.append((node, True))
                stack.extend((x, False) for x in reversed(node.inputs))
        return tuple(order)

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        """The shape and dtype of each parameter.

        >>> import tarazu as tz
        >>> tz.trace(tz.sin)(tz.ones(2)).input_types
        (TensorType(shape=(2,), dtype=tarazu.float32),)
        """
        return tuple([node.type for node in self.parameters])

    @property
    def output_types(self) -> tuple[TensorType, ...]:
        """The shape and dtype of each output.

        >>> import tarazu as tz
        >>> tz.trace(tz.sum)(tz.ones(2)).output_types
        (TensorType(shape=(), dtype=tarazu.float32),)
        """
        return tuple([node.type for node in self.outputs])

    @cached_property
    def subgraphs(self) -> tuple[GraphStructure, ...]:
        """The graphs in the attributes of nodes (bodies of calls, loops and branches), each once; not those in them."""
        return tuple(dict.fromkeys(graph for node in self.nodes for graph in graphs_in(node.attributes)))

    @cached_property
    def _key(self) -> tuple:
        number = {node: i for i, node in enumerate(self.nodes)}
        rows = tuple((node.op, node.type, tuple(number[x] for x in node.inputs), tuple(node.attributes.items()),
                      node.origin.line) for node in self.nodes)
        return len(self.parameters), rows, tuple(number[node] for node in self.outputs)

    @cached_property
    def _hash(self) -> int:
        return hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GraphStructure):
            return False
        return self is other or (self._hash == other._hash and self._key == other._key)

    def evaluate(self, inputs: Sequence[Any], apply: Callable[[Op, list[Any], dict[str, Any]], Any],
                 constant: Callable[[np.ndarray], Any], at: Callable[[Node], None] | None = None) -> list[Any]:
        """The outputs with primitives done by `apply(op, inputs, attributes)` and constants made by `constant`.

        `at(node)` is called before each node is evaluated. GraphError for another number of inputs than parameters.
        """
        if len(inputs) != len(self.parameters):
            raise GraphError(f"{len(inputs)} inputs for a graph of {len(self.parameters)} parameters")
        values: dict[Node, Any] = dict(zip(self.parameters, inputs, strict=True))
        for node in self.nodes[len(self.parameters):]:
            if at is not None:
                at(node)
            if node.op is CONSTANT:
                values[node] = constant(node.attributes["value"].array)
            elif node.op is RESULT:
                values[node] = values[node.inputs[0]][node.attributes["index"]]
            else:
                values[node] = apply(node.op, [values[x] for x in node.inputs], node.attributes)  # type: ignore[arg-type]
        return [values[node] for node in self.outputs]


def graphs_in(attributes: Mapping[str, Any]) -> list[GraphStructure]:
    """The graphs among the attributes of a node: the body of a call or a loop, the branches of a choice."""
    return [value for value in attributes.values() if isinstance(value, GraphStructure)]


def with_graphs(attributes: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """The attributes with `change(graph)` in the place of each graph among them."""
    return {key: change(value) if isinstance(value, GraphStructure) else value for key, value in attributes.items()}
