"""The gradient of a batched call that brings its own gradient: its rule for one lane, batched."""

from __future__ import annotations

from typing import Any, NamedTuple

from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import bind, state
from tarazu.ir.types import CallGradient, TensorType
from tarazu.ops.create import zeros_like
from tarazu.ops.reduce import sum
from tarazu.transform.batching.engine import batch_graph
from tarazu.transform.gradient.control_rules import closed_graph, live_flags, without_nones
from tarazu.transform.gradient.graph_cache import cached_graph
from tarazu.transform.gradient.tape import tape_state
from tarazu.transform.typing import Cotangents, Flags, Tensor, Tensors, with_nones


class LanesGradient(NamedTuple):
    """A rule like those of gradient/rules.py, with the attributes that it gets, for `size` lanes at once.

    `inputs` and `outputs` say which of these have a value in each lane.
    """

    rule: CallGradient
    attributes: tuple[tuple[str, Any], ...]
    inputs: Flags
    outputs: Flags
    size: int

    def __call__(self, cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags,
                 **_: object) -> Cotangents:
        live = live_flags(cotangents)
        values = [*inputs, *outputs, *without_nones(cotangents)]
        live_outputs = [flag for flag, is_live in zip(self.outputs, live, strict=True) if is_live]
        flags = (*self.inputs, *self.outputs, *live_outputs)
        types = [TensorType(tuple(x.shape[1:]) if flag else tuple(x.shape), x.dtype)
                 for x, flag in zip(values, flags, strict=True)]
        one_lane = _one_lane(self.rule, self.attributes, tuple(types), needed, live, tape_state.is_forward)
        graph = batch_graph(one_lane, flags, self.size, (True,) * len(one_lane.outputs))[0]
        results = bind(ops.CALL, *values, label="gradient_vmap", body=graph)
        return [g if g is None or flag else sum(g, 0)  # an input that all lanes share gets the sum over the lanes
                for g, flag in zip(with_nones(results, needed), self.inputs, strict=True)]


@cached_graph
def _one_lane(rule: CallGradient, attributes: tuple[tuple[str, Any], ...], types: tuple[TensorType, ...],
              needed: Flags, live: Flags, is_forward: bool) -> Graph:
    """The graph of a rule: from inputs, outputs and live cotangents to the needed cotangents."""
    middle = len(needed) + len(live)

    def function(*values: Tensor) -> list[Tensor]:
        inputs, outputs = values[:len(needed)], values[len(needed):middle]
        cotangents = rule(with_nones(values[middle:], live), list(outputs), list(inputs), needed, **dict(attributes))
        return [zeros_like(x) if g is None else g
                for x, g, need in zip(inputs, cotangents, needed, strict=True) if need]

    return closed_graph(state.interpreter.trace(function, types))
