"""The native backend: graphs become machine code through LLVM, whole training loops among them."""

from __future__ import annotations

import importlib

import numpy as np

from tarazu.backend.base import Program
from tarazu.backend.native.program import NativeProgram
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op


class NativeBackend:
    """Runs on the CPU; its arrays are NumPy's own."""

    name = "native"

    def compile(self, graph: Graph) -> Program:
        return NativeProgram(graph, importlib.import_module("tarazu.backend.numpy").evaluate)

    def put(self, array: np.ndarray) -> np.ndarray:
        return array

    def get(self, array: np.ndarray) -> np.ndarray:
        view = array.view()
        view.flags.writeable = False
        return view

    def limits(self) -> frozenset[Op]:
        """None: what has no kernel is computed by NumPy while the program waits."""
        return frozenset()


BACKEND = NativeBackend()
