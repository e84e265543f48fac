"""Calling a function for many samples: one after another, or in threads or processes, results in order."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from tarazu.data.dataset.tasks import AHEAD, SKIPPED, Task, Work

SAMPLES_PER_TASK = 16


class Workers(NamedTuple):
    """How many processes, or threads, run the maps before `.batch`; 0 of both: the thread that reads."""

    processes: int = 0
    threads: int = 0


def run(work: Work, tasks: Iterator[Task], workers: Workers, is_large: bool = False) -> Iterator[Task]:
    """Each task's number with what `work` gives for it, in order and without what is SKIPPED.

    Large tasks are sent to processes one by one, others several at a time.
    """
    if workers.processes:
        from tarazu.data.dataset.processes import run_in_processes

        return run_in_processes(work, tasks, workers.processes, 1 if is_large else SAMPLES_PER_TASK)
    results = _in_threads(work, tasks, workers.threads) if workers.threads else _in_turn(work, tasks)
    return (result for result in results if result[1] is not SKIPPED)


def _in_turn(work: Work, tasks: Iterator[Task]) -> Iterator[Task]:
    for number, item in tasks:
        yield number, work(number, item)


def _in_threads(work: Work, tasks: Iterator[Task], threads: int) -> Iterator[Task]:
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads, "tarazu data")
    try:
        begun = deque((task[0], pool.submit(work, *task)) for task in itertools.islice(tasks, AHEAD * threads))
        while begun:
            number, future = begun.popleft()
            result = future.result()
            begun.extend((task[0], pool.submit(work, *task)) for task in itertools.islice(tasks, 1))
            yield number, result
    finally:
        pool.shutdown(cancel_futures=True)
