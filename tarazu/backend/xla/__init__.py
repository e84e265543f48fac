"""The XLA backend: graphs compiled by JAX for CPUs, GPUs and TPUs. What needs no JAX here does not import it."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name != "BACKEND":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tarazu.backend.xla.backend import BACKEND

    return BACKEND
