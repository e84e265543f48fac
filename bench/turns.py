"""How fast Tarazu trains beside others: in turns with a program that computes for a second, and beside a steady one.

In turns, the other program runs on all cores, then waits for PAUSE seconds, then Tarazu trains, and so on. The steady
program keeps one thread busy; beside it Tarazu trains on one thread, on all, and on as many as it chooses.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from peers import OURS, PEERS, Worker, environment, fresh_caches
from report import seconds, text_table
from workloads import WORKLOADS

SECONDS, PAUSE = 1.0, 0.3
IN_TURNS, BESIDE = 0.95, 0.9  # of the speed alone, and of the better of one and all threads
FOREIGN = [sys.executable, str(Path(__file__).parent / "workers" / "foreign.py")]
ALL_THREADS = PEERS[OURS]._replace(worker="tarazu_all_threads")


def measure(name: str, python: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of an epoch of the workload `name` in each round, by what else the machine does."""
    with tempfile.TemporaryDirectory() as folder:
        settings = fresh_caches(folder)
        workers = {"chosen": Worker(PEERS[OURS], python, name, settings),
                   "one thread": Worker(PEERS[OURS], python, name, {**settings, "TARAZU_THREADS": "1"}),
                   "all threads": Worker(ALL_THREADS, python, name, settings)}
        for worker in workers.values():
            worker.train(1)
        alone, turns = _in_turns(workers["chosen"], WORKLOADS[name].epochs, rounds)
        found = {"alone": alone, "in turns": turns, **_beside(workers, WORKLOADS[name].epochs, rounds)}
        for worker in workers.values():
            worker.close()
    return found


def _in_turns(worker: Worker, epochs: int, rounds: int) -> tuple[list[float], list[float]]:
    """Alone and after the other program's turn, one after the other, so that both see the same machine."""
    alone, turns = [], []
    pipe = subprocess.PIPE
    with subprocess.Popen(FOREIGN, stdin=pipe, stdout=pipe, text=True, env=environment()) as other:
        for _ in range(rounds):
            print(SECONDS, file=other.stdin, flush=True)
            other.stdout.readline()
            time.sleep(PAUSE)
            turns.append(worker.train(epochs)["within"])
            worker.train(epochs)  # by now it has long seen that it is alone
            alone.append(worker.train(epochs)["within"])
        other.stdin.close()
    return alone, turns


def _beside(workers: dict[str, Worker], epochs: int, rounds: int) -> dict[str, list[float]]:
    """Each worker in turn while the other program computes on one thread."""
    found: dict[str, list[float]] = {name: [] for name in workers}
    with _steady():
        for _ in range(rounds):
            for name, worker in workers.items():
                found[name].append(worker.train(epochs)["within"])
    return found


@contextlib.contextmanager
def _steady() -> Iterator[None]:
    other = subprocess.Popen([*FOREIGN, "steady"], env=environment(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1"))
    try:
        time.sleep(PAUSE)
        yield
    finally:
        other.kill()
        other.wait()


def describe(name: str, found: dict[str, list[float]]) -> str:
    """A table of the times, and what follows for the targets."""
    medians = {what: statistics.median(times) for what, times in found.items()}
    rows = [[what, seconds(medians[what]), seconds(min(times)), seconds(max(times))] for what, times in found.items()]
    turns = medians["alone"] / medians["in turns"]
    beside = min(medians["one thread"], medians["all threads"]) / medians["chosen"]
    title = f"{name}: {WORKLOADS[name].title}, {WORKLOADS[name].rows:,} rows"
    return "\n".join([title, text_table(["", "s/epoch", "least", "most"], rows),
                      _verdict("in turns: {:.2f} of the speed alone", turns, IN_TURNS),
                      _verdict("beside a steady load: {:.2f} of the better of one and all threads", beside, BESIDE)])


def _verdict(text: str, value: float, target: float) -> str:
    return f"{text.format(value)} (target {target:g}: {'met' if value >= target else 'not met'})"
