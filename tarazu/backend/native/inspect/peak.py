"""The peak rates of the machine, measured by two small programs: multiply-adds in registers, and copies of memory."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tarazu.backend.native.inspect.ticks import emit_ticks, tick_seconds
from tarazu.backend.native.llvm.assemble import Loaded, object_code
from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.target import Target, host
from tarazu.backend.native.llvm.values import Value, constant, vector
from tarazu.backend.native.threads import barrier
from tarazu.backend.native.threads.pool import run

SUMS = 12  # vectors that are added to at the same time: as many as hide the latency, and fit 16 registers
ITERATIONS = 50_000  # 0.2 ms or so: most runs are over before a busy system takes a core away
COPIED = 64 * 2**20  # bytes: more than caches hold
ENOUGH, LEAST = 0.1, 5  # seconds and runs
_FIRST = barrier.BLOCK_WORDS  # words of the control block: source and target of the copy; then some for each thread:
_TICKS, _RESULT = _FIRST + barrier.APART, _FIRST + barrier.APART + 8  # how long it took, and what came out


class Peak(NamedTuple):
    """The best rates of so many threads together."""

    threads: int
    gflops: float  # of float32: 10^9 multiplications and additions per second
    gigabytes: float  # 10^9 bytes per second read and written, in memory that no cache holds


@functools.cache
def peak(threads: int) -> Peak:
    """The peak rates of so many threads, measured once in a process."""
    target = host()
    code = Loaded(object_code(peak_text(target), target))
    flops = 2 * target.lanes * SUMS * ITERATIONS
    runs = runs_of(code.address("products"), threads, (0, 0))
    each = np.median([ticks for _, ticks in runs], axis=0) * tick_seconds()
    room = [np.ones(COPIED // 8), np.ones(COPIED // 8)]
    copies = runs_of(code.address("copying"), threads, [array.ctypes.data for array in room])
    best = min(seconds for seconds, _ in copies)
    return Peak(threads, float(sum(flops / each[each > 0])) / 1e9, 2 * COPIED / best / 1e9)


def peak_text(target: Target) -> str:
    """The module with both programs."""
    module = Module()
    for name, write in (("products", _products), ("copying", _copying)):
        f = module.function(name, [("ptr", "shared"), ("i64", "thread")], linkage="external")
        write(f, target)
        f.ret()
    return module.text(target.attributes)


def _products(f: Function, target: Target) -> None:
    type_ = vector("float", target.lanes)
    factor = constant(type_, 0.5)
    before = emit_ticks(f, target)
    with f.loop(0, ITERATIONS, carried=[constant(type_, i) for i in range(SUMS)]) as loop:
        loop.next = [f.intrinsic("fmuladd", value, factor, factor) for value in loop.values]
    note_ticks(f, target, before)
    total = loop.results[0]
    for value in loop.results[1:]:
        total = f.op("fadd", total, value)
    f.store(total, result_of(f), 4)


def note_ticks(f: Function, target: Target, before: Value) -> None:
    """Leave for `runs_of` how long this thread took since the clock said `before`."""
    f.store(f.op("sub", emit_ticks(f, target), before), f.offset(_own(f), _TICKS, "i64"), 8)


def result_of(f: Function) -> Value:
    """Where this thread leaves what comes out, so that it is computed."""
    return f.offset(_own(f), _RESULT, "i64")


def word_of(f: Function, number: int) -> Value:
    """Where the word of that number lies that `runs_of` was given."""
    return f.offset(f.parameters["shared"], _FIRST + number, "i64")


def _own(f: Function) -> Value:
    return f.offset(f.parameters["shared"], f.multiply(f.parameters["thread"], barrier.APART), "i64")


def _copying(f: Function, target: Target) -> None:
    source, goal = (f.load("ptr", word_of(f, number), 8) for number in range(2))
    threads = f.load("i64", f.offset(f.parameters["shared"], barrier.THREADS, "i64"), 8)
    line = 4 * target.vector_bytes
    begin, end = (f.divide(f.multiply(share, COPIED // line), threads)
                  for share in (f.parameters["thread"], f.add(f.parameters["thread"], 1)))
    with f.loop(begin, end) as loop:
        start = f.multiply(loop.index, line)
        for i in range(4):
            at = f.add(start, i * target.vector_bytes)
            f.store(f.load(vector("float", target.lanes), f.offset(source, at), 4), f.offset(goal, at), 4)


def runs_of(address: int, threads: int, words: Sequence[int] = (), pause: float = 0.0
            ) -> list[tuple[float, np.ndarray]]:
    """The seconds of some runs, and the ticks of each thread in them; the caller is busy for so long before each."""
    block = np.zeros(_TICKS + barrier.APART * (threads + 2), np.int64)
    start = -block.ctypes.data % (8 * barrier.APART) // 8
    block = block[start:]
    block[_FIRST:_FIRST + len(words)] = words
    measured: list[tuple[float, np.ndarray]] = []
    while len(measured) < LEAST or sum(seconds for seconds, _ in measured) < ENOUGH:
        end = time.perf_counter() + pause
        while (before := time.perf_counter()) < end:
            pass
        run(address, block.ctypes.data, threads)
        seconds = time.perf_counter() - before
        measured.append((seconds, block[_TICKS::barrier.APART][:threads].copy()))
    return measured
