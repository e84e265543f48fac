"""This process as one of several that train together, for those who import from `runtime`; `backend/xla` has it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.backend.xla.processes import count, from_first, index, is_first, leave, wait
from tarazu.base.device import Layout

__all__ = ["count", "from_first", "index", "is_first", "joined", "leave", "read", "wait"]


def read(shape: tuple[int, ...], where: Layout, part: Callable[[Any], np.ndarray]) -> Any:
    """An array of all processes, each of which asks `part(index)` for what its devices hold."""
    from tarazu.backend.xla import devices

    return devices.read(shape, where, part)


def joined(part: np.ndarray, axis: int, where: Layout) -> Any:
    """An array of which each process passes its part, one after the other along an axis."""
    from tarazu.backend.xla import devices

    return devices.joined(part, axis, where)
