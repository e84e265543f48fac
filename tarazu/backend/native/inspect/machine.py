"""What a machine of so many cores costs beyond its kernels: measured as far as this one has cores, else extrapolated.

A barrier of two threads passes three cache lines from core to core: the count of arrivals, its opening and the last
look at that. Each further thread passes one more, as arrivals are counted one after the other; each further helper two
more when a run starts, to be called and to say that it is done. Beyond the cores at hand memory gives what
1 / rate = a + b / threads says, by the rates of one thread and of all cores here, and a thread computes as fast as
beside those of all cores here.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from tarazu.backend.native.inspect.peak import Peak, note_ticks, peak, runs_of
from tarazu.backend.native.inspect.ticks import emit_ticks, tick_seconds
from tarazu.backend.native.llvm.assemble import Loaded, object_code
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target, host
from tarazu.backend.native.threads import barrier
from tarazu.backend.native.threads.thread_count import cores

BARRIERS = 200  # of one run
TYPICAL_BARRIER, TYPICAL_START = 3e-7, 5e-6  # seconds with two threads, where one core cannot measure them
LINES = 3  # that a barrier of two threads passes


class Machine(NamedTuple):
    """So many cores, by what a simulation of them needs."""

    threads: int
    barrier: float  # seconds of one at which all arrive at once
    start: float  # seconds to call all helpers, and to hear that they are done
    pace: float  # how fast a thread computes beside the others, as a part of its speed alone
    copying: float  # bytes per second read and written in memory by all threads
    copying_alone: float  # by one


@functools.cache
def machine(threads: int) -> Machine:
    """The machine of so many cores."""
    here = min(threads, cores())
    alone = peak(1).gigabytes * 1e9
    if threads == 1:
        return Machine(1, 0.0, 0.0, 1.0, alone, alone)
    wait, start = _barrier_and_start() if here > 1 else (TYPICAL_BARRIER, TYPICAL_START)
    more = (threads - 2) * wait / LINES
    pace = min(peak(here).gflops / (here * peak(1).gflops), 1.0)
    copying = copying_rate(threads, here, alone, peak(here).gigabytes * 1e9)
    return Machine(threads, wait + more, start + 2 * more, pace, copying, alone)


def peak_of(machine: Machine) -> Peak:
    """The best rates of all threads of a machine."""
    return Peak(machine.threads, peak(1).gflops * machine.pace * machine.threads, machine.copying / 1e9)


def copying_rate(threads: int, measured: int, alone: float, together: float) -> float:
    """The rate of copying of so many threads, by those of one and of `measured` threads: 1 / rate = a + b / threads."""
    if measured == 1 or threads == measured:
        return together
    slope = (1 / alone - 1 / together) / (1 - 1 / measured)
    least = max(1 / alone - slope, 0.0)
    return 1 / (least + (1 / alone - least) / threads)


@functools.cache
def _barrier_and_start() -> tuple[float, float]:
    """The least seconds of a barrier of two threads, and of a run that does nothing."""
    target = host()
    code = Loaded(object_code(barriers_text(target), target))
    start = min(seconds for seconds, _ in runs_of(code.address("nothing"), 2))
    waits = min(ticks.max() for _, ticks in runs_of(code.address("waits"), 2))
    return float(waits) * tick_seconds() / BARRIERS, float(start)


def barriers_text(target: Target) -> str:
    """The module with a program of barriers alone, and one that does nothing."""
    module = Module()
    barrier.emit_barrier(module, target)
    for name, count in (("waits", BARRIERS), ("nothing", 0)):
        f = module.function(name, [("ptr", "shared"), ("i64", "thread")], linkage="external")
        if count:
            wait = f"call void @barrier(ptr {f.parameters['shared'].text})"
            f.do(wait)
            before = emit_ticks(f, target)  # when all have come
            with f.loop(0, count):
                f.do(wait)
            note_ticks(f, target, before)
        f.ret()
    return module.text(target.attributes)
