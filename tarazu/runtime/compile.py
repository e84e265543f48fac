"""From a graph to a program: checked, simplified and handed to the backend; the same graph is compiled once."""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np

from tarazu import backend
from tarazu.backend.base import Backend, FreeableProgram, Program, Renewed, RenewingBackend
from tarazu.backend.numpy import evaluate
from tarazu.base.device import Device, Mesh
from tarazu.base.errors import DeviceError
from tarazu.base.settings import changes, log, note_change
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op
from tarazu.ir.rewrite import simplify
from tarazu.ir.verify import verify
from tarazu.runtime.collection import importing

JITTED = "jit "  # how labels of calls begin that users had compiled
_chosen: str | None = None  # by set_backend, for the whole process


def set_backend(name: str) -> None:
    """Let functions that are compiled from now on run on "native" (machine code, the default) or on "numpy".

    It holds for the whole process, as the environment variable TARAZU_BACKEND does, which is asked where this was not
    called. DeviceError for other names.

    >>> import tarazu as tz
    >>> tz.set_backend("native")
    """
    global _chosen
    backend.load(name)
    if name != _chosen:
        _chosen = name
        note_change()


def compile_jitted(graph: Graph, renewed: Renewed = ()) -> Program:
    """The program of a jitted function, on the backend that is chosen; outputs that are `renewed` state, each with the
    input that is the old one, may be written where that lies."""
    return compile_graph(graph, _backend_name(), changes=changes(), renewed=renewed)


def free_memory(program: Program) -> None:
    """Give back the memory that a program keeps from call to call, where it keeps any."""
    if isinstance(program, FreeableProgram):
        program.free_memory()


def compile_in_full(graph: Graph, renewed: Renewed = ()) -> Program:
    """As `compile_jitted`, for a graph that eager code has computed often, where jitted functions run natively."""
    native = _loaded("native")
    assert isinstance(native, RenewingBackend)
    return native.compile_in_full(simplified(graph), renewed)


@functools.cache
def _loaded(name: str) -> Backend:
    """The backend of that name, which is imported now if it was not before."""
    with importing():
        return backend.load(name)


def _backend_name() -> str:
    """The backend for jitted functions; the native one falls back to NumPy where its compiler is not installed."""
    name = _chosen or os.environ.get("TARAZU_BACKEND") or "native"
    return "numpy" if name == "native" and not _has_compiler() else name


def runs_native() -> bool:
    """Whether jitted functions run as machine code on the plain CPU."""
    return _backend_name() == "native"


def need_native(what: str) -> None:
    """DeviceError unless jitted functions run on the native backend; `what` is what needs it."""
    if not runs_native():
        fix = ('tz.set_backend("native"), or leave TARAZU_BACKEND unset' if _has_compiler()
               else "pip install llvmlite")
        raise DeviceError(f"{what} while jitted functions run on {_backend_name()}",
                          expected="the native backend, which it is about", fix=fix)


@functools.cache
def _has_compiler() -> bool:
    is_installed = backend.is_installed("native")
    if not is_installed:
        log("native", "llvmlite is not installed: compiled functions run in NumPy")
    return is_installed


@functools.lru_cache(maxsize=1024)
def compile_graph(graph: Graph, backend_name: str = "numpy", device: Device | Mesh | None = None,
                  changes: int = 0, renewed: Renewed = ()) -> Program:
    """The program of the backend for `graph`: called with one array per parameter, it gives one array per output.

    It is compiled once, but anew after `changes` of settings.
    With `device`, one of XLA's, the XLA backend runs it: there, if no array is on a device of its own.
    """
    if device is None:
        chosen = _loaded(backend_name)
        if renewed and isinstance(chosen, RenewingBackend):
            return chosen.compile_renewing(simplified(graph), renewed)
        return chosen.compile(simplified(graph))
    return backend.load("xla").compile(simplified(graph)).at(device)


def simplified(graph: Graph, keep_calls: frozenset[str] = frozenset()) -> Graph:
    """`graph` as the backend gets it: simplified, and checked before and after; calls with these labels stay."""
    return verify(simplify(verify(graph), _compute, keep_calls), "simplify")


def _compute(op: Op, arrays: list[np.ndarray], attributes: dict[str, Any]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return evaluate(op, arrays, attributes)
