"""Worker processes: they are sent numbers of samples, and their results come back in order."""

from __future__ import annotations

import itertools
import mmap
import multiprocessing
import os
import pickle
import sys
import warnings
import weakref
from collections.abc import Iterator
from multiprocessing import connection
from multiprocessing.heap import Arena
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, DataError
from tarazu.data.dataset.tasks import AHEAD, Task, Work
from tarazu.data.dataset.worker import Failure, Result, Slot, loaded, mapped, serve

SLOT_BYTES = 64 * 2**20  # address space for the arrays of a task; memory is taken as they are written
SLOTS_OF_THE_CALLER = 4  # for results that the caller still holds when it asks for the next
SECONDS_BETWEEN_LOOKS = 1.0  # whether workers still live
SECONDS_TO_END = 1.0


def start_method() -> str:
    """How workers start: by fork on Linux, which takes any function; not beside JAX, whose threads a fork would break.

    >>> start_method() in multiprocessing.get_all_start_methods()
    True
    """
    if sys.platform == "linux":
        return "forkserver" if "jax" in sys.modules else "fork"
    return "spawn"


def run_in_processes(work: Work, tasks: Iterator[Task], processes: int, per_task: int) -> Iterator[Task]:
    """What `work` gives for each task, in order; without those that are SKIPPED. Raises what a worker raises."""
    pool = Pool(work, processes)
    try:
        yield from pool.run(tasks, per_task)
    finally:
        pool.close()


class Worker:
    """A process, its end of the pipe, and the numbers and slots of the tasks that it has."""

    def __init__(self, context: Any, number: int, work: Work, slots: list[Slot]) -> None:
        self.tasks: list[tuple[int, int]] = []
        self.has_answered = False
        self.connection, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, work, slots), daemon=True,
                                       name=f"tarazu data worker {number}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python's of a fork beside threads
                self.process.start()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ArgumentError(f"the dataset cannot be sent to worker processes: {error}",
                                expected="functions that stand at the top level of a module, and a source that pickles",
                                fix="write a `def` in place of a lambda or an inner function") from error
        finally:
            other.close()

    def send(self, task: int, slot: int, entries: list[Task]) -> None:
        """Give it a task, and the slot for its result."""
        self.tasks.append((task, slot))
        try:
            self.connection.send((slot, entries))
        except OSError:
            return  # it is dead, which `receive` finds when the task's turn comes

    def receive(self) -> tuple[int, int, Result | Failure]:
        """The number of its oldest task, the slot, and the result."""
        result: Result | Failure = self.connection.recv()
        self.has_answered = True
        return *self.tasks.pop(0), result


class Pool:
    """Worker processes of one epoch, and the memory that they share with this process."""

    def __init__(self, work: Work, processes: int) -> None:
        self._method, self._owner = start_method(), os.getpid()
        self._room = AHEAD  # how many tasks a worker is given before the result of the first
        self._most_in_work = processes * AHEAD
        self._slots = [self._slot() for _ in range(self._most_in_work + processes + SLOTS_OF_THE_CALLER)]
        self._free = list(range(len(self._slots)))
        self._workers: list[Worker] = []
        self._ready: dict[int, list[Task] | Failure] = {}  # results that came before their turn
        context = multiprocessing.get_context(self._method)
        try:
            for number in range(1, processes + 1):
                self._workers.append(Worker(context, number, work, self._slots))
        except BaseException:
            self.close()
            raise

    def _slot(self) -> Slot:
        """Memory that a process that starts now shares: without a name, so that none can be left behind."""
        if self._method == "fork":
            return mmap.mmap(-1, SLOT_BYTES)
        return Arena(SLOT_BYTES)  # which can be sent to a process that is being started

    def run(self, tasks: Iterator[Task], per_task: int) -> Iterator[Task]:
        """Send tasks out, so many at a time and no more than a few ahead, and give what comes back, in order."""
        sent = taken = 0
        is_over = False
        while True:
            while not is_over and sent - taken < len(self._workers) * (AHEAD + 1) and (worker := self._idle_worker()):
                entries = list(itertools.islice(tasks, per_task))
                is_over = not entries
                if entries:
                    self._room = AHEAD if entries[0][1] is None else 1
                    worker.send(sent, self._free.pop(), entries)
                    sent += 1
            if taken == sent:
                return
            if taken in self._ready:
                yield from self._taken(taken)
                taken += 1
            else:
                self._receive()

    def _taken(self, task: int) -> list[Task]:
        result = self._ready.pop(task)
        if not isinstance(result, Failure):
            return result
        if result.error is not None:
            result.error.add_note(f"It was raised in a worker process:\n\n{result.text}")
            raise result.error
        raise DataError(f"a worker process raised\n\n{result.text}", expected="maps that take each sample",
                        fix="run it without workers= to see it in a debugger")

    def _idle_worker(self) -> Worker | None:
        """The worker with the least to do, if it has room for a task.

        One that is sent samples, not just their numbers, gets one task at a time: it is then waiting for it, so that
        never both ends of a full pipe wait for the other to read.
        """
        worker = min(self._workers, key=lambda worker: len(worker.tasks))
        return worker if len(worker.tasks) < self._room else None

    def _receive(self) -> None:
        """Wait for results, at least one."""
        busy = {worker.connection: worker for worker in self._workers if worker.tasks}
        ready = connection.wait(list(busy), SECONDS_BETWEEN_LOOKS)
        for end in ready:
            worker = busy[end]
            try:
                task, slot, result = worker.receive()
            except (EOFError, OSError) as error:
                raise self._death(worker) from error
            self._ready[task] = self._samples(slot, result)
        if not ready:
            for worker in busy.values():
                if not worker.process.is_alive() and not worker.connection.poll():
                    raise self._death(worker)

    def _samples(self, slot: int, result: Result | Failure) -> list[Task] | Failure:
        """The samples of a result. They stay in the slot, which is free again when the last of them is gone, unless
        the caller holds so many already that tasks would find none; then they are copied.
        """
        in_work = sum(len(worker.tasks) for worker in self._workers)
        if isinstance(result, Failure):
            self._free.append(slot)
            return result
        shared = np.frombuffer(mapped(self._slots[slot]), np.uint8)  # its own object, as views refer to this one
        if result.extents and len(self._free) + in_work >= self._most_in_work:
            weakref.finalize(shared, self._free.append, slot).atexit = False
            return loaded(result, shared)
        used = max((start + size for start, size in result.extents or ()), default=0)
        samples = loaded(result, shared[:used].copy())
        self._free.append(slot)
        return samples

    def _death(self, worker: Worker) -> DataError:
        worker.process.join(SECONDS_TO_END)
        code = worker.process.exitcode
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        fix = "check the memory that a sample takes, and the libraries that the map calls; run it without workers="
        if self._method != "fork" and not worker.has_answered:
            fix = 'start the program under `if __name__ == "__main__":`, as workers import it'
        return DataError(f"the process {worker.process.name!r} {how}", expected="it to live until the epoch is over",
                         fix=fix)

    def close(self) -> None:
        """End the processes, and free the memory that they share."""
        if os.getpid() != self._owner:
            return
        for worker in self._workers:
            worker.connection.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(SECONDS_TO_END)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()
        self._workers.clear()
