"""Streams: training on batches that somebody else makes, such as a generator or torch's `DataLoader`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from typing import Any, TypeGuard

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError, TarazuError
from tarazu.base.pytree import map_leaves
from tarazu.nn.module.trainable import Batches, ClassWeight
from tarazu.runtime import processes
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.placement import Placement
from tarazu.train.sources.arrays import MOST_JUDGED_ROWS, Arrays, joined, of_one_length
from tarazu.train.sources.chunk import Chunk, capacity_for, in_order
from tarazu.train.sources.class_weights import class_weighted
from tarazu.train.sources.datasets import Epochs
from tarazu.train.sources.pace import Pace
from tarazu.train.sources.reader import Buffer, Reader
from tarazu.train.sources.reading import Reading

MOST_BYTES_KEPT = 256 * 2**20  # of the rows that the verdict judges


def is_stream(x: object, y: object) -> TypeGuard[Batches]:
    """Whether `x` gives batches, and is not itself an array, a container of arrays or nested lists of numbers."""
    if y is not None or isinstance(x, str | bytes | dict | tuple | np.ndarray | Tensor) or hasattr(x, "__array__"):
        return False
    if isinstance(x, list):
        return bool(x) and _is_batch(x[0])
    return isinstance(x, Iterable) or hasattr(x, "__getitem__")


def _is_batch(part: object) -> bool:
    """Whether an element of a list is a batch: several arrays, or a dict."""
    if isinstance(part, tuple | list) and len(part) in (2, 3):
        return all(isinstance(x, dict) or len(getattr(x, "shape", ())) > 0 or _is_batch(x) for x in part)
    return isinstance(part, dict)


def rows_of(batches: Iterable[Any], reading: Reading) -> Arrays:
    """All rows of a stream that ends."""
    parts = [arrays.copy() for arrays in arrays_of(iter(batches), reading)]  # it may refill a buffer
    if not parts:
        raise _empty()
    if all(part.has_mask for part in parts):
        parts = of_one_length(parts)
    if len({part.row_type for part in parts}) > 1:
        raise ShapeError("batches for validation whose rows differ in shape or dtype", expected="rows of one kind",
                         fix="pad or cut them")
    return joined(parts)


def inputs_of(batches: Iterable[Any], reading: Reading) -> Iterator[Arrays]:
    """The inputs of each batch of a stream: batches are (x, y), (x, y, weight), or x alone."""
    first = None
    for batch in batches:
        arrays = reading.inputs(batch[0] if _has_inputs_first(batch, reading) else batch)
        first = first or arrays.row_type
        is_alike = [shape for shape, _ in arrays.row_type[1]] == [shape for shape, _ in first[1]]
        if not is_alike and not arrays.has_mask:
            raise ShapeError("batches whose rows differ in shape", expected="rows of one kind", fix="pad or cut them")
        yield arrays
    if first is None:
        raise _empty()


def _has_inputs_first(batch: Any, reading: Reading) -> bool:
    """Whether a batch is (x, y), (x, y, weight) or (x,), and not itself the rows, or several inputs."""
    if not isinstance(batch, tuple | list) or not batch:
        return False
    if reading.several_inputs and not isinstance(batch[0], tuple | list | dict):
        return False
    return _is_batch(batch) or (len(batch) == 1 and len(getattr(batch[0], "shape", ())) > 0)


class Stream:
    """Batches of an iterable, read ahead by a thread that lives as long as an epoch.

    `train` are the rows that the verdict judges, the first ones; `check` is asked about the targets of each chunk.
    """

    def __init__(self, source: Iterable[Any], reading: Reading, pace: Pace, epochs: int, steps_per_epoch: int | None,
                 class_weight: ClassWeight = None) -> None:
        self._is_iterator = hasattr(source, "__next__")
        if self._is_iterator and epochs > 1 and steps_per_epoch is None:
            raise ArgumentError(f"an iterator for {epochs} epochs; it is used up after the first",
                                expected="epochs=1, or batches that can be gone through again",
                                fix="pass steps_per_epoch=n, or a list, a DataLoader or another object with __iter__")
        self._source, self._reading, self.pace, self._class_weight = source, reading, pace, class_weight
        self._per_epoch = None if steps_per_epoch is None else positive_int("steps_per_epoch", steps_per_epoch)
        self._endless = iter(source) if self._is_iterator else _repeated(source)
        self.steps = self._per_epoch or _length(source)
        self.check: Callable[[Arrays], None] = lambda batch: None
        self.notes: list[str] = []  # of what training on these rows warns: on the first batch
        self._usual: tuple | None = None  # what the first batch is like
        self._kept: list[Arrays] = []
        self._reader: Reader | None = None
        first = self._peek()
        self._first: Buffer | None = first
        self.batch_size, self._row_type = first.batch, first.row_type
        self._room = min(MOST_JUDGED_ROWS, MOST_BYTES_KEPT // max(first.row_bytes, 1))
        self._keep(first)

    def _peek(self) -> Buffer:
        """The first batches of the stream; the model is built and the program compiled for their shapes."""
        try:
            first = self._open().take()
        except BaseException:
            self.close()
            raise
        if first is None:
            raise _empty()
        return first

    @property
    def train(self) -> Arrays:
        """The rows of the first batches."""
        return joined(self._kept)

    def chunks(self) -> Generator[Chunk]:
        """The chunks of one epoch, as they come; of batches of another size than the first each is one."""
        reader, peeked = self._reader or self._open(), self._first
        self._first, steps = None, 0
        try:
            buffer = peeked or reader.take()
            while buffer is not None:
                if buffer is not peeked:
                    self.check(buffer.filled)
                    self._keep(buffer)
                steps += buffer.count
                yield self._chunk(buffer)
                buffer = reader.take()
            processes.wait("the end of an epoch")
        finally:
            self.close()
        if not steps and self._per_epoch is None:
            raise _empty()
        self.steps = self.steps or steps
        if not self._is_iterator:
            self._room = 0  # the next epoch has the same rows

    def completed_chunks(self, epochs: int) -> Generator[Chunk]:
        """The chunks of the epochs that a resumed run has completed; of one epoch where all are alike.

        Of a dataset only the rows that the verdict judges are read again.
        """
        if isinstance(self._source, Epochs):
            for chunk in self.chunks():
                yield chunk
                if self._room <= 0:
                    break
            self._source.go_to(epochs, 0)
            return
        for _ in range(1 if self._per_epoch is None else epochs):
            yield from self.chunks()

    def start_within(self, epoch: int, steps: int) -> bool:
        """Go to a step of an epoch, counted from 0, where the source can; else False, and batches are to be skipped."""
        if not isinstance(self._source, Epochs):
            return False
        self.close()
        self._first = None
        self._source.go_to(epoch, steps)
        return True

    def set_placement(self, placement: Placement) -> None:
        """Say where training runs; called once, before the first chunk."""
        self._placement = placement
        if processes.count() > 1:
            self.pace.single_steps = True  # all processes have to take the same steps, and each reads at its own pace
            self.pace.steps = 1

    def _chunk(self, buffer: Buffer) -> Chunk:
        if processes.count() == 1:
            return in_order(buffer.data, buffer.count, buffer.batch)
        processes.wait(f"a batch of {buffer.batch} rows")
        batches = buffer.data.map(lambda part: part.reshape(-1, buffer.batch, *part.shape[1:]))
        data = map_leaves(self._placement.stacked, batches.tree)
        return Chunk(data, None, 0, buffer.count, buffer.batch * processes.count())

    def close(self) -> None:
        """End the thread that reads."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _open(self) -> Reader:
        batches = iter(self._source) if self._per_epoch is None else itertools.islice(self._endless, self._per_epoch)
        notes = None if self._usual else self.notes
        read = arrays_of(batches, self._reading, notes, self._class_weight)
        self._reader = Reader(read, self._capacity, self.pace)
        return self._reader

    def _capacity(self, batch: Arrays) -> int:
        """One program is compiled for buffers of batches like the first, and a small one for each other size."""
        kind = batch.rows, batch.row_type
        self._usual = self._usual or kind
        return capacity_for(batch) if kind == self._usual else 1

    def _keep(self, buffer: Buffer) -> None:
        rows = min(self._room, buffer.filled.rows)
        if rows and buffer.row_type == self._row_type:
            self._kept.append(buffer.filled.at(slice(rows)).copy())
            self._room -= rows


def _repeated(source: Iterable[Any]) -> Iterator[Any]:
    """The batches of a source again and again, until there are none."""
    is_empty = False
    while not is_empty:
        is_empty = True
        for batch in source:
            is_empty = False
            yield batch


def arrays_of(batches: Iterator[Any], reading: Reading, notes: list[str] | None = None,
              class_weight: ClassWeight = None) -> Iterator[Arrays]:
    """The batches as arrays that a model can learn from; into `notes`, if there are any, goes what the first loses."""
    for number, batch in enumerate(batches, 1):
        try:
            arrays = class_weighted(reading.batch(batch, notes if number == 1 else None), class_weight)
        except TarazuError as error:
            error.args = (f"in batch {number} of the stream: {error}",)
            raise
        yield arrays


def _length(source: Iterable[Any]) -> int | None:
    if not isinstance(source, Sized):
        return None
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        return None


def _empty() -> ArgumentError:
    return ArgumentError("a stream that gave no batch", expected="at least one pair (x, y) in each epoch",
                         fix="check that it is not used up, and that each __iter__ starts anew")
