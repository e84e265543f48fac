"""Backends: each runs graphs its own way; found by name, none knows another."""

from __future__ import annotations

import importlib

from tarazu.backend.base import Backend
from tarazu.base.errors import DeviceError


def load(name: str) -> Backend:
    """The backend in the folder `name`."""
    try:
        return importlib.import_module(f"tarazu.backend.{name}").BACKEND
    except ModuleNotFoundError as error:
        if error.name != f"tarazu.backend.{name}":
            raise
        raise DeviceError(f"there is no backend {name!r}", expected="the name of a folder in tarazu/backend",
                          fix='use "native" or "numpy"') from None
