"""A block in which Python's garbage collector does not run, as many objects are made that stay."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Do not look for cycles meanwhile: the objects of modules, graphs and kernels that are being made are all in use,
    and to go through them again and again takes a tenth of the time of making them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
