"""The gradient of a call in lanes, where the gradient is not that of its body: the rule for one lane, batched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tarazu.ir import op as ops
from tarazu.ir.interpreter import Value, bind, state
from tarazu.ir.types import TensorType
from tarazu.ops.create import zeros_like
from tarazu.ops.reduce import sum
from tarazu.transform.batching.engine import Flags, batch_graph
from tarazu.transform.gradient.control_rules import closed, spread
from tarazu.transform.gradient.graph_cache import cached_graph
from tarazu.transform.gradient.tape import tape_state


class LanesGradient(NamedTuple):
    """A rule like those of `vjp_rules`, with the attributes that it gets, for `size` lanes at once.

    `inputs` and `outputs` say which of these have a value for each lane.
    """

    rule: Any
    attributes: tuple[tuple[str, Any], ...]
    inputs: Flags
    outputs: Flags
    size: int

    def __call__(self, cotangents: Any, outputs: Any, inputs: Any, needed: Flags, **call: Any) -> list[Any]:
        live = tuple(g is not None for g in cotangents)
        given = [*inputs, *outputs, *(g for g in cotangents if g is not None)]
        given_flags = [flag for flag, is_live in zip(self.outputs, live, strict=True) if is_live]
        flags = (*self.inputs, *self.outputs, *given_flags)
        types = [TensorType(tuple(x.shape[1:]) if flag else tuple(x.shape), x.dtype)
                 for x, flag in zip(given, flags, strict=True)]
        one_lane = _one_lane(self.rule, self.attributes, tuple(types), needed, live, tape_state.is_forward)
        graph, _ = batch_graph(one_lane, flags, self.size, (True,) * len(one_lane.outputs))
        found = bind(ops.CALL, *given, label="gradient_vmap", body=graph)
        return [g if g is None or flag else sum(g, 0)  # what all lanes share gets the gradient of all
                for g, flag in zip(spread(found, needed), self.inputs, strict=True)]


@cached_graph
def _one_lane(rule: Any, attributes: tuple[tuple[str, Any], ...], types: tuple[TensorType, ...], needed: Flags,
              live: Flags, is_forward: bool) -> Any:
    """The graph from inputs, outputs and live cotangents to the needed cotangents."""
    middle = len(needed) + len(live)

    def function(*values: Value) -> Sequence[Any]:
        inputs, outputs = values[:len(needed)], values[len(needed):middle]
        found = rule(spread(values[middle:], live), list(outputs), list(inputs), needed, **dict(attributes))
        return [zeros_like(x) if g is None else g for x, g, need in zip(inputs, found, needed, strict=True) if need]

    return closed(state.interpreter.trace(function, types))
