"""What a machine of so many cores costs beyond its kernels: measured as far as this one has cores, else extrapolated.

A barrier of two threads passes three cache lines from core to core: the count of arrivals, its opening and the last
look at that. Each further thread passes one more, as arrivals are counted one after the other; each further helper two
more when a run starts, to be called and to say that it is done. Helpers look for the next run for some 50 us and then
sleep: how long it takes to call one is measured after as long a pause as Python makes between runs, beside none. What
one thread writes and another reads is measured beside what one does alone.
Beyond the cores at hand memory gives what 1 / rate = a + b / threads says, by the rates of one thread and of all cores
here, and a thread computes as fast as beside those of all cores here.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from tarazu.backend.native.inspect.peak import Peak, note_ticks, peak, result_of, runs_of, word_of
from tarazu.backend.native.inspect.ticks import emit_ticks, tick_seconds
from tarazu.backend.native.llvm.assemble import Loaded, object_code
from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.target import Target, host
from tarazu.backend.native.llvm.values import constant, vector
from tarazu.backend.native.threads import barrier
from tarazu.backend.native.threads.thread_count import cores

BARRIERS = 200  # of one run
TYPICAL_BARRIER, TYPICAL_WAKE, TYPICAL_HANDOVER = 3e-7, 5e-6, 2e-10  # seconds, where one core cannot measure them
LINES = 3  # that a barrier of two threads passes
HANDED = 64 * 1024  # bytes that each thread hands over at once: more than a first level, less than a second one
TIMES = 20  # in a run
LONG_PAUSE = 1e-3  # seconds: after longer ones a start takes no longer


class Machine(NamedTuple):
    """So many cores, by what a simulation of them needs."""

    threads: int
    barrier: float  # seconds of one at which all arrive at once
    start: float  # seconds to call the helpers for which there are no cores here, and to hear that they are done
    handover: float  # seconds per byte that goes from the core that wrote it to one that reads it
    pace: float  # how fast a thread computes beside the others, as a part of its speed alone
    copying: float  # bytes per second read and written in memory by all threads
    copying_alone: float  # by one


def machine(threads: int, pause: float = 0.0) -> Machine:
    """The machine of so many cores, where Python takes so many seconds between runs.

    Measured anew each time: a virtual machine's cores are moved, and data then take several times as long between them.
    """
    here, alone, best = min(threads, cores()), peak(1).gigabytes * 1e9, peak_of(threads)
    if threads == 1:
        return Machine(1, 0.0, 0.0, 0.0, 1.0, alone, alone)
    if here > 1:
        wait, handover = _barrier(), _handover()
        wake = max(_start(min(round(pause, 5), LONG_PAUSE)) - _start(0.0), 0.0)
    else:
        wait, handover, wake = TYPICAL_BARRIER, TYPICAL_HANDOVER, TYPICAL_WAKE
    start = (threads - here) * (2 * wait / LINES + wake)
    more = (threads - 2) * wait / LINES
    pace = best.gflops / (threads * peak(1).gflops)
    return Machine(threads, wait + more, start, handover, pace, best.gigabytes * 1e9, alone)


def peak_of(threads: int) -> Peak:
    """The best rates of so many threads together."""
    here = min(threads, cores())
    each = min(peak(here).gflops / here, peak(1).gflops)
    return Peak(threads, threads * each, copying_rate(threads, here, peak(1).gigabytes, peak(here).gigabytes))


def copying_rate(threads: int, measured: int, alone: float, together: float) -> float:
    """The rate of copying of so many threads, by those of one and of `measured` threads: 1 / rate = a + b / threads."""
    if measured == 1 or threads == measured:
        return together
    slope = (1 / alone - 1 / together) / (1 - 1 / measured)
    least = max(1 / alone - slope, 0.0)
    return 1 / (least + (1 / alone - least) / threads)


@functools.cache
def _code() -> Loaded:
    return Loaded(object_code(threads_text(host()), host()))


def _barrier() -> float:
    """The least seconds of a barrier of two threads."""
    waits = min(ticks.max() for _, ticks in runs_of(_code().address("waits"), 2))
    return float(waits) * tick_seconds() / BARRIERS


def _start(pause: float) -> float:
    """The seconds that a run of two threads takes beside what they do, without those that the helper is late."""
    runs = runs_of(_code().address("nothing"), 2, pause=pause)
    return float(np.median([seconds - (ticks[1] - ticks[0]) * tick_seconds() for seconds, ticks in runs]))


def _handover() -> float:
    """The seconds per byte that two threads take longer to write some numbers and read each other's than their own."""
    room = np.zeros(2 * HANDED // 8 + HANDED)
    least = [min(ticks.max() for _, ticks in runs_of(_code().address("hands"), 2, (room.ctypes.data, other)))
             for other in (0, 1)]
    return max(float(least[1] - least[0]), 0.0) * tick_seconds() / (TIMES * HANDED)


def threads_text(target: Target) -> str:
    """The module with programs of barriers alone, of nothing but a look at the clock, and of numbers handed over."""
    module = Module()
    barrier.emit_barrier(module, target)
    for name, write in (("waits", _waits), ("nothing", _nothing), ("hands", _hands)):
        f = module.function(name, [("ptr", "shared"), ("i64", "thread")], linkage="external")
        write(f, target)
        f.ret()
    return module.text(target.attributes)


def _wait(f: Function) -> None:
    f.call("void", "barrier", *f.parameters.values())


def _waits(f: Function, target: Target) -> None:
    _wait(f)
    before = emit_ticks(f, target)  # when all have come
    with f.loop(0, BARRIERS):
        _wait(f)
    note_ticks(f, target, before)


def _nothing(f: Function, target: Target) -> None:
    note_ticks(f, target, f.index(0))


def _hands(f: Function, target: Target) -> None:
    """Each thread writes its room, and then reads that of the thread so many further."""
    room, further = f.load("ptr", word_of(f, 0), 8), f.load("i64", word_of(f, 1), 8)
    other = f.remainder(f.add(f.parameters["thread"], further), 2)
    own, read = (f.offset(room, f.multiply(thread, HANDED)) for thread in (f.parameters["thread"], other))
    type_, step = vector("float", target.lanes), target.vector_bytes
    one, zero = constant(type_, 1), constant(type_, 0)
    _wait(f)
    before = emit_ticks(f, target)
    with f.loop(0, TIMES, carried=[zero]) as times:
        with f.loop(0, HANDED, step) as loop:
            f.store(one, f.offset(own, loop.index), 4)
        _wait(f)
        with f.loop(0, HANDED, step, carried=times.values) as loop:
            loop.next = [f.op("fadd", loop.values[0], f.load(type_, f.offset(read, loop.index), 4))]
        times.next = loop.results
        _wait(f)
    note_ticks(f, target, before)
    f.store(times.results[0], result_of(f), 4)
