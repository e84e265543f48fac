"""The training rows of several replicas in one table, of which each takes batches of its own."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np

from tarazu.base.device import CPU
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.vmap.replicas import Replicas
from tarazu.train.placement import Placement
from tarazu.train.sources.arrays import Arrays, joined
from tarazu.train.sources.chunk import Chunk
from tarazu.train.sources.pace import Pace
from tarazu.train.sources.rows import Rows


class StackedRows(Rows):
    """The rows of the replicas, equally many for each, one below the other; each replica shuffles its own.

    Orders are below each other too: a replica's chunk starts `offset` behind that of the one before it. So programs do
    not depend on the number of rows.
    """

    def __init__(self, parts: Sequence[Arrays], replicas: Replicas, batch_size: int, is_shuffled: bool) -> None:
        super().__init__(parts[0], Pace(), batch_size, is_shuffled)
        draw = super()._order
        self._draw = replicas.map(lambda _: draw())
        self._replicas = len(parts)
        self._placement = Placement(CPU)
        whole = joined(parts)
        self._data = whole.structure.rebuild([self._placement.table(asarray(leaf)) for leaf in whole.leaves])

    def _order(self) -> Tensor:
        orders = self._draw().numpy()  # (replicas, rows); behind the rows there may be more
        self.offset = orders.shape[1]
        return asarray((orders + self.train.rows * np.arange(self._replicas, dtype=orders.dtype)[:, None]).ravel())

    def firsts(self, chunk: Chunk) -> np.ndarray:
        """Where in the order the chunk of each replica starts."""
        return chunk.first + self.offset * np.arange(self._replicas)

    def chunks(self) -> Generator[Chunk]:
        """The chunks of one epoch of the first replica; those of the others start at `firsts`."""
        yield from super().chunks()
