"""The control primitives. Each row takes first what runs a graph: `interpret(graph, arrays)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from tarazu.backend.xla.rules import bounds
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op

Interpret = Callable[[Graph, Sequence[Array]], list[Array]]


def call(interpret: Interpret, *arrays: Array, label: str, body: Graph, gradient: Any = None) -> list[Array]:
    return interpret(body, arrays)


def barrier(interpret: Interpret, *arrays: Array) -> list[Array]:
    return list(lax.optimization_barrier(arrays))


def _marking(interpret: Interpret, graph: Graph, arrays: Sequence[Array]) -> tuple[list[Array], Array]:
    """The outputs of a graph inside a loop or a branch, and a mark for the bounds that were reached in it."""
    with bounds.noted() as notes:
        outputs = interpret(graph, arrays)
    return outputs, bounds.joined(notes)


def scan(interpret: Interpret, *arrays: Array, body: Graph, length: int, reverse: bool, constants: int,
         carries: int) -> list[Array]:
    fixed, start, sequences = arrays[:constants], arrays[constants:constants + carries], arrays[constants + carries:]

    def step(carry: Any, rows: Any) -> Any:
        outputs = interpret(body, [*fixed, *carry, *rows])
        return tuple(outputs[:carries]), tuple(outputs[carries:])

    def marking_step(state: Any, rows: Any) -> Any:
        carry, mark = state
        outputs, more = _marking(interpret, body, [*fixed, *carry, *rows])
        return (tuple(outputs[:carries]), lax.max(mark, more)), tuple(outputs[carries:])

    if not bounds.is_bounded(body):
        carry, stacks = lax.scan(step, start, sequences, length, reverse)
    else:
        (carry, mark), stacks = lax.scan(marking_step, (start, jnp.int64(0)), sequences, length, reverse)
        bounds.note([mark])
    return [*carry, *stacks]


def cond(interpret: Interpret, predicate: Array, *arrays: Array, on_true: Graph, on_false: Graph) -> list[Array]:
    if not bounds.is_bounded(on_true, on_false):
        return lax.cond(predicate, *(lambda *xs, graph=graph: interpret(graph, xs) for graph in (on_true, on_false)),
                        *arrays)
    outputs, mark = lax.cond(predicate, *(lambda *xs, graph=graph: _marking(interpret, graph, xs)
                                          for graph in (on_true, on_false)), *arrays)
    bounds.note([mark])
    return outputs


def while_(interpret: Interpret, *arrays: Array, condition: Graph, body: Graph, condition_constants: int,
           body_constants: int, bound: int | None = None) -> list[Array]:
    start = condition_constants + body_constants
    for_condition, for_body = arrays[:condition_constants], arrays[condition_constants:start]

    def go_on(carry: Any) -> tuple[Array, Array]:
        (result,), mark = _marking(interpret, condition, [*for_condition, *carry])
        return result, mark

    def step(carry: Any) -> tuple[Any, Array]:
        outputs, mark = _marking(interpret, body, [*for_body, *carry])
        return tuple(outputs), mark

    if bound is None and not bounds.is_bounded(condition, body):
        return list(lax.while_loop(lambda carry: go_on(carry)[0], lambda carry: step(carry)[0], arrays[start:]))
    return _marking_while(go_on, step, arrays[start:], bound)


def _marking_while(go_on: Callable[[Any], tuple[Array, Array]], step: Callable[[Any], tuple[Any, Array]],
                   start: tuple[Array, ...], bound: int | None) -> list[Array]:
    """A loop that ends at its bound, or when a loop inside reached its own, and says so in a note."""
    def next_turn(state: Any) -> Any:
        carry, _, mark, count = state
        carry, first = step(carry)
        goes_on, second = go_on(carry)
        return carry, goes_on, bounds.joined([mark, first, second]), count + 1

    def is_running(state: Any) -> Array:
        _, goes_on, mark, count = state
        running = goes_on & (mark == 0)
        return running if bound is None else running & (count < bound)

    carry, goes_on, mark, _ = lax.while_loop(is_running, next_turn, (start, *go_on(start), jnp.int64(0)))
    bounds.note([mark] if bound is None else [mark, bounds.mark(goes_on & (mark == 0), bound)])
    return list(carry)


ROWS: dict[Op, Callable[..., Any]] = {
    ops.CALL: call,
    ops.SCAN: scan,
    ops.WHILE: while_,
    ops.COND: cond,
    ops.BARRIER: barrier,
}
