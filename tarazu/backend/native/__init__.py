"""The native backend: graphs become machine code through LLVM, whole training loops among them."""

from __future__ import annotations

import importlib

from tarazu.backend.base import Backend
from tarazu.backend.native.program import Program
from tarazu.ir.graph import Graph


class NativeBackend:
    """Runs on the CPU; what has no kernel is computed by NumPy while the program waits. Its arrays are NumPy's own."""

    def compile(self, graph: Graph) -> Program:
        return Program(graph, importlib.import_module("tarazu.backend.numpy").evaluate)


BACKEND: Backend = NativeBackend()
