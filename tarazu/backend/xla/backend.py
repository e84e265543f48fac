"""The XLA backend as the rest of Tarazu sees it."""

from __future__ import annotations

import jax
import numpy as np

from tarazu.backend.xla import processes
from tarazu.backend.xla.devices import all_devices, device_of, find, own_devices, place
from tarazu.backend.xla.program import Program, compile_graph, primitive
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op


class XlaBackend:
    """Its arrays are JAX's."""

    name = "xla"

    def compile(self, graph: Graph) -> Program:
        return compile_graph(graph)

    def put(self, array: np.ndarray) -> jax.Array:
        with jax.enable_x64(True):
            return jax.device_put(array)

    def get(self, array: jax.Array) -> np.ndarray:
        view = processes.gathered(array).view()
        view.flags.writeable = False
        return view

    def limits(self) -> frozenset[Op]:
        return frozenset()

    # What the devices are, and single primitives on them
    all_devices, devices, find = staticmethod(all_devices), staticmethod(own_devices), staticmethod(find)
    device_of, place, primitive = staticmethod(device_of), staticmethod(place), staticmethod(primitive)


BACKEND = XlaBackend()
