"""Programs that measure how long each step takes, for `tz.profile`.

At the end of every step, and of every wait at a barrier, thread 0 reads the clock and adds the time since it last did
to a word of a table. So the times of all steps and waits add up to that of the whole.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tarazu.backend.native.compiler import Compiled, Lowered, lower_with
from tarazu.backend.native.inspect.ticks import emit_ticks, tick_seconds
from tarazu.backend.native.inspect.work import Work, work
from tarazu.backend.native.llvm.assemble import object_code
from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import Value
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.backend.native.program import NativeProgram, ProgramMemory, processor
from tarazu.backend.native.schedule.emit import CLOCKS, MemoryLayout, ProgramEmitter
from tarazu.backend.native.schedule.runs import ScheduledStep
from tarazu.backend.native.threads.thread_count import helpful_threads
from tarazu.ir.graph import Graph

LAST, FIRST_ROW, ROW_WORDS = 0, 1, 3  # the table: when thread 0 last read the clock, then a row for each step
SPENT, CALLS, WAITED = range(ROW_WORDS)  # in ticks; how often; in ticks


class TimedEmitter(ProgramEmitter):
    """Writes a program that measures the time of its steps."""

    def __init__(self, function: Function, memory: MemoryLayout, target: Target) -> None:
        super().__init__(function, memory)
        self.target = target
        self.steps: list[tuple[int, ScheduledStep]] = []  # in the order of their rows, with their depth
        self._around: list[int] = []  # the rows of the steps that are being written
        with function.when(self.first):
            function.store(emit_ticks(function, target), self._times, 8)

    def enter(self, function: Function) -> None:
        super().enter(function)
        self._times = self._word(CLOCKS, "ptr")

    def emit_step(self, step: ScheduledStep) -> None:
        self._around.append(len(self.steps))
        self.steps.append((len(self._around) - 1, step))
        super().emit_step(step)
        self._lap(self._around.pop(), SPENT, calls=1)

    def barrier(self) -> None:
        super().barrier()
        self._lap(self._around[-1], WAITED)

    def _lap(self, row: int, column: int, calls: int = 0) -> None:
        """Add the time since thread 0 last read the clock to that column of that row of the table."""
        f = self.f
        with f.when(self.first):
            now = emit_ticks(f, self.target)
            passed = f.op("sub", now, f.load("i64", self._times, 8))
            f.store(now, self._times, 8)
            self._add(FIRST_ROW + row * ROW_WORDS + column, passed)
            if calls:
                self._add(FIRST_ROW + row * ROW_WORDS + CALLS, f.index(calls))

    def _add(self, word: int, more: Value) -> None:
        pointer = self.f.offset(self._times, word, "i64")
        self.f.store(self.f.op("add", self.f.load("i64", pointer, 8), more), pointer, 8)


class TimedProgram(NativeProgram):
    """A program that is run to be measured."""

    def compile(self, graph: Graph) -> Compiled:
        """Compile the graph, never from the cache, whose programs measure nothing."""
        target = processor()
        lowered = lower_with(functools.partial(TimedEmitter, target=target), prepare(graph, target), target,
                             self.renewed)
        self.steps = lowered.emitter.steps
        self.table = np.zeros(FIRST_ROW + ROW_WORDS * max(len(self.steps), 1), np.int64)
        self.seconds = 0.0
        return as_compiled(lowered, target)

    def _is_small(self) -> bool:
        return False  # all runs go through `_run`

    def _run(self, memory: ProgramMemory) -> None:
        memory.words[CLOCKS] = self.table.ctypes.data
        self.table[:] = 0
        before = time.perf_counter()
        super()._run(memory)
        self.seconds = time.perf_counter() - before


def as_compiled(lowered: Lowered[Any], target: Target) -> Compiled:
    """The program as object code, which is not kept in the cache."""
    return Compiled(object_code(lowered.text, target), lowered.constants, lowered.callbacks, lowered.renewed,
                    lowered.memory.size, lowered.scratch, lowered.is_shared, lowered.kernels, lowered.lines)


class Timing(NamedTuple):
    """A step as it was measured, per run of the whole."""

    depth: int
    work: Work  # of one call
    calls: int
    seconds: float  # of thread 0, without waiting and without the steps inside
    waited: float  # seconds at the barriers in front of it; of a loop or a branch, also at the end of its parts


class Timings(NamedTuple):
    """All steps, and what they do not account for: calling the other threads, and what happens in Python."""

    steps: list[Timing]
    around: float  # seconds from the call of the program to its return, without the steps
    python: float  # seconds
    threads: int
    runs: int


class Samples(NamedTuple):
    """Runs of a program that measures itself."""

    tables: np.ndarray  # of each run, in ticks and calls
    inside: np.ndarray  # seconds from the call of the program to its return
    python: float  # median of the seconds before and after that

    @property
    def words(self) -> np.ndarray:
        """The table of medians."""
        return np.median(self.tables, axis=0)


def sample(program: TimedProgram, call: Callable[[], object], seconds: float) -> Samples:
    """Calls of `call`, which runs the program once, for about so many seconds."""
    call()
    tables: list[np.ndarray] = []
    inside: list[float] = []
    whole: list[float] = []
    end = time.perf_counter() + seconds
    while len(whole) < 3 or time.perf_counter() < end:
        before = time.perf_counter()
        call()
        whole.append(time.perf_counter() - before)
        tables.append(program.table.copy())
        inside.append(program.seconds)
    return Samples(np.stack(tables), np.array(inside), max(float(np.median(whole) - np.median(inside)), 0.0))


def measure(program: TimedProgram, call: Callable[[], object], seconds: float) -> Timings:
    """The steps of a program as `sample` finds them."""
    samples = sample(program, call, seconds)
    rows = samples.words[FIRST_ROW:].reshape(-1, ROW_WORDS)
    steps = [Timing(depth, work(step), round(row[CALLS]), row[SPENT] * tick_seconds(), row[WAITED] * tick_seconds())
             for (depth, step), row in zip(program.steps, rows, strict=False)]
    in_steps = samples.tables[:, FIRST_ROW:].reshape(len(samples.tables), -1, ROW_WORDS)[..., [SPENT, WAITED]]
    around = np.median(samples.inside - in_steps.sum(axis=(1, 2)) * tick_seconds())  # of a run: medians add up to less
    return Timings(steps, max(float(around), 0.0), samples.python,
                   helpful_threads() if program.compiled.is_shared else 1, len(samples.tables))
