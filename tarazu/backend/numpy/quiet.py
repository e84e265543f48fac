"""Calls without NumPy's floating-point warnings: as in every framework, overflow and 0/0 give inf and nan."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

import numpy as np

_free: list[contextvars.Context] = []  # in which warnings are off, and that no call is in now


def quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of the call. `np.errstate` does the same in more than twice the time of a small kernel.

    >>> float(quietly(np.divide, 1.0, np.zeros(())))
    inf
    """
    try:
        context = _free.pop()
    except IndexError:
        context = contextvars.copy_context()
        context.run(np.seterr, all="ignore")
    out = context.run(function, *args, **kwargs)
    _free.append(context)  # not after an error: another is made then
    return out
