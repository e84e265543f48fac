"""What runs in a worker process: it calls the function for the samples that it is sent, and writes what comes out.

Arrays go into memory that both processes share, one after another; the rest of a result goes through the pipe.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import traceback
from multiprocessing.connection import Connection
from multiprocessing.heap import Arena
from multiprocessing.process import parent_process
from typing import NamedTuple

from tarazu.base.errors import TarazuError
from tarazu.data.dataset.tasks import SKIPPED, Task, Work

ALIGNMENT = 64  # bytes; arrays start at multiples
SECONDS_BETWEEN_LOOKS = 1.0  # whether the parent process still lives


class Result(NamedTuple):
    """The samples of a task as a pickle; `sizes` are those of its buffers, in shared memory, or None: in the pickle."""

    pickled: bytes
    sizes: list[int] | None


Slot = mmap.mmap | Arena  # memory that both processes see


class Failure(NamedTuple):
    """What a worker raised: the error, where it can be sent, and the text of its traceback."""

    error: TarazuError | None
    text: str


def serve(connection: Connection, work: Work, slots: list[Slot]) -> None:
    """Work until the pipe is closed. Each result goes into the next of `slots`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business: it ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = os.getppid()
    count = 0
    while _has_task(connection, parent):
        try:
            tasks = connection.recv()
            connection.send(_result(work, tasks, slots[count % len(slots)]))
        except (EOFError, OSError):  # the parent has closed its end
            return
        count += 1


def _has_task(connection: Connection, parent: int) -> bool:
    """Wait for a task; False once the parent is gone."""
    while not connection.poll(SECONDS_BETWEEN_LOOKS):
        starter = parent_process()
        if os.getppid() != parent or (starter is not None and not starter.is_alive()):
            return False
    return True


def _result(work: Work, tasks: list[Task], slot: Slot) -> Result | Failure:
    try:
        results = [(number, work(number, item)) for number, item in tasks]
        return _written([result for result in results if result[1] is not SKIPPED], slot)
    except BaseException as error:
        return Failure(error if isinstance(error, TarazuError) and _travels(error) else None, traceback.format_exc())


def _written(results: list[Task], slot: Slot) -> Result:
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(results, protocol=5, buffer_callback=buffers.append)
    parts = [buffer.raw() for buffer in buffers]
    memory, position = _memory(slot), 0
    if sum(map(aligned, map(len, parts))) > len(memory):
        return Result(pickle.dumps(results, protocol=5), None)
    for part in parts:
        memory[position:position + len(part)] = part
        position += aligned(len(part))
    return Result(pickled, list(map(len, parts)))


def _memory(slot: Slot) -> mmap.mmap:
    return slot if isinstance(slot, mmap.mmap) else slot.buffer


def aligned(size: int) -> int:
    """`size` rounded up to the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def read(result: Result, slot: Slot) -> list[Task]:
    """The samples of a result, copied out of the shared memory."""
    if result.sizes is None:
        return pickle.loads(result.pickled)
    total, position, buffers = sum(map(aligned, result.sizes)), 0, []
    with memoryview(_memory(slot)) as shared:
        copied = memoryview(bytearray(shared[:total]))
    for size in result.sizes:
        buffers.append(copied[position:position + size])
        position += aligned(size)
    return pickle.loads(result.pickled, buffers=buffers)


def _travels(error: TarazuError) -> bool:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return False
    return True
