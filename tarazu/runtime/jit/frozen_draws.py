"""Random numbers of Python and NumPy that are drawn while a function is traced: each call would have the same ones."""

from __future__ import annotations

import contextlib
import random
import threading
import warnings
from collections.abc import Iterator

import numpy as np

from tarazu.base.errors import TraceWarning
from tarazu.runtime.trace.attributes import AttributeReads
from tarazu.runtime.trace.origins import frames_to_user

READER = "tarazu-reader"  # the name of the thread that runs users' streams of batches, which may draw meanwhile


@contextlib.contextmanager
def warn_of_frozen_draws(reads: AttributeReads) -> Iterator[None]:
    """A block, in which a function is traced; a TraceWarning where a generator that is none of ours drew in it.

    Looked at are the global generators of Python and NumPy, and those that are in `reads`: attributes, and variables
    around the function and around the `forward` of modules.
    """
    before = {} if _others_may_draw() else {"np.random": _numpy_state(), "random": random.getstate()}
    yield
    after = {"np.random": _numpy_state(), "random": random.getstate()}
    drawn = [name for name, state in before.items() if state != after[name]] + reads.generators_that_drew()
    if drawn:
        warnings.warn(f"{' and '.join(drawn)} drew numbers while a function was traced: they are constants of its "
                      "program, the same in each step; use tz.random, as in tz.random.normal(x.shape), which draws "
                      "new ones", TraceWarning, stacklevel=frames_to_user())


def _numpy_state() -> tuple:
    name, key, *rest = np.random.get_state()
    return (name, np.asarray(key).tobytes(), *rest)


def _others_may_draw() -> bool:
    return any(thread.name == READER for thread in threading.enumerate())
