"""What runs in a worker process: it calls the function for the samples that it is sent, and writes what comes out.

Arrays go into memory that both processes share, where those of a batch are made; the rest of a result goes through the
pipe.
"""

from __future__ import annotations

import gc
import math
import mmap
import os
import pickle
import signal
import traceback
from multiprocessing.connection import Connection
from multiprocessing.heap import Arena
from multiprocessing.process import parent_process
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from tarazu.base.errors import TarazuError
from tarazu.data.dataset.tasks import SKIPPED, Task, Work, batch_array

ALIGNMENT = 64  # bytes; arrays start at multiples
SECONDS_BETWEEN_LOOKS = 1.0  # whether the parent process still lives


Slot = mmap.mmap | Arena  # memory that both processes see
Extent = tuple[int, int]  # where a buffer lies in a slot: its first byte, and its size


class Result(NamedTuple):
    """The samples of a task as a pickle, and where its buffers lie; or None: they are in the pickle."""

    pickled: bytes
    extents: list[Extent] | None


class Failure(NamedTuple):
    """What a worker raised: the error, where it can be sent, and the text of its traceback."""

    error: TarazuError | None
    text: str


def serve(connection: Connection, work: Work, slots: list[Slot]) -> None:
    """Work until the pipe is closed. A task names the slot for its result."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business: it ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # collections would else write to all that a fork shares with the parent, and so copy it
    memories = [SlotMemory(slot) for slot in slots]
    parent = os.getppid()
    while _has_task(connection, parent):
        try:
            slot, tasks = connection.recv()
            connection.send(_result(work, tasks, memories[slot]))
        except (EOFError, OSError):  # the parent has closed its end
            return


def _has_task(connection: Connection, parent: int) -> bool:
    """Wait for a task; False once the parent is gone."""
    while not connection.poll(SECONDS_BETWEEN_LOOKS):
        starter = parent_process()
        if os.getppid() != parent or (starter is not None and not starter.is_alive()):
            return False
    return True


def _result(work: Work, tasks: list[Task], memory: SlotMemory) -> Result | Failure:
    memory.used = 0
    batch_array[0] = memory.empty
    try:
        results = [(number, work(number, item)) for number, item in tasks]
        return _written([result for result in results if result[1] is not SKIPPED], memory)
    except BaseException as error:
        return Failure(error if isinstance(error, TarazuError) and _travels(error) else None, traceback.format_exc())


def _written(results: list[Task], memory: SlotMemory) -> Result:
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(results, protocol=5, buffer_callback=buffers.append)
    extents = [memory.extent(buffer.raw()) for buffer in buffers]
    if None in extents:
        return Result(pickle.dumps(results, protocol=5), None)
    return Result(pickled, [extent for extent in extents if extent])


class SlotMemory:
    """A slot as an array of bytes, filled from the front."""

    def __init__(self, slot: Slot) -> None:
        self.bytes = np.frombuffer(mapped(slot), np.uint8)
        self.used = 0

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An array in this memory; elsewhere if there is no room, or for objects."""
        kind = np.dtype(dtype)
        start = self._take(math.prod(shape) * kind.itemsize)
        return np.empty(shape, kind) if start is None or kind.hasobject else np.ndarray(shape, kind, self.bytes, start)

    def _take(self, size: int) -> int | None:
        start = self.used
        if start + size > len(self.bytes):
            return None
        self.used = start + -(-size // ALIGNMENT) * ALIGNMENT
        return start

    def extent(self, buffer: memoryview) -> Extent | None:
        """Where the bytes of a buffer are in this memory, into which they are copied unless they are in it already."""
        if not buffer.nbytes:
            return 0, 0
        content = np.frombuffer(buffer, np.uint8)
        start = content.ctypes.data - self.bytes.ctypes.data
        if start >= 0 and start + len(content) <= len(self.bytes):
            return start, len(content)
        start_of_copy = self._take(len(content))
        if start_of_copy is None:
            return None
        self.bytes[start_of_copy:start_of_copy + len(content)] = content
        return start_of_copy, len(content)


def mapped(slot: Slot) -> mmap.mmap:
    """The memory of a slot."""
    return slot if isinstance(slot, mmap.mmap) else slot.buffer


def loaded(result: Result, memory: np.ndarray) -> list[Task]:
    """The samples of a result, their arrays views of `memory`."""
    buffers = [memory[start:start + size] for start, size in result.extents or ()]
    return pickle.loads(result.pickled, buffers=buffers)


def _travels(error: TarazuError) -> bool:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return False
    return True
