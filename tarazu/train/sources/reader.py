"""A thread that reads batches ahead, while the program trains on those before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np

from tarazu.runtime.jit.frozen_draws import READER
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.pace import Pace


class Buffer:
    """Equal-shaped batches one below the other, in arrays of a fixed size: it is part of the program's signature."""

    def __init__(self, first: Arrays, capacity: int) -> None:
        self.batch, self.capacity, self.count = first.rows, capacity, 0
        self.row_type = first.row_type
        self.row_bytes = first.nbytes // self.batch
        self.data = first.map(lambda part: np.empty((capacity * self.batch, *part.shape[1:]), part.dtype))

    def takes(self, batch: Arrays, most: int) -> bool:
        """Whether there is room for the batch, where no more than so many are wanted."""
        is_alike = batch.rows == self.batch and batch.row_type == self.row_type
        return is_alike and self.count < min(self.capacity, most)

    def add(self, batch: Arrays) -> None:
        """Put the batch below the others."""
        rows = slice(self.count * self.batch, (self.count + 1) * self.batch)
        for target, part in zip(self.data.leaves, batch.leaves, strict=True):
            target[rows] = part
        self.count += 1

    @property
    def filled(self) -> Arrays:
        """The rows that are there."""
        return self.data.at(slice(self.count * self.batch))


class Reader:
    """Reads the batches of one epoch in a thread of its own, as many ahead as the next chunk takes.

    `capacity` says how many batches like a given one a buffer holds.
    """

    def __init__(self, batches: Iterator[Arrays], capacity: Callable[[Arrays], int], pace: Pace) -> None:
        self._batches, self._capacity, self._pace = batches, capacity, pace
        self._changed = threading.Condition()
        self._filling: Buffer | None = None
        self._error: BaseException | None = None
        self._is_over = self._is_stopped = False
        self._thread = threading.Thread(target=self._read, name=READER, daemon=True)
        self._thread.start()

    def take(self) -> Buffer | None:
        """What has been read by now, at least one batch; None at the end. Raises what the stream raised."""
        with self._changed:
            while self._filling is None and not self._is_over:
                self._changed.wait(0.2)  # not for ever: on Windows Ctrl-C cannot end a wait
            filled, self._filling = self._filling, None
            self._changed.notify_all()
        if filled is None and self._error is not None:
            raise self._error
        return filled

    def close(self) -> None:
        """End the thread; a batch that the stream is making now is waited for."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _read(self) -> None:
        try:
            for batch in self._batches:
                if not self._add(batch):
                    break
        except BaseException as error:  # whatever the stream raises comes out of `take`
            self._error = error
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _add(self, batch: Arrays) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped or self._has_room(batch))
            if self._is_stopped:
                return False
            if self._filling is None:
                self._filling = Buffer(batch, self._capacity(batch))
            self._filling.add(batch)
            self._changed.notify_all()
            return True

    def _has_room(self, batch: Arrays) -> bool:
        return self._filling is None or self._filling.takes(batch, self._pace.steps)
