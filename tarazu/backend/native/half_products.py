"""A rewrite of a graph: products and convolutions of float16 or bfloat16 as ones of float32, rounded once, but for
those that the processor has instructions for.

Register tiles load their factors from memory as they are, so the factors are stored as float32, each once however many
products read it, by whatever makes them. The sums are the same: they are float32 in half precision too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from tarazu.backend.native.llvm.types import is_half
from tarazu.base.dtypes import DType, float32
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import Builder, Node
from tarazu.ir.op import Op
from tarazu.ir.structure import with_graphs
from tarazu.ir.types import TensorType

_MOVES = frozenset({ops.TRANSPOSE, ops.RESHAPE, ops.BROADCAST})  # what only says where elements lie
MOST_LEFT_OUT = 4  # how many times larger a tensor may be than its part that is a factor, to be cast as a whole


Stays = Callable[[Node], bool]  # whether a product is better left in half precision


def with_single_products(graph: Graph, stays: Stays) -> Graph:
    """`graph` with its products in float32 or wider, and so in the bodies of its loops and branches."""
    return _rewritten(graph, frozenset(), stays)


def _rewritten(graph: Graph, single: frozenset[int], stays: Stays) -> Graph:
    """The same, with the parameters of these numbers taken as float32."""
    builder = Builder()
    parameters = [builder.parameter(TensorType(x.shape, float32) if i in single else x.type, x.origin)
                  for i, x in enumerate(graph.parameters)]
    given = [_cast(builder, x, old.dtype) if i in single else x
             for i, (x, old) in enumerate(zip(parameters, graph.parameters, strict=True))]
    singles = {half: x for half, x in zip(given, parameters, strict=True) if half is not x}

    current: list[Node] = []

    def at(node: Node) -> None:
        builder.origin, current[:] = node.origin, [node]

    def apply(op: Op, inputs: Sequence[Node], attributes: dict[str, Any]) -> Any:
        if op is ops.SCAN:
            return _scan(builder, inputs, attributes, singles, stays)
        attributes = with_graphs(attributes, functools.partial(with_single_products, stays=stays))
        if not _becomes_single(current[0], stays):
            return builder.add(op, inputs, attributes)
        product = builder.add(op, [_single(builder, x, singles) for x in inputs], attributes)
        return _cast(builder, product, inputs[0].dtype)

    return Graph(parameters, graph.evaluate(given, apply, builder.constant, at))


def _becomes_single(node: Node, stays: Stays) -> bool:
    return node.op in ops.PRODUCTS and is_half(node.inputs[0].dtype) and not stays(node)


def _scan(builder: Builder, inputs: Sequence[Node], attributes: dict[str, Any], singles: dict[Node, Node],
          stays: Stays) -> Any:
    """A scan that takes the factors that no iteration changes as float32, so that none converts them again."""
    body, constants = attributes["body"], attributes["constants"]
    factors = {_moved(x) for node in body.nodes if _becomes_single(node, stays) for x in node.inputs}
    single = frozenset([i for i, x in enumerate(body.parameters[:constants]) if x in factors and is_half(x.dtype)])
    inputs = [_single(builder, x, singles) if i in single else x for i, x in enumerate(inputs)]
    return builder.add(ops.SCAN, inputs, {**attributes, "body": _rewritten(body, single, stays)})


def _moved(node: Node) -> Node:
    """What a node is, but for where its elements lie."""
    while _is_move(node):
        node = node.inputs[0]
    return node


def _is_move(node: Node) -> bool:
    """Whether a node only says where the elements of its input lie, or which part of it is meant."""
    return node.op in _MOVES or (node.op is ops.SLICE
                                 and MOST_LEFT_OUT * node.type.size >= node.inputs[0].type.size)


def _single(builder: Builder, node: Node, singles: dict[Node, Node]) -> Node:
    """A node of half precision as float32, cast before its elements are moved, so that all who move them share it.

    `singles` has the same numbers in float32 for some nodes.
    """
    moves = []
    while isinstance(node.op, Op) and _is_move(node):
        moves.append((node.op, node.attributes))
        node = node.inputs[0]
    node = singles.get(node) or _cast(builder, node, float32)
    for op, attributes in reversed(moves):
        node = builder.add(op, [node], attributes)
    return node


def _cast(builder: Builder, node: Node, dtype: DType) -> Node:
    return builder.add(ops.CAST, [node], {"dtype": dtype})
