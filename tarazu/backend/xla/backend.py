"""The XLA backend as the rest of Tarazu sees it."""

from __future__ import annotations

from tarazu.backend.base import DeviceBackend
from tarazu.backend.xla.devices import all_devices, device_of, find, joined, own_devices, put, read
from tarazu.backend.xla.processes import from_first, gathered, wait
from tarazu.backend.xla.program import compile_graph, primitive


class XlaBackend:
    """Its arrays are JAX's."""

    compile, primitive = staticmethod(compile_graph), staticmethod(primitive)
    devices, all_devices, find = staticmethod(own_devices), staticmethod(all_devices), staticmethod(find)
    device_of, put, get = staticmethod(device_of), staticmethod(put), staticmethod(gathered)
    read, joined = staticmethod(read), staticmethod(joined)
    from_first, wait = staticmethod(from_first), staticmethod(wait)


BACKEND: DeviceBackend = XlaBackend()
