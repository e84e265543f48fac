"""Stages that give the items of others by other numbers: parts, orders, repetitions, windows, several side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tarazu.base.pytree import flatten, map_leaves
from tarazu.data.dataset.execute import Workers
from tarazu.data.dataset.stage import Epoch, InOrder, Item, Stage
from tarazu.data.dataset.tasks import NewArray

if TYPE_CHECKING:
    from numpy.random import Generator


class View(Stage):
    """The items of an indexed stage by other numbers, which `_numbers` says, for one or for an array of them."""

    def __init__(self, parent: Stage) -> None:
        self.parents = (parent,)
        self.gives_batches = parent.gives_batches

    def _numbers(self, numbers: Any, epoch: Epoch) -> Any:
        raise NotImplementedError

    def get(self, number: int, epoch: Epoch) -> Item:
        return self.parents[0].get(int(self._numbers(number, epoch)), epoch)

    def gather(self, numbers: np.ndarray, epoch: Epoch, empty: NewArray = np.empty) -> Item:
        return self.parents[0].gather(self._numbers(numbers, epoch), epoch, empty)


class Part(View):
    """Every `step`-th item from number `start` up to `stop`, or to the end. Not only of indexed stages."""

    def __init__(self, parent: Stage, start: int, stop: int | None, step: int = 1) -> None:
        super().__init__(parent)
        self.start, self.stop, self.step = start, stop, step

    @property
    def length(self) -> int | None:
        whole = self.parents[0].length
        if whole is None and (self.stop is None or not self.parents[0].is_indexed):
            return None
        stop = whole if self.stop is None else self.stop if whole is None else min(self.stop, whole)
        return len(range(self.start, stop or 0, self.step))

    @property
    def is_endless(self) -> bool:
        return self.stop is None and self.parents[0].is_endless

    @property
    def can_start(self) -> bool:
        return self.parents[0].can_start

    def _numbers(self, numbers: Any, epoch: Epoch) -> Any:
        return self.start + numbers * self.step

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        if self.is_indexed:
            return super().items(epoch, start)
        first = self.start + start * self.step
        if self.stop is not None and first >= self.stop:
            return iter(())
        stop = None if self.stop is None else self.stop - first
        items = itertools.islice(self.parents[0].items(epoch, first), 0, stop, self.step)
        return ((number, item) for number, (_, item) in enumerate(items, start))

    def in_memory(self) -> Item | None:
        tree = self.parents[0].in_memory()
        return None if tree is None else map_leaves(lambda leaf: leaf[self.start:self.stop:self.step], tree)


class Rows(View):
    """The items of an indexed stage that have certain numbers, in that order."""

    def __init__(self, parent: Stage, numbers: np.ndarray) -> None:
        super().__init__(parent)
        self.numbers = numbers

    @property
    def length(self) -> int:
        return len(self.numbers)

    def _numbers(self, numbers: Any, epoch: Epoch) -> Any:
        return self.numbers[numbers]

    def in_memory(self) -> Item | None:
        tree = self.parents[0].in_memory()
        return None if tree is None else map_leaves(lambda leaf: leaf[self.numbers], tree)


class InRandomOrder(View):
    """Items of an indexed stage by numbers that each epoch draws anew: `_draw` gives them."""

    def __init__(self, parent: Stage, seed: int) -> None:
        super().__init__(parent)
        self.seed = seed
        self._drawn: tuple[Epoch, np.ndarray] | None = None

    def _draw(self, random: Generator) -> np.ndarray:
        raise NotImplementedError

    def _numbers(self, numbers: Any, epoch: Epoch) -> Any:
        drawn = self._drawn
        if drawn is None or drawn[0] != epoch:
            self._drawn = drawn = epoch, self._draw(epoch.random(self.seed))
        return drawn[1][numbers]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_drawn": None}


class Shuffled(InRandomOrder):
    """All items, each once."""

    def _draw(self, random: Generator) -> np.ndarray:
        return random.permutation(self.length or 0)


class Resampled(InRandomOrder):
    """So many items, with replacement: each with a probability in proportion to its weight."""

    def __init__(self, parent: Stage, weights: np.ndarray, count: int, seed: int) -> None:
        super().__init__(parent, seed)
        self.bounds, self.count = np.cumsum(weights), count

    @property
    def length(self) -> int:
        return self.count

    def _draw(self, random: Generator) -> np.ndarray:
        return np.searchsorted(self.bounds, random.random(self.count) * self.bounds[-1], "right")


class Repeated(View):
    """The items of a stage so many times, or without end; each time is a pass of its own."""

    def __init__(self, parent: Stage, times: int | None) -> None:
        super().__init__(parent)
        self.times = times

    @property
    def length(self) -> int | None:
        whole = self.parents[0].length
        return None if whole is None or self.times is None else whole * self.times

    @property
    def is_endless(self) -> bool:
        return self.times is None or self.parents[0].is_endless

    def get(self, number: int, epoch: Epoch) -> Item:
        time, number = divmod(number, self.parents[0].length or 1)
        return self.parents[0].get(number, epoch.part(time))

    def gather(self, numbers: np.ndarray, epoch: Epoch, empty: NewArray = np.empty) -> Item:
        times, inner = np.divmod(numbers, self.parents[0].length or 1)
        if (times == times[0]).all():
            return self.parents[0].gather(inner, epoch.part(int(times[0])), empty)
        return Stage.gather(self, numbers, epoch, empty)

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        if self.is_indexed:
            return super().items(epoch, start)
        times = itertools.count() if self.times is None else range(self.times)
        items = itertools.chain.from_iterable(self.parents[0].items(epoch.part(time)) for time in times)
        return ((number, item) for number, (_, item) in enumerate(itertools.islice(items, start, None), start))

    @property
    def can_start(self) -> bool:
        return self.is_indexed


class Concatenated(Stage):
    """The items of several stages, one after another."""

    def __init__(self, *parents: Stage) -> None:
        self.parents = parents
        self.gives_batches = parents[0].gives_batches

    @property
    def is_indexed(self) -> bool:
        return all(parent.is_indexed and parent.length is not None for parent in self.parents)

    @property
    def length(self) -> int | None:
        lengths = [parent.length for parent in self.parents]
        return None if None in lengths else sum(length or 0 for length in lengths)

    def _bounds(self) -> np.ndarray:
        return np.cumsum([parent.length or 0 for parent in self.parents])

    def get(self, number: int, epoch: Epoch) -> Item:
        bounds = self._bounds()
        part = int(np.searchsorted(bounds, number, "right"))
        first = int(bounds[part - 1]) if part else 0
        return self.parents[part].get(number - first, epoch.part(part))

    def gather(self, numbers: np.ndarray, epoch: Epoch, empty: NewArray = np.empty) -> Item:
        bounds = self._bounds()
        parts = np.searchsorted(bounds, numbers, "right")
        part = int(parts[0])
        if (parts == part).all():
            return self.parents[part].gather(numbers - (bounds[part - 1] if part else 0), epoch.part(part), empty)
        return super().gather(numbers, epoch, empty)

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        if self.is_indexed:
            return super().items(epoch, start)
        parts = (parent.items(epoch.part(part)) for part, parent in enumerate(self.parents))
        items = itertools.chain.from_iterable(parts)
        return ((number, item) for number, (_, item) in enumerate(itertools.islice(items, start, None), start))

    def in_memory(self) -> Item | None:
        trees = [parent.in_memory() for parent in self.parents]
        if any(tree is None for tree in trees) or len({flatten(tree)[1] for tree in trees}) > 1:
            return None
        columns = zip(*[flatten(tree)[0] for tree in trees], strict=True)
        pairs = [list(column) for column in columns]
        if any(len({part.shape[1:] for part in parts}) > 1 for parts in pairs):
            return None
        return flatten(trees[0])[1].rebuild([np.concatenate(parts) for parts in pairs])


class Zipped(Stage):
    """Tuples of one item of each of several stages, up to the end of the shortest."""

    def __init__(self, *parents: Stage) -> None:
        self.parents = parents
        self.gives_batches = parents[0].gives_batches

    @property
    def length(self) -> int | None:
        lengths = [parent.length for parent in self.parents if parent.length is not None or not parent.is_indexed]
        return None if None in lengths or not lengths else min(length or 0 for length in lengths)

    @property
    def is_endless(self) -> bool:
        return all(parent.is_endless for parent in self.parents)

    def get(self, number: int, epoch: Epoch) -> Item:
        return tuple(parent.get(number, epoch.part(part)) for part, parent in enumerate(self.parents))

    def gather(self, numbers: np.ndarray, epoch: Epoch, empty: NewArray = np.empty) -> Item:
        return tuple(parent.gather(numbers, epoch.part(part), empty) for part, parent in enumerate(self.parents))

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        if self.is_indexed:
            return super().items(epoch, start)
        parts = [parent.items(epoch.part(part), start) for part, parent in enumerate(self.parents)]
        rows = zip(*parts, strict=False)  # as Python's zip: the shortest ends it
        return ((number, tuple(item for _, item in row)) for number, row in enumerate(rows, start))

    def in_memory(self) -> Item | None:
        trees = [parent.in_memory() for parent in self.parents]
        if any(tree is None for tree in trees):
            return None
        return tuple(map_leaves(lambda leaf: leaf[:self.length], tree) for tree in trees)


class Numbered(Stage):
    """Pairs (number, item)."""

    def __init__(self, parent: Stage) -> None:
        self.parents = (parent,)
        self.gives_batches = parent.gives_batches

    @property
    def can_start(self) -> bool:
        return self.parents[0].can_start

    def get(self, number: int, epoch: Epoch) -> Item:
        return np.int64(number), self.parents[0].get(number, epoch)

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        if self.is_indexed:
            return super().items(epoch, start)
        items = enumerate(self.parents[0].items(epoch, start), start)
        return ((number, (np.int64(number), item)) for number, (_, item) in items)


class Window(Stage):
    """`size` samples, `stride` apart, stacked; the next window starts `shift` samples later.

    With a `target` items are pairs: the window, and the sample so many after the window's last.
    """

    def __init__(self, parent: Stage, size: int, shift: int, stride: int, target: int | None) -> None:
        self.parents, self.size, self.shift, self.stride, self.target = (parent,), size, shift, stride, target

    @property
    def span(self) -> int:
        """How many samples a window and its target reach over."""
        return (self.size - 1) * self.stride + 1 + (self.target or 0)

    @property
    def length(self) -> int | None:
        whole = self.parents[0].length
        return None if whole is None else max((whole - self.span) // self.shift + 1, 0)

    def get(self, number: int, epoch: Epoch) -> Item:
        return map_leaves(lambda leaf: leaf[0], self.gather(np.array([number]), epoch))

    def gather(self, numbers: np.ndarray, epoch: Epoch, empty: NewArray = np.empty) -> Item:
        starts = numbers * self.shift
        inside = starts[:, None] + np.arange(self.size) * self.stride
        rows = self.parents[0].gather(inside.ravel(), epoch)
        windows = map_leaves(lambda leaf: leaf.reshape(*inside.shape, *leaf.shape[1:]), rows)
        if self.target is None:
            return windows
        return windows, self.parents[0].gather(starts + self.span - 1, epoch)


class WindowInOrder(InOrder):
    """The same of samples that come in order."""

    def __init__(self, window: Window) -> None:
        self.parents, self.window = window.parents, window

    own_workers = Workers()

    def _read(self, epoch: Epoch) -> Iterator[Item]:
        window, first = self.window, 0
        held: list[Item] = []
        whole = Window(_Held(held), window.size, 1, window.stride, window.target)
        for number, (_, sample) in enumerate(self.parents[0].items(epoch)):
            if number >= first:
                held.append(sample)
            if len(held) == window.span:
                yield whole.get(0, epoch)
                first += window.shift
                del held[:window.shift]


class _Held(Stage):
    def __init__(self, samples: list[Item]) -> None:
        self.samples = samples

    def get(self, number: int, epoch: Epoch) -> Item:
        return self.samples[number]
