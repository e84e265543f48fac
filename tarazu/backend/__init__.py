"""Backends compile and run graphs. `load` gives one by its name; none imports another.

base.py has the protocols that they implement; numpy/ is the reference, native/ the compiler for the CPU, xla/ JAX.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any, Literal, overload

from tarazu.backend.base import Backend, DeviceBackend
from tarazu.base.errors import DeviceError

NEEDS = {"native": "llvmlite", "xla": "jax"}  # what a backend imports that may be missing


def is_installed(name: str) -> bool:
    """Whether what the backend imports is there."""
    return name not in NEEDS or importlib.util.find_spec(NEEDS[name]) is not None


def no_jax(what: str) -> DeviceError:
    """The error where JAX is needed and not installed; `what` is the problem."""
    return DeviceError(f"{what}, as jax is not installed", expected="jax 0.10 or newer",
                       fix="pip install 'tarazu[xla]' (CPU), 'tarazu[cuda]' or 'tarazu[tpu]'")


@overload
def load(name: Literal["xla"]) -> DeviceBackend: ...
@overload
def load(name: str) -> Backend: ...
@functools.cache
def load(name: str) -> Any:
    """The backend in the folder `name`; DeviceError where there is none, or what it needs is not installed."""
    try:
        return importlib.import_module(f"tarazu.backend.{name}").BACKEND
    except ModuleNotFoundError as error:
        if error.name == "jax":
            raise no_jax("there is no device of XLA") from None
        if error.name != f"tarazu.backend.{name}":
            raise
        raise DeviceError(f"there is no backend {name!r}", expected="the name of a folder in tarazu/backend",
                          fix='use "native" or "numpy"') from None
