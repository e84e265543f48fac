"""Tasks: a sample's number, and the sample where the parent process has it; what is called for them, and where arrays
of a batch are made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

SKIPPED = type("Skipped", (), {"__slots__": ()})()  # what a filter leaves of a sample
AHEAD = 2  # tasks for each worker that are begun before their results are wanted

Task = tuple[int, Any]
Work = Callable[[int, Any], Any]
NewArray = Callable[[tuple[int, ...], DTypeLike], np.ndarray]  # as np.empty
batch_array: list[NewArray] = [np.empty]  # where the arrays of a batch are made: a worker process makes them in memory
# that the parent process sees too
