"""Stages that read their parent in order: a shuffling buffer, batches taken apart, samples kept in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tarazu.base.pytree import flatten, map_leaves
from tarazu.data.dataset.execute import Workers
from tarazu.data.dataset.stage import Epoch, InOrder, Item, Stage


class ShuffleBuffer(InOrder):
    """Random order as far as a buffer of so many samples reaches: each that comes takes the slot of one that goes."""

    def __init__(self, parent: Stage, buffer: int, seed: int) -> None:
        self.parents, self.buffer, self.seed = (parent,), buffer, seed

    @property
    def length(self) -> int | None:
        return self.parents[0].length

    def _read(self, epoch: Epoch) -> Iterator[Item]:
        random = epoch.random(self.seed)
        held: list[Item] = []
        for _, sample in self.parents[0].items(epoch):
            if len(held) < self.buffer:
                held.append(sample)
                continue
            slot = int(random.integers(self.buffer))
            yield held[slot]
            held[slot] = sample
        for slot in random.permutation(len(held)):
            yield held[slot]

    def blocks(self, epoch: Epoch, start: int = 0) -> Iterator[Item] | None:
        blocks = self.parents[0].blocks(epoch)
        return None if blocks is None else _without_first(self._shuffled(blocks, epoch), start)

    def _shuffled(self, blocks: Iterator[Item], epoch: Epoch) -> Iterator[Item]:
        random, held = epoch.random(self.seed), None
        for block in blocks:
            held = block if held is None else map_leaves(lambda *parts: np.concatenate(parts), held, block)
            excess = _rows_of(held) - self.buffer
            if excess > 0:
                order = random.permutation(excess + self.buffer)
                yield _taken(held, order[:excess])
                held = _taken(held, order[excess:])
        if held is not None:
            yield _taken(held, random.permutation(_rows_of(held)))


def _without_first(blocks: Iterator[Item], rows: int) -> Iterator[Item]:
    for block in blocks:
        skipped = min(rows, _rows_of(block))
        rows -= skipped
        if skipped < _rows_of(block):
            yield map_leaves(lambda leaf, skipped=skipped: leaf[skipped:], block)


def _rows_of(block: Item) -> int:
    return len(flatten(block)[0][0])


def _taken(block: Item, numbers: np.ndarray) -> Item:
    return map_leaves(lambda leaf: leaf[numbers], block)


class Unbatched(InOrder):
    """The rows of batches as samples."""

    def __init__(self, parent: Stage) -> None:
        self.parents = (parent,)

    def _read(self, epoch: Epoch) -> Iterator[Item]:
        for _, batch in self.parents[0].items(epoch):
            leaves, structure = flatten(batch)
            for row in zip(*leaves, strict=True):
                yield structure.rebuild(row)


class Cached(Stage):
    """The items of the first epoch, read when they are first asked for and kept in memory."""

    is_indexed = True
    workers = Workers()  # they are read before others start

    def __init__(self, parent: Stage) -> None:
        self.parents = (parent,)
        self.gives_batches = parent.gives_batches
        self._kept: list[Item] | None = None

    def prepare(self) -> None:
        self._items()

    def _items(self) -> list[Item]:
        if self._kept is None:
            self._kept = [item for _, item in self.parents[0].items(Epoch())]
        return self._kept

    @property
    def length(self) -> int | None:
        known = self.parents[0].length
        return len(self._items()) if known is None else known

    def get(self, number: int, epoch: Epoch) -> Item:
        return map_leaves(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, self._items()[number])
