"""A chunk: the batches that one call of the compiled training program steps through."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tarazu.base.pytree import flatten, map_leaves
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.sources.arrays import Arrays

MOST_BATCHES = 256  # that are put together for one call
MOST_BYTES = 16 * 2**20  # of them, unless a single batch is larger


class Chunk(NamedTuple):
    """`steps` steps of `batch` rows each; step i trains on the rows order[first + i * batch:][:batch] of the data.

    `data` is a tree of tensors, such as (x, y). Without an order its tensors are batches already, of shape (batches,
    rows, ...), and step i trains on first + i.
    """

    data: Any
    order: Tensor | None
    first: int
    steps: int
    batch: int

    def step(self, i: int) -> Chunk:
        """The step `i`, by itself."""
        return self._replace(first=self.first + i * (1 if self.order is None else self.batch), steps=1)

    def last(self) -> Chunk:
        """The last step, by itself."""
        return self.step(self.steps - 1)

    def arrays(self) -> Arrays:
        """The rows of all steps."""
        leaves, structure = flatten(self.data)
        arrays = Arrays([leaf.numpy() for leaf in leaves], structure)
        if self.order is None:
            batches = arrays.at(slice(self.first, self.first + self.steps))
            return batches.map(lambda part: part.reshape(-1, *part.shape[2:]))
        return arrays.at(self.order.numpy()[self.first:self.first + self.steps * self.batch])


def capacity_for(batch: Arrays) -> int:
    """How many such batches are put together at most."""
    return max(1, min(MOST_BATCHES, MOST_BYTES // batch.nbytes))


def in_order(rows: Arrays, steps: int, batch: int) -> Chunk:
    """A chunk of the rows as they stand; there may be more of them than it trains on."""
    return Chunk(map_leaves(asarray, rows.tree), asarray(np.arange(rows.rows)), 0, steps, batch)
