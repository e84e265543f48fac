"""Batching: from a graph to the graph of the same function for many *lanes* at once, by one rule per primitive.

A lane is one of the calls that `tz.vmap` runs side by side: one index of the mapped axis. A value is the same in all
lanes, or has the lanes along its first axis (it is *batched*). What is the same in all lanes is computed once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import bind, state
from tarazu.ir.op import Op
from tarazu.ir.structure import GraphStructure, graphs_in
from tarazu.ir.types import TensorType
from tarazu.ops.shape import broadcast_to, reshape
from tarazu.transform.typing import Flags, Tensor


class Lanes(NamedTuple):
    """The value of a node in all lanes: these along the first axis if `batched`, else the same for all."""

    value: Tensor
    batched: bool

    @property
    def rank(self) -> int:
        """The number of axes that one lane has."""
        return len(self.value.shape) - self.batched


BATCH_RULES: dict[Op, Callable[..., Any]] = {}  # rules.py says what a row is, and fills the table


@functools.lru_cache(maxsize=1024)
def batch_graph(graph: Graph, batched: Flags, size: int, forced: Flags = ()) -> tuple[Graph, Flags]:
    """The graph of `graph` in `size` lanes with these inputs `batched`, and which of its outputs are batched then.

    Outputs that are `forced` are batched in any case.
    """
    flags: list[bool] = []

    def function(*values: Tensor) -> list[Tensor]:
        inputs = [Lanes(x, flag) for x, flag in zip(values, batched, strict=True)]
        outputs = batch(graph, inputs, size)
        outputs = [Lanes(broadcast_lanes(x, size), True) if force else x
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


def elementwise(op: Op, size: int, lanes: list[Lanes], **attributes: object) -> Tensor:
    """The rule of all elementwise primitives: they broadcast, so only ranks have to be aligned."""
    rank = max(x.rank for x in lanes)
    return bind(op, *[align(x, rank) for x in lanes], **attributes)


def align(x: Lanes, rank: int) -> Tensor:
    """The value, if it is batched, with axes of size 1 after the first, so that each lane has `rank` axes."""
    if not x.batched or x.rank == rank:
        return x.value
    lead, *rest = x.value.shape
    return reshape(x.value, (lead, *(1,) * (rank - x.rank), *rest))


def broadcast_lanes(x: Lanes, size: int) -> Tensor:
    """The value with the lanes along its first axis: as it is, or broadcast if it is the same for all."""
    return x.value if x.batched else broadcast_to(x.value, (size, *x.value.shape))


def _draws(op: Op, attributes: dict[str, Any]) -> bool:
    """Whether the primitive draws random bits, which differ between lanes even where no input does."""
    return op is ops.RANDOM_BITS or any(map(graph_draws, graphs_in(attributes)))


@functools.lru_cache(maxsize=1024)
def graph_draws(graph: GraphStructure) -> bool:
    """Whether anything in the graph draws random bits."""
    return any(node.op is ops.RANDOM_BITS for node in graph.nodes) or any(map(graph_draws, graph.subgraphs))
