"""Blocks in which Python's garbage collector does not run, as many objects are made that stay."""

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


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """The same while modules are imported. Their objects are old ones afterwards, as if the collector had been through
    them: it would go through all of them at once else, when it runs again."""
    with no_collection():
        yield
        if not gc.get_freeze_count():  # else objects would be thawed that somebody else has frozen
            gc.freeze()
            gc.unfreeze()
