"""Batches of samples: of those that follow each other, or of those of similar length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tarazu.base.pytree import flatten, map_leaves
from tarazu.data.dataset.collate import Padding, collate
from tarazu.data.dataset.stage import Epoch, InOrder, Item, Stage
from tarazu.data.dataset.tasks import batch_array


class Batched(Stage):
    """So many samples as one tree, each leaf with a row for each; the last batch may have fewer."""

    gives_batches = True

    def __init__(self, parent: Stage, size: int, drop_last: bool, padding: Padding | None = None,
                 together: Callable[[list[Item]], Item] | None = None) -> None:
        self.parents, self.size, self.drop_last, self.padding = (parent,), size, drop_last, padding
        self.together = together  # a function of the user in place of ours

    @property
    def is_plain(self) -> bool:
        """Whether samples go below each other as they are."""
        return self.padding is None and self.together is None

    @property
    def length(self) -> int | None:
        samples = self.parents[0].length
        return None if samples is None else samples // self.size if self.drop_last else -(-samples // self.size)

    @property
    def can_start(self) -> bool:
        return self.parents[0].can_start

    def get(self, number: int, epoch: Epoch) -> Item:
        samples, first = self.parents[0].length, number * self.size
        last = first + self.size if samples is None else min(first + self.size, samples)
        if self.is_plain:
            return self.parents[0].gather(np.arange(first, last), epoch, batch_array[0])
        return self._put_together([(i, self.parents[0].get(i, epoch)) for i in range(first, last)])

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        if self.is_indexed:
            return super().items(epoch, start)
        self.prepare()
        blocks = self.parents[0].blocks(epoch, start * self.size) if self.is_plain else None
        return enumerate(self._read(epoch, start) if blocks is None else self._cut(blocks), start)

    def _read(self, epoch: Epoch, start: int) -> Iterator[Item]:
        samples: list[tuple[int, Item]] = []
        for numbered in self.parents[0].items(epoch, start * self.size):
            samples.append(numbered)
            if len(samples) == self.size:
                yield self._put_together(samples)
                samples = []
        if samples and not self.drop_last:
            yield self._put_together(samples)

    def _put_together(self, samples: list[tuple[int, Item]]) -> Item:
        if self.together is not None:
            return self.together([sample for _, sample in samples])
        return self.padding.collate(samples) if self.padding else collate(samples, len(samples))

    def _cut(self, blocks: Iterator[Item]) -> Iterator[Item]:
        """Batches cut out of trees with any numbers of rows."""
        rest: Item = None
        for block in blocks:
            rest = block if rest is None else map_leaves(lambda *parts: np.concatenate(parts), rest, block)
            rows = len(flatten(rest)[0][0])
            for first in range(0, rows - self.size + 1, self.size):
                yield map_leaves(lambda leaf, first=first: leaf[first:first + self.size], rest)
            cut = rows - rows % self.size
            rest = map_leaves(lambda leaf, cut=cut: leaf[cut:], rest) if cut < rows else None
        if rest is not None and not self.drop_last:
            yield rest


class Bucketed(InOrder):
    """Padded batches of samples of similar length: up to each of `bounds`, to which they are padded, and beyond."""

    gives_batches = True

    def __init__(self, parent: Stage, size: int, drop_last: bool, padding: Padding, bounds: Sequence[int]) -> None:
        self.parents, self.size, self.drop_last, self.padding = (parent,), size, drop_last, padding
        self.bounds = [*bounds, 0]  # the samples of the last bucket are padded to the longest

    def _read(self, epoch: Epoch) -> Iterator[Item]:
        buckets: list[list[tuple[int, Item]]] = [[] for _ in self.bounds]
        for number, sample in self.parents[0].items(epoch):
            length = max((len(leaf) for leaf in flatten(sample)[0] if np.ndim(leaf)), default=0)
            bucket = int(np.searchsorted(self.bounds[:-1], length))
            buckets[bucket].append((number, sample))
            if len(buckets[bucket]) == self.size:
                yield self._padded(bucket, buckets[bucket])
                buckets[bucket] = []
        for bucket, samples in enumerate(buckets):
            if samples and not self.drop_last:
                yield self._padded(bucket, samples)

    def _padded(self, bucket: int, samples: list[tuple[int, Item]]) -> Item:
        return self.padding._replace(least=self.bounds[bucket]).collate(samples)
