"""Batching: from a graph to the graph of the same function for many *lanes* at once, by one rule per primitive.

A value is either the same in all lanes, or has them along its first axis. What depends on no lane is computed once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Value, bind, state
from tarazu.ir.op import Op
from tarazu.ir.structure import graphs_in
from tarazu.ir.types import TensorType
from tarazu.ops.shape import broadcast_to, reshape

Flags = tuple[bool, ...]


class Lanes(NamedTuple):
    """The value of a node in all lanes: one along the first axis for each if `batched`, else the same for all."""

    value: Any
    batched: bool

    @property
    def rank(self) -> int:
        """The number of axes that one lane has."""
        return len(self.value.shape) - self.batched


BATCH_RULES: dict[Op, Callable[..., Any]] = {}  # batch_rules.py says what a row is and holds them all


@functools.lru_cache(maxsize=1024)
def batch_graph(graph: Graph, batched: Flags, size: int, forced: Flags = ()) -> tuple[Graph, Flags]:
    """`graph` for `size` lanes, of which the `batched` inputs have one each, and which outputs do then too.

    Outputs that are `forced` have the lanes along their first axis in any case.
    """
    flags: list[bool] = []

    def function(*values: Value) -> list[Any]:
        inputs = [Lanes(x, flag) for x, flag in zip(values, batched, strict=True)]
        outputs = batch(graph, inputs, size)
        outputs = [Lanes(spread(x, size), True) if force else x
                   for x, force in zip(outputs, forced or (False,) * len(outputs), strict=True)]
        flags[:] = [x.batched for x in outputs]
        return [x.value for x in outputs]

    types = [TensorType((size, *t.shape), t.dtype) if flag else t
             for t, flag in zip(graph.input_types, batched, strict=True)]
    return state.interpreter.trace(function, types).graph, tuple(flags)


def batch(graph: Graph, inputs: Sequence[Lanes], size: int) -> list[Lanes]:
    """The outputs of `graph` in all lanes."""

    def apply(op: Op, lanes: list[Lanes], attributes: dict[str, Any]) -> Any:
        if not any(x.batched for x in lanes) and not _draws(op, attributes):
            out = bind(op, *[x.value for x in lanes], **attributes)
            return [Lanes(one, False) for one in out] if op.multiple else Lanes(out, False)
        rule = elementwise if op.is_elementwise else BATCH_RULES[op]
        out = rule(op, size, lanes, **attributes)
        return out if op.multiple else Lanes(out, True)

    interpreter = state.interpreter
    try:
        return graph.evaluate(inputs, apply, lambda array: Lanes(interpreter.constant(array, None), False),
                              interpreter.enter_replay)
    finally:
        interpreter.enter_replay(None)


def elementwise(op: Op, size: int, lanes: list[Lanes], **attributes: Any) -> Any:
    """The rule of all elementwise primitives: they broadcast, so only ranks have to be aligned."""
    rank = max(x.rank for x in lanes)
    return bind(op, *[align(x, rank) for x in lanes], **attributes)


def align(x: Lanes, rank: int) -> Any:
    """The value with axes of size 1 after that of the lanes, so that each lane has `rank` axes and broadcasts."""
    if not x.batched or x.rank == rank:
        return x.value
    lead, *rest = x.value.shape
    return reshape(x.value, (lead, *(1,) * (rank - x.rank), *rest))


def spread(x: Lanes, size: int) -> Any:
    """The value with the lanes along the first axis, repeated if it is the same for all."""
    return x.value if x.batched else broadcast_to(x.value, (size, *x.value.shape))


def _draws(op: Op, attributes: dict[str, Any]) -> bool:
    """Whether the primitive draws random bits, which differ between lanes though nothing that goes in does."""
    return op is ops.RANDOM_BITS or any(map(graph_draws, graphs_in(attributes)))


@functools.lru_cache(maxsize=1024)
def graph_draws(graph: Graph) -> bool:
    """Whether anything in the graph draws random bits."""
    return any(isinstance(node.op, Op) and _draws(node.op, node.attributes) for node in graph.nodes)
