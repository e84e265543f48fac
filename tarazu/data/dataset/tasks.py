"""Tasks: a sample's number, and the sample where the parent process has it; what is called for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SKIPPED = type("Skipped", (), {"__slots__": ()})()  # what a filter leaves of a sample
AHEAD = 2  # tasks for each worker that are begun before their results are wanted

Task = tuple[int, Any]
Work = Callable[[int, Any], Any]
