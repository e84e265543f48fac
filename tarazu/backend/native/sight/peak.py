"""What the machine can do at best, measured by two small programs: products in registers, and copying memory."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tarazu.backend.native import barrier
from tarazu.backend.native.assemble import Loaded, object_code
from tarazu.backend.native.llvm_text import Function, Module, Value, constant, vector
from tarazu.backend.native.target import Target, host
from tarazu.backend.native.threads import run

SUMS = 12  # vectors that are added to at the same time: as many as hide the latency, and fit 16 registers
TURNS = 400_000
COPIED = 64 * 2**20  # bytes: more than caches hold
TIMES = 5
_FIRST = barrier.BLOCK_WORDS  # words of the control block: results of the products; source and target of the copy
_RESULTS, _SOURCE, _TARGET, _WORDS = _FIRST, _FIRST, _FIRST + 1, _FIRST + barrier.APART


class Peak(NamedTuple):
    """The best rates of so many threads together."""

    threads: int
    gflops: float  # of float32: 10^9 multiplications and additions per second
    gigabytes: float  # 10^9 bytes per second read and written, in memory that no cache holds


@functools.cache
def peak(threads: int) -> Peak:
    """Measured once in a process."""
    target = host()
    code = Loaded(object_code(peak_text(target), target))
    best, took_part = _best(code.address("products"), threads, ())
    products = 2 * target.lanes * SUMS * TURNS * took_part / best / 1e9
    room = [np.ones(COPIED // 8), np.zeros(COPIED // 8)]
    best, _ = _best(code.address("copying"), threads, [array.ctypes.data for array in room])
    return Peak(threads, products, 2 * COPIED / best / 1e9)


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
    with f.loop(0, TURNS, carried=[constant(type_, i) for i in range(SUMS)]) as loop:
        loop.next = [f.intrinsic("fmuladd", value, factor, factor) for value in loop.values]
    total = loop.results[0]
    for value in loop.results[1:]:
        total = f.op("fadd", total, value)
    with f.when(f.compare("icmp eq", f.parameters["thread"], Value("0", "i64"))):
        f.store(total, f.offset(f.parameters["shared"], _RESULTS, "i64"), 4)


def _copying(f: Function, target: Target) -> None:
    source, goal = (f.load("ptr", f.offset(f.parameters["shared"], word, "i64"), 8) for word in (_SOURCE, _TARGET))
    threads = f.load("i64", f.offset(f.parameters["shared"], barrier.THREADS, "i64"), 8)
    line = 4 * target.vector_bytes
    begin, end = (f.divide(f.multiply(place, COPIED // line), threads)
                  for place in (f.parameters["thread"], f.add(f.parameters["thread"], 1)))
    with f.loop(begin, end) as loop:
        place = f.multiply(loop.index, line)
        for i in range(4):
            at = f.add(place, i * target.vector_bytes)
            f.store(f.load(vector("float", target.lanes), f.offset(source, at), 4), f.offset(goal, at), 4)


def _best(address: int, threads: int, words: Sequence[int]) -> tuple[float, int]:
    """The shortest time of some runs, in seconds, and how many threads took part."""
    block = np.zeros(_WORDS + barrier.APART, np.int64)
    start = -block.ctypes.data % (8 * barrier.APART) // 8
    block[start + _FIRST:start + _FIRST + len(words)] = words
    found = []
    for _ in range(TIMES):
        before = time.perf_counter()
        took_part = run(address, block[start:].ctypes.data, threads)
        found.append((time.perf_counter() - before, took_part))
    return min(found, key=lambda one: one[0] / one[1])
