"""From a graph to a program: checked, simplified and handed to the backend; the same graph is compiled once."""

from __future__ import annotations

import functools
import os

import numpy as np

from tarazu import backend
from tarazu.backend.base import Program
from tarazu.backend.numpy import evaluate
from tarazu.base.device import Device, Mesh
from tarazu.base.errors import DeviceError
from tarazu.base.settings import log
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op
from tarazu.ir.rewrite import simplify
from tarazu.ir.verify import verify

JITTED = "jit "  # how labels of calls begin that users had compiled
_chosen: list[str] = []


def set_backend(name: str) -> None:
    """Let functions that are compiled from now on run on "native" (machine code, the default) or on "numpy".

    The environment variable TARAZU_BACKEND chooses for a whole process. A DeviceError follows for other names.

    >>> import tarazu as tz
    >>> tz.set_backend("native")
    """
    backend.load(name)
    _chosen[:] = [name]


def compile_jitted(graph: Graph) -> Program:
    """The program of a jitted function, on the backend that is chosen."""
    return compile_graph(graph, _backend_name())


def _backend_name() -> str:
    name = _chosen[0] if _chosen else os.environ.get("TARAZU_BACKEND") or "native"
    if name == "native" and not _has_compiler():
        return "numpy"
    return name


def need_native(what: str) -> None:
    """A DeviceError unless jitted functions run on the native backend."""
    if (name := _backend_name()) != "native":
        fix = ('tz.set_backend("native"), or leave TARAZU_BACKEND unset' if _has_compiler()
               else "pip install llvmlite")
        raise DeviceError(f"{what} while jitted functions run on {name}",
                          expected="the native backend, which it is about", fix=fix)


@functools.cache
def _has_compiler() -> bool:
    found = backend.is_installed("native")
    if not found:
        log("native", "llvmlite is not installed: compiled functions run in NumPy")
    return found


@functools.lru_cache(maxsize=1024)
def compile_graph(graph: Graph, backend_name: str = "numpy", place: Device | Mesh | None = None) -> Program:
    """The program of the backend for `graph`: called with one array per parameter, it gives one array per output.

    `place` is where it runs if none of the arrays says so.
    """
    if place is None:
        return backend.load(backend_name).compile(simplified(graph))
    return backend.load("xla").compile(simplified(graph)).at(place)


def simplified(graph: Graph) -> Graph:
    """`graph` as the backend gets it."""
    return verify(simplify(verify(graph), _compute), "simplify")


def _compute(op: Op, arrays: list[np.ndarray], attributes: dict) -> np.ndarray:
    with np.errstate(all="ignore"):
        return evaluate(op, arrays, attributes)
