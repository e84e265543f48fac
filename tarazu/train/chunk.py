"""Chunks: a number of steps that one call of the compiled program takes, and how many they are."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import NamedTuple

import numpy as np

from tarazu.runtime import random
from tarazu.runtime.jit import jit
from tarazu.runtime.tensor import Tensor, asarray
from tarazu.train.arrays import Arrays

SECONDS = 0.25  # of a chunk, so that Ctrl-C, progress and callbacks answer within half a second
MANY = 4096  # rows from which on compiling the shuffle pays
GROWTH = 8  # by so much a chunk may be longer than the last one, as the first ones are too short to be timed well


class Chunk(NamedTuple):
    """`steps` steps of `batch` rows each; step i trains on the rows order[first + i * batch:][:batch] of x and y."""

    x: Tensor
    y: Tensor
    order: Tensor
    first: int
    steps: int
    batch: int

    def step(self, i: int) -> Chunk:
        """The step `i`, by itself."""
        return self._replace(first=self.first + i * self.batch, steps=1)

    def last(self) -> Chunk:
        """The last step, by itself."""
        return self.step(self.steps - 1)

    def arrays(self) -> Arrays:
        """The rows of all steps."""
        rows = self.order.numpy()[self.first:self.first + self.steps * self.batch]
        return Arrays(self.x.numpy(), self.y.numpy()).at(rows)


class Pace:
    """How many steps a chunk has: as many as take a quarter of a second, by the time that the last ones took."""

    def __init__(self) -> None:
        self.steps = 1
        self.is_stepwise = False  # one step a chunk, whatever it takes

    def note(self, steps: int, seconds: float) -> None:
        """So many steps took so long."""
        fitting = int(SECONDS * steps / max(seconds, 1e-9))
        self.steps = 1 if self.is_stepwise else max(1, min(fitting, GROWTH * steps))


class Rows:
    """Training rows in memory, shuffled anew for each epoch."""

    def __init__(self, train: Arrays, pace: Pace, batch_size: int) -> None:
        self.train, self.pace = train, pace
        self.batch_size = min(batch_size, len(train.x))
        self.steps = -(-len(train.x) // self.batch_size)
        self._x, self._y = asarray(train.x), asarray(train.y)
        permute = partial(random.permutation, len(train.x))
        self._shuffled = permute if len(train.x) < MANY else jit(permute)

    def chunks(self) -> Generator[Chunk]:
        """The chunks of one epoch; a short last batch is one of its own."""
        order, batch = self._shuffled(), self.batch_size
        whole, rest = divmod(len(self.train.x), batch)
        done = 0
        while done < whole:
            steps = min(self.pace.steps, whole - done)
            yield Chunk(self._x, self._y, order, done * batch, steps, batch)
            done += steps
        if rest:
            yield Chunk(self._x, self._y, order, whole * batch, 1, rest)

    def close(self) -> None:
        """Nothing is left to end."""


def in_order(x: np.ndarray, y: np.ndarray, steps: int, batch: int) -> Chunk:
    """A chunk of the rows as they stand; there may be more of them than it trains on."""
    return Chunk(asarray(x), asarray(y), asarray(np.arange(len(x))), 0, steps, batch)
