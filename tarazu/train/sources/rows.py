"""Training rows in memory, in one process or in several: shuffled for each epoch, and given out in chunks."""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache, partial

import numpy as np

from tarazu.base.pytree import map_leaves
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import state
from tarazu.ops.random import bits as draw
from tarazu.runtime import processes, random
from tarazu.runtime.compile import compile_jitted, free_memory
from tarazu.runtime.jit.jit import trace
from tarazu.runtime.random.generator import current_default
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.padding import rounded_up
from tarazu.train.placement import Placement, require_divisible
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.chunk import Chunk, capacity_for
from tarazu.train.sources.pace import Pace

MANY = 4096  # rows from which on compiling the shuffle pays
VERY_MANY = 2**20  # rows from which on its memory, 64 bytes for each, is given back


@lru_cache(maxsize=64)
def _shuffle(size: int) -> Graph:
    """From the state of a generator and a count of at most `size` to that permutation, with the numbers up to `size`
    behind it."""
    return trace(lambda words, count: draw.padded_permutation(words, count, size))(np.zeros(4, np.uint32), np.array(0))


def shuffled(rows: int) -> Tensor:
    """The numbers of the rows in random order, on the plain CPU, which sorts faster than XLA's; behind them there may
    be more."""
    if rows < MANY:
        return random.permutation(rows)
    size, words = rounded_up(rows, 8), current_default().next_state()  # eight programs for each power of two
    if state.interpreter.is_tracing:
        return draw.padded_permutation(words, asarray(rows), size)
    program = compile_jitted(_shuffle(size))
    (order,) = program(words.raw, np.array(rows))
    if rows >= VERY_MANY:
        free_memory(program)
    return Tensor(order)


class Rows:
    """Training rows in memory, shuffled anew for each epoch, or in their order."""

    def __init__(self, train: Arrays, pace: Pace, batch_size: int, is_shuffled: bool = True,
                 drop_last: bool = False) -> None:
        self.pace, self._is_shuffled = pace, is_shuffled
        self.train = train
        is_cut = drop_last and train.rows > batch_size
        self._trained_rows = train.rows // batch_size * batch_size if is_cut else train.rows
        self.notes: list[str] = []  # of what training on these rows warns
        self.batch_size = min(batch_size, train.rows)
        self.steps = -(-self._trained_rows // self.batch_size)

    def set_placement(self, placement: Placement) -> None:
        """Say where training runs; called once, before the first chunk."""
        if self.steps > 1:
            require_divisible(self.batch_size, placement)
        self._placement = placement
        self._data = map_leaves(lambda part: placement.table(placement.whole(part)), self.train.tree)

    def _order(self) -> np.ndarray:
        """The numbers of the rows in the order of an epoch; behind them there may be more."""
        return shuffled(self.train.rows).numpy() if self._is_shuffled else np.arange(self.train.rows)

    def chunks(self) -> Generator[Chunk]:
        """The chunks of one epoch; a short last batch is one of its own."""
        order, batch = self._placement.table(self._placement.whole(self._order())), self.batch_size
        whole, rest = divmod(self._trained_rows, batch)
        done = 0
        while done < whole:
            steps = min(self.pace.steps, whole - done)
            yield Chunk(self._data, order, done * batch, steps, batch)
            done += steps
        if rest:
            yield Chunk(self._data, order, whole * batch, 1, rest)

    def completed_chunks(self, epochs: int) -> Generator[Chunk]:
        """A chunk of the epochs that a resumed run has completed: all are alike, so one stands for them."""
        yield next(self.chunks())

    def close(self) -> None:
        """Nothing is left to end."""


class SharedRows(Rows):
    """Rows in the memory of each of several processes, which reads and trains on its part of each batch.

    The batches are those of a single process, so losses do not depend on the number of processes.
    """

    def set_placement(self, placement: Placement) -> None:
        if self.steps > 1:
            require_divisible(self.batch_size, placement)
        self._placement = placement

    def chunks(self) -> Generator[Chunk]:
        order, batch = self._order()[:self._trained_rows], self.batch_size
        batches = np.split(order, range(batch, len(order), batch))
        done = 0
        while done < len(batches):
            steps = int(processes.from_first(np.array(self.pace.steps)))  # each has timed its own
            some = [rows for rows in batches[done:done + min(steps, self._capacity)] if len(rows) == len(batches[done])]
            yield self._chunk(some)
            done += len(some)

    @property
    def _capacity(self) -> int:
        return capacity_for(self.train.at(slice(self.batch_size)))

    def _chunk(self, batches: list[np.ndarray]) -> Chunk:
        """Some batches of one size, in arrays with room for as many as there are at most, so that one program fits."""
        size = len(batches[0])
        room = self._capacity if size == self.batch_size else 1
        data = map_leaves(lambda part: self._placement.read((room, size, *part.shape[1:]),
                                                            partial(_read, part, batches, room)), self.train.tree)
        return Chunk(data, None, 0, len(batches), size)


def _read(rows: np.ndarray, batches: list[np.ndarray], room: int, index: tuple[slice, ...]) -> np.ndarray:
    """The part of some batches, one below the other, that a device holds; no other row is read."""
    wanted = [batch[index[1]] for batch in batches]
    stacked = np.zeros((room, len(wanted[0]), *rows.shape[1:]), rows.dtype)
    for target, chosen in zip(stacked, wanted, strict=False):
        target[...] = rows[chosen]
    return stacked
