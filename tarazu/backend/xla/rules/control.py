"""The control primitives. The first argument of each row is what runs a graph: `interpret(graph, arrays)`.

Where a graph has loops with a bound, what runs it carries the excess (see bounds.py) along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from tarazu.backend.xla.rules import bounds
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op
from tarazu.ir.types import CallGradient

Interpret = Callable[[Graph, Sequence[Array]], list[Array]]
Arrays = tuple[Array, ...]
_LoopState = tuple[Arrays, Array, Array, Array]  # carry, whether the condition holds, excess inside, number of steps


def call(interpret: Interpret, *arrays: Array, label: str, body: Graph,
         gradient: CallGradient | None = None) -> list[Array]:
    return interpret(body, arrays)


def barrier(interpret: Interpret, *arrays: Array) -> list[Array]:
    return list(lax.optimization_barrier(arrays))


def _with_excess(interpret: Interpret, graph: Graph, arrays: Sequence[Array]) -> tuple[list[Array], Array]:
    """The outputs of a graph inside a loop or a branch, and the excess of the loops in it."""
    with bounds.collected() as excesses:
        outputs = interpret(graph, arrays)
    return outputs, bounds.largest(excesses)


def scan(interpret: Interpret, *arrays: Array, body: Graph, length: int, reverse: bool, constants: int,
         carries: int) -> list[Array]:
    fixed, start, sequences = arrays[:constants], arrays[constants:constants + carries], arrays[constants + carries:]

    def step(carry: Arrays, rows: Arrays) -> tuple[Arrays, Arrays]:
        outputs = interpret(body, [*fixed, *carry, *rows])
        return tuple(outputs[:carries]), tuple(outputs[carries:])

    def step_with_excess(state: tuple[Arrays, Array], rows: Arrays) -> tuple[tuple[Arrays, Array], Arrays]:
        carry, excess = state
        outputs, more = _with_excess(interpret, body, [*fixed, *carry, *rows])
        return (tuple(outputs[:carries]), lax.max(excess, more)), tuple(outputs[carries:])

    if not bounds.is_bounded(body):
        carry, stacks = lax.scan(step, start, sequences, length, reverse)
    else:
        (carry, excess), stacks = lax.scan(step_with_excess, (start, jnp.int64(0)), sequences, length, reverse)
        bounds.add([excess])
    return [*carry, *stacks]


def cond(interpret: Interpret, predicate: Array, *arrays: Array, on_true: Graph, on_false: Graph) -> list[Array]:
    if not bounds.is_bounded(on_true, on_false):
        return lax.cond(predicate, *(lambda *xs, graph=graph: interpret(graph, xs) for graph in (on_true, on_false)),
                        *arrays)
    outputs, excess = lax.cond(predicate, *(lambda *xs, graph=graph: _with_excess(interpret, graph, xs)
                                            for graph in (on_true, on_false)), *arrays)
    bounds.add([excess])
    return outputs


def while_(interpret: Interpret, *arrays: Array, condition: Graph, body: Graph, condition_constants: int,
           body_constants: int, bound: int | None = None) -> list[Array]:
    start = condition_constants + body_constants
    for_condition, for_body = arrays[:condition_constants], arrays[condition_constants:start]

    def test(carry: Arrays) -> tuple[Array, Array]:
        (result,), excess = _with_excess(interpret, condition, [*for_condition, *carry])
        return result, excess

    def step(carry: Arrays) -> tuple[Arrays, Array]:
        outputs, excess = _with_excess(interpret, body, [*for_body, *carry])
        return tuple(outputs), excess

    if bound is None and not bounds.is_bounded(condition, body):
        carry = lax.while_loop(lambda carry: test(carry)[0], lambda carry: step(carry)[0], arrays[start:])
        return list(carry)
    return _bounded_while(test, step, arrays[start:], bound)


def _bounded_while(test: Callable[[Arrays], tuple[Array, Array]], step: Callable[[Arrays], tuple[Arrays, Array]],
                   start: Arrays, bound: int | None) -> list[Array]:
    """A loop that ends at its bound, or when a loop inside exceeds its own, and adds the excess."""
    def iterate(state: _LoopState) -> _LoopState:
        carry, _, excess, count = state
        carry, in_step = step(carry)
        holds, in_test = test(carry)
        return carry, holds, bounds.largest([excess, in_step, in_test]), count + 1

    def is_running(state: _LoopState) -> Array:
        _, holds, excess, count = state
        running = holds & (excess == 0)
        return running if bound is None else running & (count < bound)

    carry, holds, excess, _ = lax.while_loop(is_running, iterate, (start, *test(start), jnp.int64(0)))
    bounds.add([excess] if bound is None else [excess, bounds.excess_of(holds & (excess == 0), bound)])
    return list(carry)


ROWS: dict[Op, Callable[..., Any]] = {
    ops.CALL: call,
    ops.SCAN: scan,
    ops.WHILE: while_,
    ops.COND: cond,
    ops.BARRIER: barrier,
}
