"""A program that finds barriers that let a thread through too early: used by tests and by the children they start."""

import functools

import numpy as np

from tarazu.backend.native.llvm.assemble import Loaded, object_code
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.threads import barrier, pool

TURNS, WRONG, SLOTS = (barrier.BLOCK_WORDS + 16 * i for i in range(3))


@functools.cache
def program():
    """For each turn: count in one's own slot; barrier; look whether all slots have the same count; barrier."""
    target, module = host(), Module()
    wait = barrier.emit_barrier(module, target)
    f = module.function("program", [("ptr", "shared"), ("i64", "thread")], linkage="external")
    shared, thread = f.parameters.values()
    count = f.load("i64", f.offset(shared, barrier.THREADS, "i64"), 8)
    turns = f.load("i64", f.offset(shared, TURNS, "i64"), 8)
    mine = f.offset(shared, f.add(thread, SLOTS), "i64")
    with f.loop(0, turns) as turn:
        f.store(f.index(f.add(f.load("i64", mine, 8), 1)), mine, 8)
        f.call("void", wait, shared, thread)
        expected = f.index(f.add(turn.index, 1))
        with f.loop(0, count) as other:
            found = f.load("i64", f.offset(shared, f.add(other.index, SLOTS), "i64"), 8)
            with f.when(f.compare("icmp ne", found, expected)):
                f.emit("i64", f"atomicrmw add ptr {f.offset(shared, WRONG, 'i64').text}, i64 1 monotonic")
        f.call("void", wait, shared, thread)
    f.ret()
    return Loaded(object_code(module.text(target.attributes), target))


def count(number: int, turns: int) -> int:
    """Run the program on `number` threads; gives how many took part, after a look at what they counted."""
    block = np.zeros(SLOTS + 64, np.int64)
    block[TURNS] = turns
    code = program()  # of this call: threads that come at the same time each make one, and the cache keeps one of them
    took_part = pool.run(code.address("program"), block.ctypes.data, number)
    assert block[WRONG] == 0, f"{block[WRONG]} slots were seen too early or too late"
    assert block[SLOTS:].tolist() == [turns] * took_part + [0] * (64 - took_part)
    return took_part


def seconds_per_barrier(number: int, turns: int) -> float:
    import time

    start = time.perf_counter()
    count(number, turns)
    return (time.perf_counter() - start) / (2 * turns)


