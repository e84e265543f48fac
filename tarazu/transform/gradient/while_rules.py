"""Derivatives of `while`: forward by a loop over the carry and its tangent, back only with a known bound.

`jvp` differentiates a walk back with respect to its cotangents. A `while` of unknown length cannot be gone back
through, but it can in that walk, whose own result is never looked at: a placeholder stands there, and the gradient of
the placeholder is the forward loop.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from tarazu.base.errors import GradientError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Value, bind, state
from tarazu.ir.types import TensorType
from tarazu.ops.control_flow.branch import cond
from tarazu.ops.control_flow.loops import scan, while_loop
from tarazu.ops.create import zeros_like
from tarazu.transform.gradient.control_rules import Flags, spread, vjp_graph
from tarazu.transform.gradient.graph_cache import cached_graph
from tarazu.transform.gradient.tape import tape_state, walking
from tarazu.transform.gradient.vjp import replay


class Loop(NamedTuple):
    """The attributes of a `while`."""

    condition: Graph
    body: Graph
    condition_constants: int
    body_constants: int
    bound: int | None

    @property
    def start(self) -> int:
        """The place of the first carry among the inputs."""
        return self.condition_constants + self.body_constants

    @property
    def types(self) -> tuple[TensorType, ...]:
        """The types of all inputs."""
        return self.condition.input_types[:self.condition_constants] + self.body.input_types

    def goes_on(self, inputs: Sequence[Value], carry: Sequence[Value]) -> Any:
        return replay(self.condition, [*inputs[:self.condition_constants], *carry])[0]

    def step(self, inputs: Sequence[Value], carry: Sequence[Value]) -> list[Any]:
        return replay(self.body, [*inputs[self.condition_constants:self.start], *carry])


def while_(cotangents: Any, outputs: Any, inputs: Any, needed: Flags, condition: Graph, body: Graph,
           condition_constants: int, body_constants: int, bound: int | None = None) -> list[Any]:
    loop = Loop(condition, body, condition_constants, body_constants, bound)
    live = tuple([g is not None for g in cotangents])
    given = [g for g in cotangents if g is not None]
    if tape_state.is_forward:
        found = bind(ops.CALL, *inputs, *given, label="while_forward", body=_zeros(loop, needed, live),
                     gradient=Placeholder(loop, needed, live))
    elif bound is not None:
        found = bind(ops.CALL, *inputs, *given, label="while_vjp", body=vjp_graph(_as_scan(loop), needed, live))
    else:
        raise GradientError("backward came to a while_loop, whose number of steps is not known before it runs",
                            expected="loops of a known length on the way back",
                            fix="pass bound=n, the largest number of steps, or use tz.scan with a fixed length")
    return spread(found, needed)


@functools.lru_cache(maxsize=256)
def _zeros(loop: Loop, needed: Flags, live: Flags) -> Graph:
    """Zeros of the types of the needed inputs, in place of their cotangents."""
    types = loop.types + tuple([t for t, is_live in zip(loop.body.output_types, live, strict=True) if is_live])
    return state.interpreter.trace(
        lambda *xs: [zeros_like(x) for x, need in zip(xs, needed, strict=False) if need], types).graph


@functools.lru_cache(maxsize=256)
def _as_scan(loop: Loop) -> Graph:
    """The loop as `bound` steps that do nothing once the condition is false."""
    def function(*inputs: Value) -> Any:
        def step(carry: list[Any], _: None) -> tuple[list[Any], None]:
            return cond(loop.goes_on(inputs, carry), lambda *now: loop.step(inputs, now), lambda *now: list(now),
                        *carry), None
        return scan(step, list(inputs[loop.start:]), length=loop.bound)[0]

    return state.interpreter.trace(function, loop.types).graph


class Placeholder(NamedTuple):
    """What stands for the way back through a `while` of unknown length, and the gradient of that."""

    loop: Loop
    needed: Flags
    live: Flags

    def __str__(self) -> str:
        return "while_forward"

    def __call__(self, cotangents: Any, outputs: Any, inputs: Any, needed: Flags, **_: Any) -> list[Any]:
        """`cotangents` are here the tangents of the inputs of the `while`; the tangents of its results go out.

        Nothing is sent to the inputs of the `while` themselves, as nothing depends on the placeholder's own value.
        """
        loop, count = self.loop, len(self.needed)
        inputs = inputs[:count]
        given = spread(cotangents, self.needed)
        tangents = [zeros_like(x) if t is None else t for x, t in zip(inputs, given, strict=True)]
        is_inexact = [x.dtype.is_inexact for x in inputs]
        fixed = [t for t, flag in zip(tangents[loop.condition_constants:loop.start],
                                      is_inexact[loop.condition_constants:loop.start], strict=True) if flag]
        forward = jvp_graph(loop.body)

        def step(state: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
            now, moving = state
            before = [*inputs[loop.condition_constants:loop.start], *now]
            any_cotangents = moving
            return loop.step(inputs, now), replay(forward, [*before, *any_cotangents, *fixed, *moving])

        carry_flags = is_inexact[loop.start:]
        start = [t for t, flag in zip(tangents[loop.start:], carry_flags, strict=True) if flag]
        _, last = while_loop(lambda state: loop.goes_on(inputs, state[0]), step, (list(inputs[loop.start:]), start),
                             bound=loop.bound)
        results = spread(last, tuple(carry_flags))
        return [None] * count + [t for t, is_live in zip(results, self.live, strict=True) if is_live]


@cached_graph
def jvp_graph(body: Graph) -> Graph:
    """From inputs of `body`, cotangents of any value and tangents of its float (or complex) inputs to those of outputs.

    It is the gradient of the way back with respect to the cotangents, in which that is linear: they have no part in it.
    """
    wanted = tuple([t.dtype.is_inexact for t in body.input_types])
    live = tuple([t.dtype.is_inexact for t in body.output_types])
    with walking(forward=True):
        back = vjp_graph(body, wanted, live)
        return vjp_graph(back, (False,) * len(wanted) + (True,) * sum(live), (True,) * sum(wanted))
