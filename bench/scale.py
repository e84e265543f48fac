"""Training steps on many cores, as `tz.profile(step, ..., threads=N)` simulates them, and measured on one and two.

Run `python bench/scale.py` on a quiet machine of at least two cores; `python bench/scale.py mlp128 lstm` for some
workloads only. A step is forward, backward and the optimizer on one batch. Predicted times are for a program made for
so many cores; measured ones are calls of the jitted step, threads taking turns, medians of some rounds. The last column
is the predicted speed-up on two threads over the measured one; aimed at is 0.85 to 1.15, and the same for the time of
one thread.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from networks import jitted_step, model_for
from workloads import WORKLOADS, Workload, data

import tarazu as tz

PLANNED = (1, 2, 8, 16, 64)
ROUNDS, SECONDS = 7, 0.5  # of each number of threads; of a round, or of a simulation


def step_and_batch(workload: Workload) -> tuple[Callable[..., Any], tuple[Any, Any]]:
    """A step that was called once, and its batch."""
    model, optimizer = model_for(workload)
    x, y = (tz.asarray(array) for array in data(workload._replace(rows=workload.batch)))
    model(x)
    step = jitted_step(model, optimizer)
    step(x, y)
    return step, (x, y)


def measured(step: Callable[..., Any], batch: tuple[Any, Any]) -> dict[int, float]:
    """Seconds of a call on one thread and on two, which take turns."""
    rounds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for threads, found in rounds.items():
            tz.set_threads(threads)
            step(*batch)
            found.append(_round(step, batch))
    tz.set_threads(2)
    return {threads: statistics.median(found) for threads, found in rounds.items()}


def _round(step: Callable[..., Any], batch: tuple[Any, Any]) -> float:
    """The median of the calls of a round."""
    calls: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(calls) < 3 or time.perf_counter() < end:
        before = time.perf_counter()
        step(*batch)
        calls.append(time.perf_counter() - before)
    return statistics.median(calls)


def row_of(name: str) -> list[str]:
    """The cells of a workload: milliseconds, and speed-ups."""
    step, batch = step_and_batch(WORKLOADS[name])
    found = measured(step, batch)
    planned = {threads: tz.profile(step, *batch, seconds=SECONDS, threads=threads).seconds for threads in PLANNED}
    again = measured(step, batch)
    real = {threads: float(np.mean([found[threads], again[threads]])) for threads in found}
    gained = {threads: planned[1] / planned[threads] for threads in PLANNED}
    return [name, *[f"{1e3 * real[threads]:.3g}" for threads in real],
            *[f"{1e3 * planned[threads]:.3g}" for threads in PLANNED],
            *[f"{gained[threads]:.1f} x" for threads in PLANNED[2:]],
            f"{planned[1] / real[1]:.2f}", f"{real[1] / real[2]:.2f} x", f"{gained[2]:.2f} x",
            f"{gained[2] / (real[1] / real[2]):.2f}"]


def main(names: Sequence[str]) -> None:
    from tarazu.backend.native.inspect.machine import machine

    for threads in PLANNED:
        print(machine(threads))
    head = ["step, ms", "measured 1", "2", *[f"simulated {PLANNED[0]}", *map(str, PLANNED[1:])],
            *[f"gain on {threads}" for threads in PLANNED[2:]], "1: simulated / measured", "gain on 2", "simulated",
            "their ratio"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name in names:
        print(f"| {' | '.join(row_of(name))} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(WORKLOADS))
