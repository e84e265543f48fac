"""Random numbers of Python and NumPy that are drawn while a function is traced: each call would have the same ones."""

from __future__ import annotations

import contextlib
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
    before = {} if _others_may_draw() else _global_states()
    yield
    after = _global_states()
    drawn = [name for name, state in before.items() if state != after[name]] + reads.generators_that_drew()
    if drawn:
        warnings.warn(f"{' and '.join(drawn)} drew numbers while a function was traced: they are constants of its "
                      "program, the same in each step; use tz.random, as in tz.random.normal(x.shape), which draws "
                      "new ones", TraceWarning, stacklevel=frames_to_user())


def _global_states() -> dict[str, object]:
    """The states of the global generators of NumPy and Python, which are imported at the first trace."""
    from random import getstate

    name, key, *rest = np.random.get_state()
    return {"np.random": (name, np.asarray(key).tobytes(), *rest), "random": getstate()}


def _others_may_draw() -> bool:
    return any(thread.name == READER for thread in threading.enumerate())
