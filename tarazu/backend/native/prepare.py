"""Rewrites of a graph for this backend: they change the order of sums, so they are no part of the general ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tarazu.ir import op as ops
from tarazu.ir.graph import PARAMETER, Builder, Graph, Node
from tarazu.ir.op import Op

LARGE = 64 * 1024  # bytes of a weight that is worth keeping in the cache of one core
SMALL = 1024 * 1024  # bytes of partial sums that are worth exchanging instead
DEEP = 64  # products that each thread adds at least


def prepare(graph: Graph, threads: int) -> Graph:
    """`graph` with products by large weights summed in parts, one for each thread.

    The update of a weight shares out its rows. When the product sums over the same rows, a thread reads what it wrote
    itself, and partial sums go from core to core instead of weights.
    """
    builder = Builder()

    def at(node: Node) -> None:
        builder.origin = node.origin

    def apply(op: Op, inputs: Sequence[Node], attributes: dict[str, Any]) -> Any:
        bodies = {key: prepare(value, threads) for key, value in attributes.items() if isinstance(value, Graph)}
        if op is ops.DOT and _is_divided(inputs, attributes, threads):
            return _divided(builder, inputs, threads)
        return builder.add(op, inputs, {**attributes, **bodies} if bodies else attributes)

    parameters = [builder.parameter(node.type, node.origin) for node in graph.parameters]
    return Graph(parameters, graph.evaluate(parameters, apply, builder.constant, at))


def _is_divided(inputs: Sequence[Node], attributes: dict[str, Any], threads: int) -> bool:
    """Whether this is rows times a weight that is large, for a result that is small."""
    x, weight = inputs
    if len(x.shape) != 2 or len(weight.shape) != 2 or attributes["contract"] != ((1,), (0,)) or threads < 2:
        return False
    result = x.shape[0] * weight.shape[1]
    size = weight.dtype.itemsize
    return (weight.op is PARAMETER and weight.dtype.is_float and weight.shape[0] % threads == 0
            and weight.shape[0] >= DEEP * threads and math.prod(weight.shape) * size >= LARGE
            and threads * result * size <= SMALL)


def _divided(builder: Builder, inputs: Sequence[Node], threads: int) -> Node:
    x, weight = inputs
    rows, depth, columns = x.shape[0], x.shape[1] // threads, weight.shape[1]
    left = builder.add(ops.RESHAPE, [x], {"shape": (rows, threads, depth)})
    right = builder.add(ops.RESHAPE, [weight], {"shape": (threads, depth, columns)})
    parts = builder.add(ops.DOT, [left, right], {"contract": ((2,), (1,)), "batch": ((1,), (0,))})
    return builder.add(ops.SUM, [parts], {"axes": (0,)})
