"""The base of a dataset's stages: items by their number or in order, in an epoch; random streams of epochs."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tarazu.data.dataset.collate import collate
from tarazu.data.dataset.execute import Workers, run
from tarazu.data.dataset.tasks import NewArray

if TYPE_CHECKING:
    from numpy.random import Generator

Item = Any  # a sample or a batch: a tree, whose leaves are arrays, numbers, texts or other objects


class Epoch(NamedTuple):
    """A pass over the data; `path` numbers what a pass holds several times: repetitions, parts of a concatenation."""

    number: int = 0
    path: tuple[int, ...] = ()

    def part(self, number: int) -> Epoch:
        """The pass over one part of this one."""
        return Epoch(self.number, (*self.path, number))

    def random(self, seed: int, *numbers: int) -> Generator:
        """The random stream of (seed, epoch, numbers): the same in every process."""
        key = np.random.SeedSequence(seed, spawn_key=(self.number, *self.path, *numbers))
        return np.random.Generator(np.random.PCG64(key))


class Stage:
    """One stage of a dataset, which reads from the stages `parents`.

    An indexed stage gives any of its items by `get`; the others give theirs in order, by `items`.
    """

    parents: tuple[Stage, ...] = ()
    own_workers = Workers()
    gives_batches = False

    @property
    def length(self) -> int | None:
        """How many items an epoch has; None where that is not known, or where there is no end."""
        return self.parents[0].length

    @property
    def is_endless(self) -> bool:
        """Whether an epoch is known to have no end."""
        return any(parent.is_endless for parent in self.parents)

    @property
    def is_indexed(self) -> bool:
        """Whether `get` gives the items 0 to `length` - 1, or without end where `length` is None."""
        return all(parent.is_indexed for parent in self.parents)

    @property
    def can_start(self) -> bool:
        """Whether `items` gets at its first item without reading those before it."""
        return self.is_indexed

    @property
    def workers(self) -> Workers:
        """What runs this stage: the most that it or one before it asks for."""
        return Workers(*map(max, zip(self.own_workers, *[parent.workers for parent in self.parents], strict=True)))

    def get(self, number: int, epoch: Epoch) -> Item:
        """An item by its number."""
        raise NotImplementedError

    def gather(self, numbers: np.ndarray, epoch: Epoch, empty: NewArray = np.empty) -> Item:
        """Items by their numbers, (items,), as one tree whose leaves have a row for each, which `empty` may make."""
        return collate(((number, self.get(number, epoch)) for number in numbers.tolist()), len(numbers), empty)

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        """The items of an epoch in order, from number `start`, each with its number."""
        self.prepare()
        numbers = itertools.count(start) if self.length is None else range(start, self.length)
        tasks = ((number, None) for number in numbers)
        return run(Get(self, epoch), tasks, self.workers, is_large=self.gives_batches)

    def blocks(self, epoch: Epoch, start: int = 0) -> Iterator[Item] | None:
        """The samples from number `start` as trees of many rows, where the source is read so; else None."""
        return None

    def in_memory(self) -> Item | None:
        """All samples as a tree of arrays, where they lie in memory so; else None."""
        return None

    def prepare(self) -> None:
        """Read what is kept in memory, before worker processes start."""
        for parent in self.parents:
            parent.prepare()


@dataclasses.dataclass(frozen=True)
class Get:
    """What workers call for an indexed stage."""

    stage: Stage
    epoch: Epoch

    def __call__(self, number: int, item: Item) -> Item:
        return self.stage.get(number, self.epoch)


class InOrder(Stage):
    """A stage that reads its parent in order: `_read` gives its items."""

    is_indexed = False

    @property
    def length(self) -> int | None:
        return None

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        return enumerate(itertools.islice(self._read(epoch), start, None), start)

    def _read(self, epoch: Epoch) -> Iterator[Item]:
        raise NotImplementedError
