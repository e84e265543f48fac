"""Streams: training on batches that somebody else makes, such as a generator or torch's `DataLoader`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Sized
from typing import Any, TypeGuard

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError, TarazuError
from tarazu.nn.module.trainable import Batches
from tarazu.ops.typing import ArrayLike
from tarazu.runtime import processes
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.placement import Placement
from tarazu.train.sources.arrays import MOST_JUDGED_ROWS, Arrays, as_given, features, pair
from tarazu.train.sources.chunk import Chunk, capacity_for, in_order
from tarazu.train.sources.pace import Pace
from tarazu.train.sources.precision_loss import notes_on
from tarazu.train.sources.reader import Buffer, Reader, row_type

MOST_BYTES_KEPT = 256 * 2**20  # of the rows that the verdict judges


def is_stream(x: object, y: object) -> TypeGuard[Batches]:
    """Whether `x` gives batches, and is not itself an array or nested lists of numbers."""
    if y is not None or isinstance(x, str | bytes | dict | tuple | np.ndarray | Tensor) or hasattr(x, "__array__"):
        return False
    if isinstance(x, list):
        return bool(x) and _is_pair(x[0]) and all(len(getattr(part, "shape", ())) > 0 for part in x[0])
    return isinstance(x, Iterable) or hasattr(x, "__getitem__")


def rows_of(batches: Iterable[Any]) -> Arrays:
    """All rows of a stream that ends."""
    parts = [Arrays(*[part.copy() for part in arrays]) for arrays in _checked(iter(batches))]  # it may refill a buffer
    if not parts:
        raise _empty()
    if len({row_type(part) for part in parts}) > 1:
        raise ShapeError("batches for validation whose rows differ in shape or dtype", expected="rows of one kind",
                         fix="pad or cut them")
    return _joined(parts)


def inputs_of(batches: Iterable[Any]) -> np.ndarray:
    """The inputs of all batches of a stream that ends: batches are (x, y), or x alone."""
    parts = [features(batch[0] if _has_inputs_first(batch) else batch).copy() for batch in batches]
    if not parts:
        raise _empty()
    if len({part.shape[1:] for part in parts}) > 1:
        raise ShapeError("batches whose rows differ in shape", expected="rows of one kind", fix="pad or cut them")
    return np.concatenate(parts)


def _has_inputs_first(batch: Any) -> bool:
    """Whether a batch is (x, y) or (x,), and not itself the rows."""
    is_short = isinstance(batch, tuple | list) and len(batch) in (1, 2)
    return is_short and all(getattr(part, "shape", ()) for part in batch)


class Stream:
    """Batches of an iterable, read ahead by a thread that lives as long as an epoch.

    `train` are the rows that the verdict judges, the first ones; `check` is asked about the targets of each chunk.
    """

    def __init__(self, source: Iterable[Any], pace: Pace, epochs: int, steps_per_epoch: int | None) -> None:
        self._is_iterator = hasattr(source, "__next__")
        if self._is_iterator and epochs > 1 and steps_per_epoch is None:
            raise ArgumentError(f"an iterator for {epochs} epochs; it is used up after the first",
                                expected="epochs=1, or batches that can be gone through again",
                                fix="pass steps_per_epoch=n, or a list, a DataLoader or another object with __iter__")
        self._source, self.pace = source, pace
        self._per_epoch = None if steps_per_epoch is None else positive_int("steps_per_epoch", steps_per_epoch)
        self._endless = iter(source) if self._is_iterator else _repeated(source)
        self.steps = self._per_epoch or _length(source)
        self.check: Callable[[np.ndarray], None] = lambda y: None
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
        return _joined(self._kept)

    def chunks(self) -> Generator[Chunk]:
        """The chunks of one epoch, as they come; of batches of another size than the first each is one."""
        reader, peeked = self._reader or self._open(), self._first
        self._first, steps = None, 0
        try:
            buffer = peeked or reader.take()
            while buffer is not None:
                if buffer is not peeked:
                    self.check(buffer.filled.y)
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
        """The chunks of the epochs that a resumed run has completed; of one epoch where all are alike."""
        for _ in range(1 if self._per_epoch is None else epochs):
            yield from self.chunks()

    def set_placement(self, placement: Placement) -> None:
        """Say where training runs; called once, before the first chunk."""
        self._placement = placement
        if processes.count() > 1:
            self.pace.single_steps = True  # all processes have to take the same steps, and each reads at its own pace
            self.pace.steps = 1

    def _chunk(self, buffer: Buffer) -> Chunk:
        if processes.count() == 1:
            return in_order(buffer.x, buffer.y, buffer.count, buffer.batch)
        processes.wait(f"a batch of {buffer.batch} rows")
        batches = [part.reshape(-1, buffer.batch, *part.shape[1:]) for part in (buffer.x, buffer.y)]
        x, y = map(self._placement.stacked, batches)
        return Chunk(x, y, None, 0, buffer.count, buffer.batch * processes.count())

    def close(self) -> None:
        """End the thread that reads."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _open(self) -> Reader:
        batches = iter(self._source) if self._per_epoch is None else itertools.islice(self._endless, self._per_epoch)
        self._reader = Reader(_checked(batches, None if self._usual else self.notes), self._capacity, self.pace)
        return self._reader

    def _capacity(self, batch: Arrays) -> int:
        """One program is compiled for buffers of batches like the first, and a small one for each other size."""
        kind = len(batch.x), row_type(batch)
        self._usual = self._usual or kind
        return capacity_for(batch) if kind == self._usual else 1

    def _keep(self, buffer: Buffer) -> None:
        rows = min(self._room, len(buffer.filled.x))
        if rows and buffer.row_type == self._row_type:
            self._kept.append(Arrays(*[part[:rows].copy() for part in buffer.filled]))
            self._room -= rows


def _repeated(source: Iterable[Any]) -> Iterator[Any]:
    """The batches of a source again and again, until there are none."""
    is_empty = False
    while not is_empty:
        is_empty = True
        for batch in source:
            is_empty = False
            yield batch


def _checked(batches: Iterator[Any], notes: list[str] | None = None) -> Iterator[Arrays]:
    """The batches as arrays that a model can learn from; into `notes`, if there are any, goes what the first loses."""
    for number, batch in enumerate(batches, 1):
        if not _is_pair(batch):
            raise ArgumentError(f"batch {number} of the stream is a {type(batch).__name__}",
                                expected="a pair (x, y) of arrays or tensors",
                                fix="let the stream give pairs: ((batch['x'], batch['y']) for batch in stream)")
        try:
            given = as_given(batch[0], "x"), as_given(batch[1], "y")
            if notes is not None and number == 1:
                notes += notes_on(*given)
            arrays = pair(*given)
        except TarazuError as error:
            error.args = (f"in batch {number} of the stream: {error}",)
            raise
        yield arrays


def _is_pair(batch: object) -> TypeGuard[Sequence[ArrayLike]]:
    return isinstance(batch, tuple | list) and len(batch) == 2


def _joined(parts: list[Arrays]) -> Arrays:
    return Arrays(*[np.concatenate(part) for part in zip(*parts, strict=True)])


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
