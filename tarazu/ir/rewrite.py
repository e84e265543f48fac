"""Rewrites that keep every bit of a graph's results: inlining of calls, folding of constants, removal of identities.

Rebuilding through a `Builder` shares common subexpressions and leaves out what no output needs, so those two passes
have no code of their own. Rules hold for every value, NaN and signed zeros among them: x + 0 is not x when x is -0.0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base.device import Layout
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, Builder, Node
from tarazu.ir.op import Op
from tarazu.ir.origin import Origin
from tarazu.ir.structure import with_graphs
from tarazu.ir.types import CallGradient
from tarazu.ir.unread import without_unread

Compute = Callable[[Op, list[np.ndarray], dict[str, Any]], np.ndarray]
LARGEST_FOLDED = 4096  # elements: a larger constant costs more to keep than to compute


def simplify(graph: Graph, compute: Compute, keep_calls: frozenset[str] = frozenset()) -> Graph:
    """`graph` with calls inlined (but for those labeled in `keep_calls`), constants folded and identities removed.

    Scans lose the results that nothing reads. `compute` evaluates one primitive on arrays. Bodies of loops are
    simplified too.
    """
    builder = Builder()

    def at(node: Node) -> None:
        builder.origin = node.origin

    def apply(op: Op, inputs: Sequence[Node], attributes: dict[str, Any]) -> Any:
        if op is ops.CALL and attributes["label"] not in keep_calls:
            return inline(inputs, builder.origin, **attributes)
        return _fold(builder, compute, op, inputs,
                     with_graphs(attributes, lambda body: simplify(body, compute, keep_calls)))

    def inline(inputs: Sequence[Node], outer: Origin, label: str, body: Graph,
               gradient: CallGradient | None = None) -> list[Node]:
        def at_inner(node: Node) -> None:
            builder.origin = node.origin.inside(outer, label)
        return body.evaluate(inputs, apply, builder.constant, at_inner)

    parameters = [builder.parameter(node.type, node.origin) for node in graph.parameters]
    return without_unread(Graph(parameters, graph.evaluate(parameters, apply, builder.constant, at)))


def _fold(builder: Builder, compute: Compute, op: Op, inputs: Sequence[Node], attributes: dict[str, Any]) -> Any:
    node = builder.add(op, inputs, attributes)
    if op.multiple:
        return node
    rule = IDENTITIES.get(op)
    simpler = rule(builder, node) if rule is not None else None
    if simpler is not None:
        return simpler
    if op is not ops.PLACE and inputs and node.type.size <= LARGEST_FOLDED and all(x.op is CONSTANT for x in inputs):
        return builder.constant(compute(op, [x.attributes["value"].array for x in inputs], attributes))
    return node


def _is_constant(node: Node, value: float) -> bool:
    """Whether every element of `node` is `value`, with its sign. No complex one is: (inf + 0j) * 1 is not inf + 0j."""
    if node.op is not CONSTANT or node.dtype.kind == "complex":
        return False
    array = node.attributes["value"].array
    return bool(np.all(array == value)) and not (node.dtype.is_float and np.any(np.signbit(array) != np.signbit(value)))


def _same_type(_: Builder, node: Node) -> Node | None:
    return node.inputs[0] if node.inputs[0].type == node.type else None


def _neutral(value: float, *sides: int) -> Callable[[Builder, Node], Node | None]:
    def rule(_: Builder, node: Node) -> Node | None:
        for side in sides:
            other = node.inputs[1 - side]
            if other.type == node.type and _is_constant(node.inputs[side], value):
                return other
        return None
    return rule


def _reshape(builder: Builder, node: Node) -> Node | None:
    (x,) = node.inputs
    if x.op is ops.RESHAPE:
        return _fold(builder, _never, ops.RESHAPE, x.inputs, node.attributes)
    return _same_type(builder, node)


def _transpose(builder: Builder, node: Node) -> Node | None:
    (x,), permutation = node.inputs, node.attributes["permutation"]
    if permutation == tuple(range(len(permutation))):
        return x
    if x.op is ops.TRANSPOSE:
        both = tuple(x.attributes["permutation"][axis] for axis in permutation)
        return _fold(builder, _never, ops.TRANSPOSE, x.inputs, {"permutation": both})
    return None


def _twice(_: Builder, node: Node) -> Node | None:
    (x,) = node.inputs
    return x.inputs[0] if x.op is node.op else None


def _never(*_: object) -> np.ndarray:
    raise AssertionError("an identity rule folds nothing")


IDENTITIES: dict[Op, Callable[[Builder, Node], Node | None]] = {
    ops.STOP_GRADIENT: lambda _, node: node.inputs[0],
    ops.PLACE: lambda _, node: None if isinstance(node.attributes["where"], Layout) else node.inputs[0],
    ops.NEG: _twice,
    ops.NOT: _twice,
    ops.ADD: _neutral(-0.0, 0, 1),
    ops.MUL: _neutral(1, 0, 1),
    ops.DIV: _neutral(1, 1),
    ops.POW: _neutral(1, 1),
    ops.SUB: _neutral(0, 1),
    ops.CAST: _same_type,
    ops.BITCAST: _same_type,
    ops.RESHAPE: _reshape,
    ops.TRANSPOSE: _transpose,
    ops.BROADCAST: _same_type,
    ops.SLICE: _same_type,
    ops.PAD: _same_type,
    ops.CONCAT: lambda _, node: node.inputs[0] if len(node.inputs) == 1 else None,
    ops.FLIP: lambda _, node: node.inputs[0] if not node.attributes["axes"] else None,
    ops.SUM: _same_type,
    ops.PROD: _same_type,
    ops.MAX: _same_type,
    ops.MIN: _same_type,
    ops.ANY_TRUE: _same_type,
    ops.ALL_TRUE: _same_type,
}
