"""Derivatives of `while`: in forward mode a loop over the carry and its tangent, in reverse mode only with a bound.

`jvp` differentiates a backward pass with respect to its cotangents. No backward pass can go through a `while` of
unknown length. But `jvp` uses only the derivative of the backward pass, never its result, so the pass gets zeros here,
the result of a `Placeholder`. The gradient of the placeholder is the loop of forward mode.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from tarazu.base.errors import GradientError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import bind, state
from tarazu.ir.types import TensorType
from tarazu.ops.control_flow.branch import cond
from tarazu.ops.control_flow.loops import scan, while_loop
from tarazu.ops.create import zeros_like
from tarazu.transform.gradient.control_rules import live_flags, or_zeros, vjp_graph, without_nones
from tarazu.transform.gradient.graph_cache import cached_graph
from tarazu.transform.gradient.tape import tape_state, walking
from tarazu.transform.gradient.vjp import replay
from tarazu.transform.typing import Cotangents, Flags, Tensor, Tensors, with_nones


class Loop(NamedTuple):
    """The attributes of a `while`."""

    condition: Graph
    body: Graph
    condition_constants: int
    body_constants: int
    bound: int | None

    @property
    def start(self) -> int:
        """The position of the first carry among the inputs."""
        return self.condition_constants + self.body_constants

    @property
    def types(self) -> tuple[TensorType, ...]:
        """The types of all inputs."""
        return self.condition.input_types[:self.condition_constants] + self.body.input_types

    def goes_on(self, inputs: Tensors, carry: Tensors) -> Tensor:
        """The value of the condition for a carry."""
        return replay(self.condition, [*inputs[:self.condition_constants], *carry])[0]

    def step(self, inputs: Tensors, carry: Tensors) -> list[Tensor]:
        """The carry after one step from `carry`."""
        return replay(self.body, [*inputs[self.condition_constants:self.start], *carry])


def while_(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, condition: Graph, body: Graph,
           condition_constants: int, body_constants: int, bound: int | None = None) -> Cotangents:
    """A placeholder in a pass that is only differentiated, the gradient of `bound` steps in any other; GradientError
    where there is no bound."""
    loop = Loop(condition, body, condition_constants, body_constants, bound)
    live, arrived = live_flags(cotangents), without_nones(cotangents)
    if tape_state.is_forward:
        results = bind(ops.CALL, *inputs, *arrived, label="while_forward", body=_zeros(loop, needed, live),
                       gradient=Placeholder(loop, needed, live))
    elif bound is not None:
        results = bind(ops.CALL, *inputs, *arrived, label="while_vjp", body=vjp_graph(_as_scan(loop), needed, live))
    else:
        raise GradientError("backward came to a while_loop, whose number of steps is not known before it runs",
                            expected="loops of a known length on the way back",
                            fix="pass bound=n, the largest number of steps, or use tz.scan with a fixed length")
    return with_nones(results, needed)


@functools.lru_cache(maxsize=256)
def _zeros(loop: Loop, needed: Flags, live: Flags) -> Graph:
    """Zeros of the types of the needed inputs, in place of their cotangents."""
    types = loop.types + tuple([t for t, is_live in zip(loop.body.output_types, live, strict=True) if is_live])
    return state.interpreter.trace(
        lambda *xs: [zeros_like(x) for x, need in zip(xs, needed, strict=False) if need], types).graph


@functools.lru_cache(maxsize=256)
def _as_scan(loop: Loop) -> Graph:
    """The loop as `bound` steps that do nothing once the condition is false."""
    def function(*inputs: Tensor) -> list[Tensor]:
        def step(carry: list[Tensor], _: None) -> tuple[list[Tensor], None]:
            return cond(loop.goes_on(inputs, carry), lambda *now: loop.step(inputs, now), lambda *now: list(now),
                        *carry), None
        return scan(step, list(inputs[loop.start:]), length=loop.bound)[0]

    return state.interpreter.trace(function, loop.types).graph


class Placeholder(NamedTuple):
    """The gradient of the placeholder for the backward pass through a `while` of unknown length."""

    loop: Loop
    needed: Flags
    live: Flags

    def __str__(self) -> str:
        return "while_forward"

    def __call__(self, cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags,
                 **_: object) -> Cotangents:
        """From the tangents of the inputs of the `while` (here the cotangents) to those of its results.

        The inputs of the `while` themselves get None, as nothing depends on the value of the placeholder.
        """
        loop, count = self.loop, len(self.needed)
        inputs = inputs[:count]
        tangents = or_zeros(with_nones(cotangents, self.needed), inputs)
        is_inexact = [x.dtype.is_inexact for x in inputs]
        fixed = [t for t, flag in zip(tangents[loop.condition_constants:loop.start],
                                      is_inexact[loop.condition_constants:loop.start], strict=True) if flag]
        forward = jvp_graph(loop.body)

        def step(state: tuple[list[Tensor], list[Tensor]]) -> tuple[list[Tensor], list[Tensor]]:
            now, moving = state
            before = [*inputs[loop.condition_constants:loop.start], *now]
            any_cotangents = moving
            return loop.step(inputs, now), replay(forward, [*before, *any_cotangents, *fixed, *moving])

        carry_flags = is_inexact[loop.start:]
        start = [t for t, flag in zip(tangents[loop.start:], carry_flags, strict=True) if flag]
        _, last = while_loop(lambda state: loop.goes_on(inputs, state[0]), step, (list(inputs[loop.start:]), start),
                             bound=loop.bound)
        results = with_nones(last, tuple(carry_flags))
        return [None] * count + [t for t, is_live in zip(results, self.live, strict=True) if is_live]


@cached_graph
def jvp_graph(body: Graph) -> Graph:
    """The graph from the inputs of `body`, cotangents of any value, and tangents of its inputs to those of its outputs.

    It is the gradient of the backward pass with respect to the cotangents. The pass is linear in them, so their values
    have no effect. Only inexact (float or complex) inputs and outputs have tangents.
    """
    wanted = tuple([t.dtype.is_inexact for t in body.input_types])
    live = tuple([t.dtype.is_inexact for t in body.output_types])
    with walking(forward=True):
        back = vjp_graph(body, wanted, live)
        return vjp_graph(back, (False,) * len(wanted) + (True,) * sum(live), (True,) * sum(wanted))
