"""Rewrites of a graph that make its products suit the caches of several cores; they change the order of sums.

Products of halves become products of float32, which have register tiles (`half_products.py`), unless the processor has
instructions for them (`region/pairs.py`), and dilated convolutions ones without gaps
(`region/convolutions/dilated.py`). Products by a large weight are summed in parts, one for each thread; products by a
transposed constant inside a scan take one that was transposed before the loop. `schedule/work_sharing.py` lists all
that divides a product among threads.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tarazu.backend.native.half_products import with_single_products
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.types import is_half
from tarazu.backend.native.lowering.nodes import is_zeros
from tarazu.backend.native.lowering.region import pairs
from tarazu.backend.native.lowering.region.convolutions.dilated import without_dilation
from tarazu.backend.native.scan_products import with_products_inside
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import Builder, Node
from tarazu.ir.op import Op
from tarazu.ir.structure import with_graphs

LARGE_WEIGHT = 64 * 1024  # bytes of a weight that is worth keeping in the cache of one core
SMALL_SUMS = 1024 * 1024  # bytes of partial sums that are worth exchanging instead
DEEP = 64  # products that each thread adds at least


def prepare(graph: Graph, target: Target) -> Graph:
    """`graph` with products of halves as ones of float32 where the processor has none, dilated convolutions without
    gaps, products by large weights summed in parts, and with transposes of constants in front of loops."""
    single = with_single_products(graph, lambda product: pairs.suit(product, target))
    return _prepared(without_dilation(single, target.winograd), target.threads)


def _prepared(graph: Graph, threads: int, first: int = 0) -> Graph:
    """`graph` with products by large weights summed in parts, and with transposes of constants in front of loops.

    The update of a weight shares out its rows among the threads. When the product sums over the same rows, a thread
    reads what it wrote itself, and partial sums go from core to core instead of weights. `first` is the number of the
    first parameter that may be such a weight: what a loop does not change lies in the caches of all cores.
    """
    builder = Builder()
    parameters = [builder.parameter(node.type, node.origin) for node in graph.parameters]
    weights = frozenset(parameters[first:])

    uses = Counter([x for node in graph.nodes for x in node.inputs] + [*graph.outputs])
    current: list[Node] = []

    def at(node: Node) -> None:
        builder.origin, current[:] = node.origin, [node]

    def apply(op: Op, inputs: Sequence[Node], attributes: dict[str, Any]) -> Any:
        attributes = with_graphs(attributes, lambda body: _prepared(body, threads, _constants(op, attributes)))
        once = [uses[x] == 1 for x in current[0].inputs]
        if op is ops.TRANSPOSE and once[0] and (turned := _turned_product(builder, inputs[0], attributes)) is not None:
            return turned
        if op is ops.ADD and (sums := _added_in_place(builder, inputs, once)) is not None:
            return sums
        if op is ops.SCAN:
            return _scan(builder, *with_products_inside(inputs, attributes, once))
        if op is ops.DOT and inputs[1] in weights and _is_worth_parts(inputs, attributes, threads):
            return _in_parts(builder, inputs, threads)
        return builder.add(op, inputs, attributes)

    return Graph(parameters, graph.evaluate(parameters, apply, builder.constant, at))


def _turned_product(builder: Builder, product: Node, attributes: dict[str, Any]) -> Node | None:
    """A transposed product of matrices as the product of its factors in the other order: the same sums, stored as they
    are read. None where it is something else."""
    if product.op is not ops.DOT or len(product.shape) != 2 or attributes != {"permutation": (1, 0)}:
        return None
    attributes = {"contract": product.attributes["contract"][::-1], "batch": ((), ())}
    return None if product.attributes["batch"][0] else builder.add(ops.DOT, product.inputs[::-1], attributes)


def _added_in_place(builder: Builder, inputs: Sequence[Node], once: Sequence[bool]) -> Node | None:
    """x + scatter_add(zeros, ...) as scatter_add(x, ...), which needs no zeros and no second tensor: the gradient of an
    embedding that is the output layer too."""
    for scattered, x, used_once in ((inputs[1], inputs[0], once[1]), (inputs[0], inputs[1], once[0])):
        if (scattered.op is ops.SCATTER_ADD and used_once and x.type == scattered.type and x.dtype.is_float
                and is_zeros(scattered.inputs[0])):
            return builder.add(ops.SCATTER_ADD, [x, *scattered.inputs[1:]], scattered.attributes)
    return None


_BY_TRANSPOSED = {"contract": ((1,), (1,)), "batch": ((), ())}


def _scan(builder: Builder, inputs: Sequence[Node], attributes: dict[str, Any]) -> Node:
    """A scan whose products by a transposed constant take one that was transposed before the loop."""
    body, constants = attributes["body"], attributes["constants"]
    used = {node.inputs[1] for node in body.nodes if node.op is ops.DOT and node.attributes == _BY_TRANSPOSED}
    fixed = [i for i, node in enumerate(body.parameters[:constants]) if node in used and len(node.shape) == 2]
    if not fixed:
        return builder.add(ops.SCAN, inputs, attributes)
    transposed = [builder.add(ops.TRANSPOSE, [inputs[i]], {"permutation": (1, 0)}) for i in fixed]
    inner = Builder()
    own = [inner.parameter(node.type, node.origin) for node in body.parameters]
    more = {own[i]: inner.parameter(node.type) for i, node in zip(fixed, transposed, strict=True)}

    def at(node: Node) -> None:
        inner.origin = node.origin

    def apply(op: Op, given: Sequence[Node], attributes: dict[str, Any]) -> Any:
        if op is ops.DOT and attributes == _BY_TRANSPOSED and given[1] in more:
            return inner.add(op, [given[0], more[given[1]]], {**attributes, "contract": ((1,), (0,))})
        return inner.add(op, given, attributes)

    outputs = body.evaluate(own, apply, inner.constant, at)
    body = Graph([*own[:constants], *more.values(), *own[constants:]], outputs)
    return builder.add(ops.SCAN, [*inputs[:constants], *transposed, *inputs[constants:]],
                       {**attributes, "body": body, "constants": constants + len(fixed)})


def _constants(op: Op, attributes: dict[str, Any]) -> int:
    """How many inputs of the body of a loop are the same in all iterations."""
    return attributes.get("body_constants", attributes.get("constants", 0)) if op in (ops.WHILE, ops.SCAN) else 0


def _is_worth_parts(inputs: Sequence[Node], attributes: dict[str, Any], threads: int) -> bool:
    """Whether this is rows times a weight that is large, for a result that is small."""
    x, weight = inputs
    if len(x.shape) != 2 or len(weight.shape) != 2 or attributes["contract"] != ((1,), (0,)) or threads < 2:
        return False
    if is_half(weight.dtype):
        return False  # each part would be rounded
    result = x.shape[0] * weight.shape[1]
    size = weight.dtype.itemsize
    return (weight.dtype.is_float and weight.shape[0] % threads == 0
            and weight.shape[0] >= DEEP * threads and math.prod(weight.shape) * size >= LARGE_WEIGHT
            and threads * result * size <= SMALL_SUMS)


def _in_parts(builder: Builder, inputs: Sequence[Node], threads: int) -> Node:
    """The product as a sum of one product for each thread, over its part of the rows of the weight."""
    x, weight = inputs
    rows, depth, columns = x.shape[0], x.shape[1] // threads, weight.shape[1]
    left = builder.add(ops.RESHAPE, [x], {"shape": (rows, threads, depth)})
    right = builder.add(ops.RESHAPE, [weight], {"shape": (threads, depth, columns)})
    parts = builder.add(ops.DOT, [left, right], {"contract": ((2,), (1,)), "batch": ((1,), (0,))})
    return builder.add(ops.SUM, [parts], {"axes": (0,)})
