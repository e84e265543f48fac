"""Graphs that run eagerly: in NumPy at first, and as native programs from the call on from which that pays.

A graph is compiled once its calls in NumPy have taken about as long as compiling takes. Both times are estimated from
the graph and not measured, so the switch comes at the same call in each run of a script, and results, which differ by
rounding from there on, are the same in each run.
"""

from __future__ import annotations

import contextlib
import functools
import math
import threading
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from tarazu.backend.base import Program
from tarazu.base.settings import changes, log
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Node
from tarazu.ir.structure import GraphStructure, graphs_in
from tarazu.runtime.compile import JITTED, compile_graph, compile_in_full, compile_jitted, runs_native

MOST = 256  # programs that are kept; what was used least recently goes first
FEWEST_CALLS = 20  # in NumPy, however long they take: scripts that try something out should not wait for a compiler
# Seconds, as measured on one core of a machine of 2025; what counts is their ratio, and that only roughly.
_PER_FLOP, _PER_BYTE = 1 / 3e10, 1 / 4e9  # in NumPy
_TO_START, _TO_COMPILE_NODE = 0.02, 0.003
_SLOW_TO_COMPILE: dict[object, float] = {ops.DOT: 0.03, ops.CONV: 0.3, ops.SCAN: 0.05, ops.WHILE: 0.05, ops.COND: 0.05}
_VALIDATED = ("cross_entropy",)  # composites whose callers have looked at the indices


class _Pausing(threading.local):
    active = False  # whether calls do not count, in this thread


_pausing = _Pausing()


@contextlib.contextmanager
def pause() -> Iterator[None]:
    """A block whose calls do not count: the program of something larger will do what they do."""
    before, _pausing.active = _pausing.active, True
    try:
        yield
    finally:
        _pausing.active = before


class Tiered:
    """A graph that is called with arrays and gives a list of arrays."""

    __slots__ = ("_calls_left", "_graph", "_program")

    def __init__(self, graph: Graph, *, may_compile: bool) -> None:
        self._graph, self._program = graph, compile_graph(graph)
        self._calls_left = calls_before_compiling(graph) if may_compile and runs_native() else 0

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        left = self._calls_left
        if left and not _pausing.active:
            self._calls_left = left - 1  # of threads that come here together one may not count
            if left == 1:
                self._program = native_program(self._graph) or self._program
                _last_found.pop(id(self._graph), None)
        return self._program(*arrays)

    def remaining(self) -> Program:
        """What is left to be called: the program itself where it stays what it is."""
        return self if self._calls_left else self._program


_Found: TypeAlias = tuple[Program, int, Graph]  # the changes of settings until then; the graph, so that its id stays
_last_found: dict[int, _Found] = {}  # by identity, which takes less time than equality


def program_of(graph: Graph, label: str) -> Program:
    """What eager code runs for a graph under the settings of now; `label` is what users call it.

    Composites of our own run in NumPy, and compiled where they come often; functions that users compile, and their
    gradients, run compiled.
    """
    found = _last_found.get(id(graph))
    if found is None or found[1] != changes():
        if len(_last_found) >= MOST:
            _last_found.clear()
        program = compile_jitted(graph) if label.startswith(JITTED) else _tiered(graph, label, changes()).remaining()
        found = _last_found[id(graph)] = program, changes(), graph
    return found[0]


@functools.lru_cache(maxsize=MOST)
def _tiered(graph: Graph, label: str, changes: int) -> Tiered:
    return Tiered(graph, may_compile=label.startswith(_VALIDATED) or not any(map(_stays_in_numpy, _every_node(graph))))


def native_program(graph: Graph) -> Program | None:
    """The native program of a graph; None where the compiler fails, as NumPy can compute everything."""
    try:
        return compile_in_full(graph)
    except Exception as error:  # whatever it is: users have not asked for a compiler
        log("native", f"an eager graph stays in NumPy, as compiling it failed: {error!r}")
        return None


def calls_before_compiling(graph: Graph, of_node: float = 3e-6) -> int:
    """After how many calls in NumPy compiling pays; `of_node` are seconds that Python takes for each node."""
    nodes = [node for node in graph.nodes if node.op not in (PARAMETER, CONSTANT, RESULT)]
    return max(FEWEST_CALLS, math.ceil(_compile_seconds(graph) / _numpy_seconds(graph, of_node))) if nodes else 0


def _numpy_seconds(graph: Graph, of_node: float) -> float:
    cost = graph.counts().total
    moved = cost.bytes_read + cost.bytes_written
    return _kernels_run(graph) * of_node + cost.flops * _PER_FLOP + moved * _PER_BYTE


def _kernels_run(graph: GraphStructure) -> int:
    """How many kernels NumPy runs for a graph; the body of a `while` counts once."""
    return sum(sum(map(_kernels_run, graphs_in(node.attributes))) * node.attributes.get("length", 1) + 1
               for node in graph.nodes)


def _compile_seconds(graph: GraphStructure) -> float:
    return _TO_START + sum(_SLOW_TO_COMPILE.get(node.op, _TO_COMPILE_NODE) for node in _every_node(graph))


def _every_node(graph: GraphStructure) -> list[Node]:
    """The nodes of a graph and of the graphs inside it."""
    return [*graph.nodes, *(node for inner in graph.subgraphs for node in _every_node(inner))]


def _stays_in_numpy(node: Node) -> bool:
    """Whether NumPy's kernel looks at the data and raises, where native code does not, or computes the node in both."""
    if node.op is ops.POW:
        return not node.type.dtype.is_inexact  # an integer to a power below 0
    return node.op is ops.FFT or getattr(node.op, "category", "") in ("index", "linalg")
