"""Scans over sequences that are products by small weights, such as the inputs of an LSTM times its input weights.

The scan then goes over the factor of the product, which is smaller, and its body computes each row when it is needed,
in the cache: such a sequence, of hundreds of rows, never goes to memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import Builder, Node
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType

LARGE = 2**20  # bytes of a sequence that is worth it
SMALL = 2**17  # bytes of weights that may stay in the cache of a core beside what the body has there
FEWEST = 16  # rows of a product in the body: with fewer, reading its weights takes longest
OF_ROWS = {"contract": ((2,), (0,)), "batch": ((), ())}
OF_A_ROW = {"contract": ((1,), (0,)), "batch": ((), ())}


class _Product(NamedTuple):
    """A sequence that is a product of another one by a matrix, and what is added to each of its rows."""

    factor: Node
    fixed: tuple[Node, ...]  # the matrix, and the bias if there is one


def with_products_inside(inputs: Sequence[Node], attributes: dict[str, Any],
                         once: Sequence[bool]) -> tuple[Sequence[Node], dict[str, Any]]:
    """The inputs and attributes of a scan, with sequences that are products computed row by row in its body; `once`
    says which inputs nothing else uses."""
    constants, carries, body = attributes["constants"], attributes["carries"], attributes["body"]
    found = {i: product for i in range(constants + carries, len(inputs))
             if once[i] and (product := _product(inputs[i])) is not None}
    if not found:
        return inputs, attributes
    inner = Builder()
    fixed = [inner.parameter(node.type, node.origin) for node in body.parameters[:constants]]
    more = {i: [inner.parameter(x.type) for x in product.fixed] for i, product in found.items()}
    rest = [inner.parameter(_row(found[i].factor) if i in found else node.type, node.origin)
            for i, node in enumerate(body.parameters) if i >= constants]
    given = [*fixed, *rest]
    values = [_computed(inner, x, more[i]) if i in found else x for i, x in enumerate(given)]

    def at(node: Node) -> None:
        inner.origin = node.origin

    def apply(op: Op, inputs: Sequence[Node], attributes: dict[str, Any]) -> Any:
        return inner.add(op, inputs, attributes)

    outputs = body.evaluate(values, apply, inner.constant, at)
    added = [x for own in more.values() for x in own]
    inputs = [*inputs[:constants], *[x for product in found.values() for x in product.fixed],
              *[found[i].factor if i in found else x for i, x in enumerate(inputs) if i >= constants]]
    return inputs, {**attributes, "body": Graph([*fixed, *added, *rest], outputs), "constants": constants + len(added)}


def _product(node: Node) -> _Product | None:
    """How a sequence is a product; None where it is none, or is not worth it."""
    biases = [x for x in node.inputs if len(x.shape) < 2] if node.op is ops.ADD else []
    product = next((x for x in node.inputs if x not in biases), node) if biases else node
    if product.op is not ops.DOT or product.attributes != OF_ROWS or product.type != node.type:
        return None
    factor, weight = product.inputs
    fits = (_bytes(product) >= LARGE and _bytes(weight) <= SMALL and factor.shape[1] >= FEWEST
            and 2 * _bytes(factor) <= _bytes(product))
    return _Product(factor, (weight, *biases)) if fits else None


def _computed(builder: Builder, row: Node, fixed: Sequence[Node]) -> Node:
    """The row of a product."""
    product = builder.add(ops.DOT, [row, fixed[0]], OF_A_ROW)
    return builder.add(ops.ADD, [product, *fixed[1:]], {}) if fixed[1:] else product


def _row(node: Node) -> TensorType:
    return TensorType(node.shape[1:], node.dtype)


def _bytes(node: Node) -> int:
    return math.prod(node.shape) * node.dtype.itemsize
