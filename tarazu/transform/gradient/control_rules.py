"""Gradients of the control primitives: a call of the body's gradient for a call, a reversed scan for a scan.

Bodies are differentiated as graphs: `vjp_graph` traces the backward pass through one.
"""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import TraceError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced, bind, state
from tarazu.ir.types import CallGradient
from tarazu.ops.control_flow.loops import scan as run_scan
from tarazu.ops.create import zeros_like
from tarazu.transform.gradient.graph_cache import cached_graph
from tarazu.transform.gradient.tape import level, tape_state
from tarazu.transform.gradient.vjp import pull_back, replay, track
from tarazu.transform.typing import Cotangents, Flags, Tensor, Tensors, with_nones


def vjp_graph(body: Graph, needed: Flags, live: Flags) -> Graph:
    """The graph from the inputs of `body` and cotangents of its outputs to cotangents of its inputs.

    It takes cotangents of the `live` outputs only (the others have none), and gives those of the `needed` inputs only.
    """
    return _vjp_graph(body, needed, live, tape_state.is_forward)


@cached_graph
def _vjp_graph(body: Graph, needed: Flags, live: Flags, is_forward: bool) -> Graph:
    count = len(body.parameters)

    def function(*values: Tensor) -> list[Tensor]:
        with level() as bit:
            inputs = [track(x, bit) if need else x for x, need in zip(values, needed, strict=False)]
            outputs = replay(body, inputs)
            tracked = [x for x, need in zip(inputs, needed, strict=True) if need]
            reached = [y for y, is_live in zip(outputs, live, strict=True) if is_live]
            cotangents = pull_back(reached, values[count:], tracked, bit)
        return or_zeros(cotangents, tracked)

    types = [*body.input_types, *(t for t, is_live in zip(body.output_types, live, strict=True) if is_live)]
    traced = state.interpreter.trace(function, types)
    return closed_graph(traced)


def or_zeros(cotangents: Cotangents, values: Tensors) -> list[Tensor]:
    """The cotangents of `values`, zeros in place of None."""
    return [zeros_like(x) if g is None else g for g, x in zip(cotangents, values, strict=True)]


def live_flags(cotangents: Cotangents) -> Flags:
    """Which of the cotangents are there."""
    return tuple([g is not None for g in cotangents])


def without_nones(cotangents: Cotangents) -> list[Tensor]:
    """Those cotangents that are there."""
    return [g for g in cotangents if g is not None]


def closed_graph(traced: Traced) -> Graph:
    """The graph of a gradient; TraceError where it depends on anything but its inputs."""
    if traced.captured:
        raise TraceError("the backward of a custom_vjp reads a tensor that its function does not read",
                         expected="a backward of the cotangent, the output, the arguments, and what the function reads",
                         fix="pass the tensor as an argument, with the cotangent None")
    return traced.graph


def call(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, label: str, body: Graph,
         gradient: CallGradient | None = None) -> Cotangents:
    """The gradient that the call brings, or else a call of the gradient of its body."""
    if gradient is not None:
        return gradient(cotangents, outputs, inputs, needed, label=label, body=body)
    results = bind(ops.CALL, *inputs, *without_nones(cotangents), label=f"{label}_vjp",
                   body=vjp_graph(body, needed, live_flags(cotangents)))
    return with_nones(results, needed)


def _is_inexact(x: Tensor) -> bool:
    return x.dtype.is_inexact


def scan(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, body: Graph, length: int,
         reverse: bool, constants: int, carries: int) -> Cotangents:
    """The scan again, for the carry before each step, then a scan in the other direction of the body's gradient."""
    fixed, carry, rows = inputs[:constants], inputs[constants:constants + carries], inputs[constants + carries:]
    wanted = (*needed[:constants], *map(_is_inexact, carry), *needed[constants + carries:])
    live = tuple(map(_is_inexact, outputs))
    body_vjp = vjp_graph(body, wanted, live)
    arrived = [zeros_like(y) if g is None else g
               for g, y, is_live in zip(cotangents, outputs, live, strict=True) if is_live]
    n_carry, n_fixed = sum(live[:carries]), sum(wanted[:constants])

    def forward(before: list[Tensor], row: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        return replay(body, [*fixed, *before, *row])[:carries], before

    def backward(totals: tuple[list[Tensor], list[Tensor]],
                 step: tuple[list[Tensor], list[Tensor], list[Tensor]]) -> tuple[Any, list[Tensor]]:
        (g_carry, g_fixed), (before, row, g_rows) = totals, step
        results = replay(body_vjp, [*fixed, *before, *row, *g_carry, *g_rows])
        sums = [total + g for total, g in zip(g_fixed, results[:n_fixed], strict=True)]
        return (results[n_fixed:n_fixed + n_carry], sums), results[n_fixed + n_carry:]

    _, befores = run_scan(forward, list(carry), list(rows), length=length, reverse=reverse)
    start = (arrived[:n_carry], [zeros_like(x) for x, need in zip(fixed, wanted, strict=False) if need])
    (g_carry, g_fixed), g_rows = run_scan(backward, start, (befores, list(rows), arrived[n_carry:]), length=length,
                                          reverse=not reverse)
    return with_nones([*g_fixed, *g_carry, *g_rows], wanted)


def cond(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, on_true: Graph,
         on_false: Graph) -> Cotangents:
    """A choice between the gradients of the branches."""
    live, wanted = live_flags(cotangents), needed[1:]
    results = bind(ops.COND, *inputs, *without_nones(cotangents), on_true=vjp_graph(on_true, wanted, live),
                   on_false=vjp_graph(on_false, wanted, live))
    return [None, *with_nones(results, wanted)]


def barrier(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags) -> Cotangents:
    return list(cotangents)
