"""Programs for many cores, simulated on one: `tz.profile(step, ..., threads=64)`.

The program is divided as it would be for so many threads. One thread does all shares of every kernel, one after the
other, and measures each; helpers for which there are cores are called, and only note when they come. `simulated` then
lets each thread have a clock: a share moves the clock of its thread, a barrier all clocks to the last one. So kernels
that are cut unevenly, copies that each thread makes for itself, steps that thread 0 does alone, barriers, helpers that
have to be woken, and data that one thread wrote and another one reads count as they do on many cores. What does not is
that the second levels of all cores hold more than that of one.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tarazu.backend.base import Renewed
from tarazu.backend.native.compiler import Compiled, lower_with
from tarazu.backend.native.inspect.handed_over import NOTHING, Handed, handed_over
from tarazu.backend.native.inspect.machine import Machine, machine
from tarazu.backend.native.inspect.ticks import emit_ticks, tick_seconds
from tarazu.backend.native.inspect.timed import TimedProgram, Timing, Timings, as_compiled, sample
from tarazu.backend.native.inspect.work import Work, work
from tarazu.backend.native.kernels.contraction_choice import SHARED_CACHE
from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import Index
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.backend.native.lowering.steps import CONTROL_FLOW
from tarazu.backend.native.program import Evaluate, processor
from tarazu.backend.native.schedule.emit import CLOCKS, MemoryLayout, ProgramEmitter
from tarazu.backend.native.schedule.runs import ScheduledStep
from tarazu.backend.native.threads.thread_count import cores
from tarazu.ir.graph import Graph

CORES_OF_CACHE = 8  # that share a third level of SHARED_CACHE bytes
# Words of the table: when the clock was read last, when it was first, when a helper came; then those of the events
LAST, START, CAME, FIRST = range(4)


class Event(NamedTuple):
    """A step or a barrier (None) of a program, with its words: how often it came, then the ticks of each share."""

    step: ScheduledStep | None
    depth: int
    word: int
    words: int


class SharesEmitter(ProgramEmitter):
    """Writes a program in which one thread does the shares of all, and measures each."""

    def __init__(self, function: Function, memory: MemoryLayout, target: Target) -> None:
        super().__init__(function, memory)
        self.target = target
        self.events: list[Event] = []
        self._around: list[ScheduledStep] = []  # the steps that are being written
        self._send_helpers_back()
        start = emit_ticks(function, target)
        for word in (LAST, START):
            function.store(start, function.offset(self._times, word, "i64"), 8)

    def _send_helpers_back(self) -> None:
        f, helper, first = self.f, self.f.label("helper"), self.f.label("first")
        f.do(f"br i1 {self.first.text}, label %{first}, label %{helper}")
        f.start(helper)
        f.store(emit_ticks(f, self.target), f.offset(self._times, CAME, "i64"), 8)
        f.ret()
        f.start(first)

    def enter(self, function: Function) -> None:
        super().enter(function)
        self._times = self._word(CLOCKS, "ptr")

    @property
    def words(self) -> int:
        """The size of the table so far."""
        return self.events[-1].word + self.events[-1].words if self.events else FIRST

    def emit_step(self, step: ScheduledStep) -> None:
        self._around.append(step)
        if isinstance(step, CONTROL_FLOW):
            self._note(step, 1)
            super().emit_step(step)
        else:
            super().emit_step(step)
            if not self.events or self.events[-1].step is not step:  # nobody shares it
                self._lap(self._note(step, 2) + 1)
        self._around.pop()

    @contextlib.contextmanager
    def sharing(self, items: int) -> Iterator[tuple[Index, Index]]:
        word = self._note(self._around[-1], 1 + self.target.threads) + 1
        own = self.thread, self.threads
        with self.f.loop(0, self.target.threads) as turn:
            self.thread, self.threads = self.f.index(turn.index), self.f.index(self.target.threads)
            with super().sharing(items) as share:
                yield share
            self._lap(self.f.add(turn.index, word))
        self.thread, self.threads = own

    def barrier(self) -> None:
        self._note(None, 1)
        super().barrier()

    def _wait(self) -> None:
        """Nothing: there is one thread."""

    def barrier_unless(self, items: int) -> None:
        if items % self.target.threads:
            self._note(None, 1)

    def _note(self, step: ScheduledStep | None, words: int) -> int:
        """Note an event, and count it when it comes; gives its first word."""
        word = self.words
        self.events.append(Event(step, len(self._around) - 1, word, words))
        self._add(word, self.f.index(1))
        return word

    def _lap(self, word: Index) -> None:
        """Add the time since the clock was last read to a word."""
        f = self.f
        now = emit_ticks(f, self.target)
        self._add(word, f.op("sub", now, f.load("i64", self._times, 8)))
        f.store(now, self._times, 8)

    def _add(self, word: Index, more: Index) -> None:
        pointer = self.f.offset(self._times, word, "i64")
        self.f.store(self.f.index(self.f.add(self.f.load("i64", pointer, 8), more)), pointer, 8)


class PlannedProgram(TimedProgram):
    """A program for a machine of so many cores, which one thread runs."""

    def __init__(self, graph: Graph, evaluate: Evaluate, threads: int, renewed: Renewed = ()) -> None:
        self.planned = threads
        super().__init__(graph, evaluate, renewed)

    def compile(self, graph: Graph) -> Compiled:
        target = processor()._replace(threads=self.planned)
        lowered = lower_with(functools.partial(SharesEmitter, target=target), prepare(graph, target), target,
                             self.renewed)
        self.events, self.is_shared = lowered.emitter.events, lowered.is_shared
        self.handed = handed_over(lowered.steps, self.planned)
        self.table, self.seconds = np.zeros(lowered.emitter.words, np.int64), 0.0
        buffers = [*graph.input_types, *graph.output_types, *[node.type for node in lowered.constants]]
        self.memory = lowered.memory.size + sum(type_.size * type_.dtype.itemsize for type_ in buffers)
        return as_compiled(lowered, target)

    def _threads(self) -> int:
        return min(self.planned, cores())


class Moment(NamedTuple):
    """A step as it was measured, or a barrier, which has no work."""

    depth: int
    work: Work | None
    calls: int = 1
    shares: Sequence[float] | np.ndarray = ()  # seconds of each thread's share; one where thread 0 does all
    handed: Handed = NOTHING  # bytes in each call that other threads wrote


def predict(program: PlannedProgram, call: Callable[[], object], seconds: float) -> Timings:
    """The timings of `call` on as many cores as the program is for, by measuring for about so many seconds."""
    samples = sample(program, call, seconds)
    words, ticks = samples.words, tick_seconds()
    moments = [Moment(event.depth, None if event.step is None else work(event.step), round(words[event.word]),
                      words[event.word + 1:event.word + event.words] * ticks,
                      program.handed.get(id(event.step), NOTHING)) for event in program.events]
    many = machine(program.planned if program.is_shared else 1, samples.python)
    late = max(float(words[CAME] - words[START]), 0.0) * ticks
    steps, left = simulated(moments, many, program.memory > SHARED_CACHE * -(-many.threads // CORES_OF_CACHE), late)
    measured = sum(float(np.sum(moment.shares)) for moment in moments)
    around = max(float(np.median(samples.inside)) - measured, 0.0) + many.start + left
    return Timings(steps, around, samples.python, many.threads, len(samples.tables))


def simulated(moments: Sequence[Moment], many: Machine, in_memory: bool, late: float = 0.0
              ) -> tuple[list[Timing], float]:
    """What thread 0 does and how long it waits; and for how long the others go on after it.

    `in_memory` says that the data of the whole program lie in memory that no cache holds, `late` how many seconds after
    thread 0 the others begin.
    """
    clocks, waited, steps = np.full(many.threads, float(late)), 0.0, []
    clocks[0] = 0
    for moment in moments:
        if moment.work is None:
            waited += float(clocks.max() - clocks[0]) + moment.calls * many.barrier
            clocks[:] = 0
            continue
        spent = _spent(moment, moment.work, many, in_memory)
        clocks += spent
        steps.append(Timing(moment.depth, moment.work, moment.calls, float(spent[0]), waited))
        waited = 0.0
    return steps, waited + float(clocks.max() - clocks[0])


def _spent(moment: Moment, done: Work, many: Machine, in_memory: bool) -> np.ndarray:
    """The seconds of each thread in a step: more than alone where they compute slower beside each other, or wait for
    memory."""
    spent = np.zeros(many.threads)
    if not done.is_shared or many.threads == 1:
        spent[0] = float(np.sum(moment.shares)) + moment.handed.first * moment.calls * many.handover
        return spent
    spent[:] = moment.shares
    busiest = float(spent.max())
    moved = min((done.read + done.written) * moment.calls, float(spent.sum()) * many.copying_alone) * in_memory
    if busiest:
        spent *= max(1 / many.pace, moved / many.copying / busiest)
    handed = np.full(many.threads, moment.handed.others)
    handed[0] = moment.handed.first
    return spent + handed * (spent > 0) * moment.calls * many.handover
