"""Dead code inside scans: stacked results that nothing reads, carries that serve those alone, and the inputs of both.

It arises where a composite has results for the use of a gradient that is not taken, or where a gradient computes
cotangents that are not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, RESULT, Builder, Node


class Narrowed(NamedTuple):
    """What is left of a scan: the positions of its inputs and results, and its attributes."""

    inputs: tuple[int, ...]
    results: tuple[int, ...]
    attributes: dict[str, Any]


def without_unread(graph: Graph) -> Graph:
    """`graph` with each scan cut down to the results that are read, and the carries and inputs that those need."""
    if not any(node.op is ops.SCAN for node in graph.nodes):
        return graph
    needed, scans = _needed(graph)
    if all(len(scan.results) == len(node.type) and len(scan.inputs) == len(node.inputs)
           for node, scan in scans.items()):
        return graph
    return _rebuilt(graph, needed, scans)


def _needed(graph: Graph) -> tuple[set[Node], dict[Node, Narrowed]]:
    """The nodes that the outputs need, and what they need of each scan."""
    needed, scans = set(graph.outputs), {}
    read: dict[Node, set[int]] = {}
    for node in reversed(graph.nodes):
        if node not in needed:
            continue
        inputs: Sequence[Node] = node.inputs
        if node.op is RESULT:
            read.setdefault(inputs[0], set()).add(node.attributes["index"])
        elif node.op is ops.SCAN:
            scans[node] = _narrowed(read[node], **node.attributes)
            inputs = [inputs[i] for i in scans[node].inputs]
        needed.update(inputs)
    return needed, scans


def _narrowed(read: set[int], body: Graph, constants: int, carries: int, **attributes: int) -> Narrowed:
    start = constants + carries
    while True:  # a carry that is kept may need others
        results = tuple(sorted(read))
        inner = without_unread(Graph(body.parameters, [body.outputs[i] for i in results]))
        used = {x for node in inner.nodes for x in node.inputs}.union(inner.outputs)
        carried = {i for i, x in enumerate(inner.parameters[constants:start]) if x in used}
        if carried <= read:
            break
        read = read | carried
    inputs = tuple([i for i, x in enumerate(inner.parameters)
                    if (i - constants in read if constants <= i < start else x in used)])
    narrow = Graph([inner.parameters[i] for i in inputs], inner.outputs)
    return Narrowed(inputs, results, {**attributes, "body": narrow, "constants": sum(i < constants for i in inputs),
                                      "carries": sum(i < carries for i in results)})


def _rebuilt(graph: Graph, needed: set[Node], scans: dict[Node, Narrowed]) -> Graph:
    builder = Builder()
    values: dict[Node, Any] = {node: builder.parameter(node.type, node.origin) for node in graph.parameters}
    for node in graph.nodes[len(graph.parameters):]:
        if node not in needed:
            continue
        builder.origin = node.origin
        if node.op is CONSTANT:
            values[node] = builder.constant(node.attributes["value"].array)
        elif node.op is RESULT:
            values[node] = values[node.inputs[0]][node.attributes["index"]]
        elif node in scans:
            scan = scans[node]
            results = builder.add(ops.SCAN, [values[node.inputs[i]] for i in scan.inputs], scan.attributes)
            values[node] = dict(zip(scan.results, results, strict=True))
        else:
            values[node] = builder.add(node.op, [values[x] for x in node.inputs], node.attributes)  # type: ignore[arg-type]
    return Graph([values[node] for node in graph.parameters], [values[node] for node in graph.outputs])
