"""This process as one of several that train together: which one it is, and what the processes exchange.

All functions but `count`, `index` and `is_first` are called by all processes, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import numpy as np

from tarazu.base.device import Layout
from tarazu.base.processes import count, index, is_first
from tarazu.ir.types import Data, Shape
from tarazu.runtime.device import xla

__all__ = ["count", "from_first", "index", "is_first", "joined", "read", "wait"]

Arrays = TypeVar("Arrays")
Slices: TypeAlias = tuple[slice, ...]  # one per axis: the part of an array that a device holds


def from_first(arrays: Arrays) -> Arrays:
    """The NumPy arrays of process 0, in every process: one, or several in lists, tuples and dicts.

    All processes pass the same structure, with arrays of the same shapes and dtypes.
    Raises DeviceError when another process ends.

    >>> from_first(np.arange(3))
    array([0, 1, 2])
    """
    return arrays if count() == 1 else xla().from_first(arrays)


def wait(name: str) -> None:
    """Wait until all processes are here; `name` says what for, and is the same in all of them.

    Raises DeviceError when another process ends, or waits for something else.

    >>> wait("the checkpoint")
    """
    if count() > 1:
        xla().wait(name)


def read(shape: Shape, where: Layout, part: Callable[[Slices], np.ndarray]) -> Data:
    """An array of all processes, each of which asks `part(index)` for what its devices hold."""
    return xla().read(shape, where, part)


def joined(part: np.ndarray, axis: int, where: Layout) -> Data:
    """An array of which each process passes its part, one after the other along an axis."""
    return xla().joined(part, axis, where)
