"""The training rows of several replicas in one table, of which each takes batches of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import numpy as np

from tarazu.base.device import CPU
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.placement import Placement
from tarazu.train.sources.arrays import Arrays, joined
from tarazu.train.sources.chunk import Chunk
from tarazu.train.sources.pace import Pace
from tarazu.train.sources.rows import Rows


class StackedRows(Rows):
    """The rows of the replicas, equally many for each, one below the other.

    `draw` gives the order of so many rows of each, (replicas, rows), behind which there may be more; without it the
    rows stay in theirs. Orders are below each other too: a replica's chunk starts `offset` behind that of the one
    before it. So programs of steps do not depend on the number of rows.
    """

    def __init__(self, parts: Sequence[Arrays], draw: Callable[[int], Tensor] | None, batch_size: int) -> None:
        super().__init__(parts[0], Pace(), batch_size, draw is not None)
        self._draw = draw
        self._replicas = len(parts)
        self._placement = Placement(CPU)
        whole = joined(parts)
        self._data = whole.structure.rebuild([self._placement.table(asarray(leaf)) for leaf in whole.leaves])

    def _order(self) -> np.ndarray:
        rows = self.train.rows
        orders = np.arange(rows)[None] if self._draw is None else self._draw(rows).numpy()
        self.offset = orders.shape[1]
        return (orders + rows * np.arange(self._replicas, dtype=orders.dtype)[:, None]).ravel()

    def firsts(self, chunk: Chunk) -> np.ndarray:
        """Where in the order the chunk of each replica starts."""
        return chunk.first + self.offset * np.arange(self._replicas)

    def chunks(self) -> Generator[Chunk]:
        """The chunks of one epoch of the first replica; those of the others start at `firsts`."""
        yield from super().chunks()
