"""What Python costs in an own loop: a jitted step of the first MLP, called 1,000 times. Target: 25 microseconds.

Run `python bench/step.py`. The first figure is the time of a call beyond its program's. The second is the whole call of
the same step with layers so small that a native program takes next to no time; it has the program's own Python too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import models
import numpy as np
from networks import jitted_step

import tarazu as tz

CALLS, WARM_UP, TARGET = 1000, 20, 25.0
WIDTHS, BATCH = [784, 128, 128, 10], 64
SMALL_WIDTHS, SMALL_BATCH = [8, 8, 8, 8], 8


def batch_for(widths: list[int], rows: int) -> tuple[tz.Tensor, tz.Tensor]:
    rng = np.random.default_rng(0)
    return tz.asarray(rng.normal(size=(rows, widths[0])).astype(np.float32)), tz.asarray(rng.integers(8, size=rows))


class TimedProgram:
    """A program that notes how long each of its runs takes."""

    def __init__(self, program: Callable[..., Any]) -> None:
        self.program, self.times = program, []

    def __call__(self, *arrays: Any) -> Any:
        start = time.perf_counter()
        outputs = self.program(*arrays)
        self.times.append(time.perf_counter() - start)
        return outputs


def time_programs(step: tz.jit) -> list[TimedProgram]:
    """Have the programs of `step` timed from now on."""
    timed = []
    for candidates in step._compiled.values():
        for compiled in candidates:
            compiled.program = TimedProgram(compiled.program)
            timed.append(compiled.program)
    return timed


def call_times(step: tz.jit, batch: tuple[tz.Tensor, tz.Tensor], calls: int) -> np.ndarray:
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        step(*batch)
        times.append(time.perf_counter() - start)
    return np.array(times)


def microseconds(widths: list[int], rows: int) -> tuple[float, float]:
    """Of a call, the medians: beyond its program's run, and the whole."""
    step, batch = jitted_step(models.mlp(widths), tz.optim.Adam(lr=1e-3)), batch_for(widths, rows)
    call_times(step, batch, WARM_UP)
    timed = time_programs(step)
    whole = call_times(step, batch, CALLS)
    run = np.sum([program.times for program in timed if program.times], axis=0)
    return statistics.median(whole - run) * 1e6, statistics.median(whole) * 1e6


def main() -> None:
    beyond, _ = microseconds(WIDTHS, BATCH)
    _, small = microseconds(SMALL_WIDTHS, SMALL_BATCH)
    print(f"beyond the program's run  {beyond:8.1f} us (target {TARGET:g}: {'met' if beyond <= TARGET else 'not met'})")
    print(f"whole call, tiny layers   {small:8.1f} us")


if __name__ == "__main__":
    main()
