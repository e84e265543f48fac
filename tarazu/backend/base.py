"""What a backend offers, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from tarazu.ir.graph import Graph
from tarazu.ir.op import Op

Program = Callable[..., list[Any]]


class Backend(Protocol):
    """Runs graphs on one kind of device; arrays are the backend's own."""

    name: str

    def compile(self, graph: Graph) -> Program:
        """A program for `graph`: called with one array per parameter, it gives a list with one array per output.

        It may have a method `donating(first)`: the program for one caller that keeps the outputs from `first` on as
        state until its next call. It may put them into memory of earlier ones that nobody holds any more.
        """

    def put(self, array: np.ndarray) -> Any:
        """A NumPy array as one of the backend's."""

    def get(self, array: Any) -> np.ndarray:
        """One of the backend's arrays as a NumPy array that must not be written to."""

    def limits(self) -> frozenset[Op]:
        """The primitives that the backend does not take."""
