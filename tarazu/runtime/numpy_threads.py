"""NumPy's products on one thread.

After a product on several threads the helpers of OpenBLAS look for another one for some 30 ms, and longer where they
have to share cores. A native program that starts meanwhile has one core less.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any


def one_numpy_thread() -> contextlib.AbstractContextManager[Any]:
    """A block in which NumPy computes products on one thread, for single products just before a native program runs.

    >>> import numpy as np
    >>> with one_numpy_thread():
    ...     product = np.ones((300, 300)) @ np.ones((300, 300))
    """
    controller = _controller()
    return contextlib.nullcontext() if controller is None else controller.limit(limits=1)


@functools.cache
def _controller() -> Any:
    """Of the libraries for products that are loaded; None without threadpoolctl, as on a bare machine."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")
