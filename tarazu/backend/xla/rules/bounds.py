"""Bounds of `while` loops. XLA cannot raise, so a number that says which bound was exceeded becomes an output.

An *excess* is 0, or 1 more than a bound that was exceeded. Rows of loops and branches `add` theirs to those of the
block around them; a program gives the largest of all beside its own outputs and raises for it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

import jax.numpy as jnp
from jax import Array, lax

from tarazu.base.checks import exceeded_bound
from tarazu.ir import op as ops
from tarazu.ir.structure import GraphStructure

_excesses: ContextVar[list[Array]] = ContextVar("excesses")


@functools.lru_cache(maxsize=1024)
def is_bounded(*graphs: GraphStructure) -> bool:
    """Whether the graphs, or graphs inside them, hold a `while` with a bound."""
    nodes = [node for graph in graphs for node in graph.nodes]
    return (any(node.op is ops.WHILE and node.attributes.get("bound") is not None for node in nodes)
            or any(is_bounded(*graph.subgraphs) for graph in graphs))


@contextlib.contextmanager
def collected() -> Iterator[list[Array]]:
    """A block, such as the body of a loop, and the list of the excesses that are added in it."""
    excesses: list[Array] = []
    token = _excesses.set(excesses)
    try:
        yield excesses
    finally:
        _excesses.reset(token)


def add(excesses: Sequence[Array]) -> None:
    """Let the program raise where one of these is not 0."""
    _excesses.get().extend(excesses)


def excess_of(is_exceeded: Array, bound: int) -> Array:
    """The excess of one loop."""
    return jnp.where(is_exceeded, jnp.int64(bound + 1), jnp.int64(0))


def largest(excesses: Sequence[Array]) -> Array:
    """One excess for all."""
    return functools.reduce(lax.max, excesses, jnp.int64(0))


def require_none(excess: Array) -> None:
    """Raise ArgumentError where a bound was exceeded."""
    if number := int(excess):
        raise exceeded_bound(number - 1)
