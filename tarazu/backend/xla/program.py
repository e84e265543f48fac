"""Graphs, and single primitives for eager mode, as programs that JAX compiles."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from tarazu.backend.xla import devices, processes
from tarazu.backend.xla.rules import bounds
from tarazu.backend.xla.rules.table import ROWS, interpret
from tarazu.base.device import Device, Layout, Mesh
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op
from tarazu.ir.structure import graphs_in

# By default XLA keeps more digits than half precision has between one operation and the next.
OPTIONS = {"xla_allow_excess_precision": False}


class Compiled:
    """A function of arrays that JAX compiles for each signature. Arrays may be NumPy's or JAX's, also mixed.

    It calls with JAX's 64-bit types switched on, and leaves the setting of JAX's other users as it is. With
    `is_bounded`, for a function with a `while` that has a bound, calls raise ArgumentError where a bound is exceeded.
    """

    def __init__(self, function: Callable[..., Any], *, is_bounded: bool) -> None:
        def with_excess(*arrays: jax.Array) -> tuple[Any, jax.Array | None]:
            with bounds.collected() as excesses:
                out = function(*arrays)
            return out, bounds.largest(excesses) if is_bounded else None

        self.jitted = jax.jit(with_excess, compiler_options=OPTIONS)

    def __call__(self, *arrays: np.ndarray | jax.Array) -> Any:
        with processes.raising_for_ended_processes(), jax.enable_x64(True):
            out, excess = self.jitted(*arrays)
        if excess is not None:
            bounds.require_none(excess)
        return out


class Program(Compiled):
    """A graph, compiled: it takes one array per parameter and gives a list with one array per output."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(lambda *arrays: interpret(graph, arrays), is_bounded=bounds.is_bounded(graph))
        self.graph = graph

    def at(self, where: Device | Mesh) -> Callable[..., list[jax.Array]]:
        """The program on a device or mesh, to which it brings NumPy's arrays: to JAX they are another signature."""
        return functools.partial(_run_at, self, Layout(where) if isinstance(where, Mesh) else where)


def _run_at(program: Program, where: Device | Layout, *arrays: np.ndarray | jax.Array) -> list[jax.Array]:
    placed = list(arrays)
    for i, x in enumerate(arrays):
        if not isinstance(x, jax.Array):
            placed[i] = devices.put(x, where)
    return program(*placed) if placed else [devices.put(x, where) for x in program()]


@functools.lru_cache(maxsize=512)
def compile_graph(graph: Graph) -> Program:
    return Program(graph)


def primitive(op: Op, attributes: dict[str, Any]) -> Compiled:
    """One primitive as a program, for eager mode; the same one for the same attributes."""
    try:
        return _primitive(op, tuple(attributes.items()))
    except TypeError:  # an attribute that is not hashable
        return _primitive.__wrapped__(op, tuple(attributes.items()))


@functools.lru_cache(maxsize=2048)
def _primitive(op: Op, attributes: tuple[tuple[str, Any], ...]) -> Compiled:
    own = dict(attributes)
    graphs = graphs_in(own)
    return Compiled(functools.partial(ROWS[op], **own),
                    is_bounded=own.get("bound") is not None or bounds.is_bounded(*graphs))
