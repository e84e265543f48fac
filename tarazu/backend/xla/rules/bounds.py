"""What becomes of a `while` that reaches its bound. XLA cannot raise, so a number goes up to an output of the program:
0, or one more than a bound that was reached.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

import jax.numpy as jnp
from jax import Array, lax

from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph

_notes: ContextVar[list[Array]] = ContextVar("notes")


@functools.lru_cache(maxsize=1024)
def is_bounded(*graphs: Graph) -> bool:
    """Whether the graphs, or graphs inside them, hold a `while` with a bound."""
    nodes = [node for graph in graphs for node in graph.nodes]
    return (any(node.op is ops.WHILE and node.attributes.get("bound") is not None for node in nodes)
            or any(is_bounded(*graph.subgraphs) for graph in graphs))


@contextlib.contextmanager
def noted() -> Iterator[list[Array]]:
    """A block, such as the body of a loop, with a list of its own of what is noted in it."""
    notes: list[Array] = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def note(marks: Sequence[Array]) -> None:
    """Let the program fail where one of the marks is not 0."""
    _notes.get().extend(marks)


def mark(is_reached: Array, bound: int) -> Array:
    return jnp.where(is_reached, jnp.int64(bound + 1), jnp.int64(0))


def joined(notes: Sequence[Array]) -> Array:
    """One mark for all."""
    return functools.reduce(lax.max, notes, jnp.int64(0))


def require_unmarked(mark: Array) -> None:
    """The error of the `while` that reached its bound, if one did."""
    if bound := int(mark):
        raise ArgumentError(f"while_loop: the condition still holds after bound={bound - 1} steps",
                            expected="a bound that no run of the loop exceeds", fix="pass a larger bound")
