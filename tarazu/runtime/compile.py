"""From a graph to a program: checked, simplified and handed to the backend; the same graph is compiled once."""

from __future__ import annotations

import functools

import numpy as np

from tarazu import backend
from tarazu.backend.base import Program
from tarazu.backend.numpy import evaluate
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op
from tarazu.ir.rewrite import simplify
from tarazu.ir.verify import verify


@functools.lru_cache(maxsize=1024)
def compile_graph(graph: Graph, backend_name: str = "numpy") -> Program:
    """The program of the backend for `graph`: called with one array per parameter, it gives one array per output."""
    return backend.load(backend_name).compile(simplified(graph))


def simplified(graph: Graph) -> Graph:
    """`graph` as the backend gets it."""
    return verify(simplify(verify(graph), _compute), "simplify")


def _compute(op: Op, arrays: list[np.ndarray], attributes: dict) -> np.ndarray:
    with np.errstate(all="ignore"):
        return evaluate(op, arrays, attributes)
