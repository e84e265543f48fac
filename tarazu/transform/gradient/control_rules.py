"""Gradients of the control primitives: a call differentiates its body, a scan goes back by a scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tarazu.base.errors import TraceError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced, Value, bind, state
from tarazu.ops.control_flow.loops import scan as run_scan
from tarazu.ops.create import zeros_like
from tarazu.transform.gradient.graph_cache import cached_graph
from tarazu.transform.gradient.tape import level, tape_state
from tarazu.transform.gradient.vjp import pull_back, replay, track

Flags = tuple[bool, ...]


def vjp_graph(body: Graph, needed: Flags, live: Flags) -> Graph:
    """From the inputs of `body` and the cotangents of its `live` outputs to the cotangents of its `needed` inputs."""
    return _vjp_graph(body, needed, live, tape_state.is_forward)


@cached_graph
def _vjp_graph(body: Graph, needed: Flags, live: Flags, is_forward: bool) -> Graph:
    count = len(body.parameters)

    def function(*values: Value) -> list[Any]:
        with level() as bit:
            inputs = [track(x, bit) if need else x for x, need in zip(values, needed, strict=False)]
            outputs = replay(body, inputs)
            wanted = [x for x, need in zip(inputs, needed, strict=True) if need]
            reached = [y for y, is_live in zip(outputs, live, strict=True) if is_live]
            found = pull_back(reached, values[count:], wanted, bit)
        return [zeros_like(x) if g is None else g for x, g in zip(wanted, found, strict=True)]

    types = [*body.input_types, *(t for t, is_live in zip(body.output_types, live, strict=True) if is_live)]
    traced = state.interpreter.trace(function, types)
    return closed(traced)


def closed(traced: Traced) -> Graph:
    """The graph of a gradient, which must not depend on anything but its inputs."""
    if traced.captured:
        raise TraceError("the backward of a custom_vjp reads a tensor that its function does not read",
                         expected="a backward of the cotangent, the output, the arguments, and what the function reads",
                         fix="pass the tensor as an argument, with the cotangent None")
    return traced.graph


def spread(values: Sequence[Any], places: Flags) -> list[Any]:
    """One value for each True of `places`, None for each False."""
    rest = iter(values)
    return [next(rest) if place else None for place in places]


def call(cotangents: Any, outputs: Any, inputs: Any, needed: Flags, label: str, body: Graph,
         gradient: Any = None) -> list[Any]:
    if gradient is not None:
        return gradient(cotangents, outputs, inputs, needed, label=label, body=body)
    live = tuple(g is not None for g in cotangents)
    found = bind(ops.CALL, *inputs, *(g for g in cotangents if g is not None), label=f"{label}_vjp",
                 body=vjp_graph(body, needed, live))
    return spread(found, needed)


def _is_inexact(x: Value) -> bool:
    return x.dtype.is_inexact


def scan(cotangents: Any, outputs: Any, inputs: Any, needed: Flags, body: Graph, length: int, reverse: bool,
         constants: int, carries: int) -> list[Any]:
    """Run the scan again for the carry before each step, then go back over the steps with the body's own gradient."""
    fixed, carry, rows = inputs[:constants], inputs[constants:constants + carries], inputs[constants + carries:]
    own = (*needed[:constants], *map(_is_inexact, carry), *needed[constants + carries:])
    live = tuple(map(_is_inexact, outputs))
    back_through = vjp_graph(body, own, live)
    given = [zeros_like(y) if g is None else g
             for g, y, is_live in zip(cotangents, outputs, live, strict=True) if is_live]
    n_carry, n_fixed = sum(live[:carries]), sum(own[:constants])

    def forward(before: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
        return replay(body, [*fixed, *before, *row])[:carries], before

    def backward(collected: tuple[Any, Any], step: tuple[Any, Any, Any]) -> tuple[Any, list[Any]]:
        (g_carry, g_fixed), (before, row, g_rows) = collected, step
        found = replay(back_through, [*fixed, *before, *row, *g_carry, *g_rows])
        totals = [total + g for total, g in zip(g_fixed, found[:n_fixed], strict=True)]
        return (found[n_fixed:n_fixed + n_carry], totals), found[n_fixed + n_carry:]

    _, befores = run_scan(forward, list(carry), list(rows), length=length, reverse=reverse)
    start = (given[:n_carry], [zeros_like(x) for x, need in zip(fixed, own, strict=False) if need])
    (g_carry, g_fixed), g_rows = run_scan(backward, start, (befores, list(rows), given[n_carry:]), length=length,
                                          reverse=not reverse)
    return spread([*g_fixed, *g_carry, *g_rows], own)


def cond(cotangents: Any, outputs: Any, inputs: Any, needed: Flags, on_true: Graph, on_false: Graph) -> list[Any]:
    live, own = tuple(g is not None for g in cotangents), needed[1:]
    found = bind(ops.COND, *inputs, *(g for g in cotangents if g is not None), on_true=vjp_graph(on_true, own, live),
                 on_false=vjp_graph(on_false, own, live))
    return [None, *spread(found, own)]


def barrier(cotangents: Any, outputs: Any, inputs: Any, needed: Flags) -> list[Any]:
    return list(cotangents)
