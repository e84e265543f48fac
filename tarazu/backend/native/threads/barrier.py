"""Native code by which threads wait for each other: the barrier of a program, and the thread pool that runs it.

The barrier counts arrivals at one place (centralized: Mellor-Crummey and Scott, "Algorithms for Scalable
Synchronization on Shared-Memory Multiprocessors", 1991). A thread that waits looks for a while, then it sleeps.

All of it works on int64 words that Python lays out. What different threads write lies 128 bytes apart: processors fetch
lines of 64 bytes in pairs. An event is two words: how often it happened, and how many threads sleep until it happens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tarazu.backend.native.llvm.function import Function, Module, phi
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import NULL, Value, constant
from tarazu.backend.native.threads.sleep import emit_sleep, emit_wake, pause

APART = 16  # words between what different threads write

# The control block of a program: the words in front of those that the program adds from BLOCK_WORDS on
THREADS = 0  # of this run
MOST_SPINS = 1  # how often at most a thread looks before it sleeps: MANY_SPINS; FEW_SPINS with more threads than cores
SPINS = 2  # how often it looks now: FEW_SPINS after a wait that looking did not end, then more and more
LOOKS = 3  # how often thread 0 has looked in this run, in waits of more than SHORT_WAIT looks
ARRIVED = APART  # threads that wait at the barrier
OPENED = 2 * APART  # event: the barrier opens
BLOCK_WORDS = 3 * APART

# The block of the pool: what its threads share, then for each the event that it is called
PROGRAM, SHARED, IDLE_SPINS = 0, 1, 2  # the function to run, its control block, how often to look for the next call
FINISHED = APART  # event: a helper is done with it
CALLED = 2 * APART

# A thousand looks take some 50 us. The host of a virtual machine gives the core of a thread that sleeps to others, and
# takes longer than that to give it back: who waits for it falls asleep meanwhile, and so on from barrier to barrier.
MANY_SPINS, FEW_SPINS = 40_000, 20
IDLE_LOOKS = 10_000  # of a helper between programs, which outlast what Python does between two steps
SHORT_WAIT = 1_000  # looks: longer waits are no part of a program's own work
MORE_SPINS = 200  # after each wait that looking ended: where others use the cores for some milliseconds at a time, a
# thread comes to look for a part of that only
TRY_AGAIN = 4  # one wait in so many is long all the same: threads that only ever sleep are left on one core by Linux


def pool_words(threads: int) -> int:
    """The size of the block of a pool."""
    return CALLED + APART * threads


def emit_barrier(module: Module, target: Target) -> str:
    """Add `void barrier(ptr shared, i64 thread)` to `module` and return its name.

    It returns when each of the `shared[THREADS]` threads has called it. What they wrote before is then seen by all.
    """
    emit_sleep(module, target)
    emit_wake(module, target)
    f = module.function("barrier", [("ptr", "shared"), ("i64", "thread")], attributes="noinline")
    shared, thread = f.parameters.values()
    threads = f.load("i64", shared, 8)
    with f.when(f.compare("icmp ne", threads, f.index(1))):
        arrived, opened = f.offset(shared, ARRIVED, "i64"), f.offset(shared, OPENED, "i64")
        count = _count(f, opened)
        before = f.emit("i64", f"atomicrmw add ptr {arrived.text}, i64 1 acq_rel")
        last = f.compare("icmp eq", f.index(f.add(before, 1)), threads)
        with f.when(last):
            f.do(f"store atomic i64 0, ptr {arrived.text} monotonic, align 8")
            _signal(f, opened)
        with f.when(f.invert(last)):
            _wait_at_barrier(f, target, shared, thread, count)
    f.ret()
    return f.name


def emit_pool(module: Module, target: Target) -> None:
    """Add `void launch(ptr pool, ptr program, ptr shared)`, `void helper(ptr pool, i64 thread)` and
    `void look(ptr word, i64 spins)`.

    A helper waits for calls until the program is null. `launch` calls the helpers 1 to `shared[THREADS]` - 1, runs the
    program as thread 0 and returns when all are done. `look` looks so often at a word, which nobody changes.
    """
    emit_sleep(module, target)
    emit_wake(module, target)
    _emit_launch(module, target)
    _emit_helper(module, target)
    _emit_look(module, target)


def _emit_launch(module: Module, target: Target) -> None:
    f = module.function("launch", [("ptr", "pool"), ("ptr", "program"), ("ptr", "shared")], linkage="external")
    pool, program, shared = f.parameters.values()
    threads, spins = f.load("i64", f.offset(shared, THREADS, "i64"), 8), _load_word(f, shared, MOST_SPINS)
    _store_word(f, pool, IDLE_SPINS, f.index(f.minimum(spins, IDLE_LOOKS)))
    f.store(program, f.offset(pool, PROGRAM, "i64"), 8)
    f.store(shared, f.offset(pool, SHARED, "i64"), 8)
    finished = f.offset(pool, FINISHED, "i64")
    all_done = f.index(f.add(_count(f, finished), f.subtract(threads, 1)))
    with f.loop(1, threads) as loop:
        _signal(f, _called(f, pool, f.index(loop.index)))
    with f.when(f.compare("icmp ne", program, NULL)):
        f.do(f"call void {program.text}(ptr {shared.text}, i64 0)")
    _note(f, shared, _wait(f, target, spins, finished, "eq", all_done).looks, constant("i1", True))
    f.ret()


def _emit_look(module: Module, target: Target) -> None:
    f = module.function("look", [("ptr", "word"), ("i64", "spins")], linkage="external")
    word, spins = f.parameters.values()
    _spin(f, target, spins, lambda: f.compare("icmp ne", _count(f, word), f.index(0)))
    f.ret()


def _emit_helper(module: Module, target: Target) -> None:
    f = module.function("helper", [("ptr", "pool"), ("i64", "thread")], linkage="external")
    pool, thread = f.parameters.values()
    called, finished = _called(f, pool, thread), f.offset(pool, FINISHED, "i64")
    idle, end, calls = f.label("idle"), f.label("end"), Value(f.fresh(), "i64")
    f.do(f"br label %{idle}")
    f.start(idle)
    top = len(f.lines)
    _wait(f, target, _load_word(f, pool, IDLE_SPINS), called, "ne", calls)
    following = f.index(f.add(calls, 1))
    program = f.load("ptr", f.offset(pool, PROGRAM, "i64"), 8)
    shared = f.load("ptr", f.offset(pool, SHARED, "i64"), 8)
    has_work = f.compare("icmp ne", program, NULL)
    with f.when(has_work):
        f.do(f"call void {program.text}(ptr {shared.text}, i64 {thread.text})")
    _signal(f, finished)
    f.lines.insert(top, f"  {calls.text} = {phi((f.index(0), 'entry'), (following, f.block))}")
    f.do(f"br i1 {has_work.text}, label %{idle}, label %{end}")
    f.start(end)
    f.ret()


def _called(f: Function, pool: Value, thread: Value) -> Value:
    """The pointer to the event by which helper number `thread` is called."""
    return f.offset(pool, f.add(f.multiply(thread, APART), CALLED), "i64")


def _load_word(f: Function, block: Value, word: int) -> Value:
    """Load a word that another thread may be changing; the caller can use the old number as well as the new one."""
    return f.emit("i64", f"load atomic i64, ptr {f.offset(block, word, 'i64').text} monotonic, align 8")


def _store_word(f: Function, block: Value, word: int, value: Value) -> None:
    f.do(f"store atomic i64 {value.text}, ptr {f.offset(block, word, 'i64').text} monotonic, align 8")


def _wait_at_barrier(f: Function, target: Target, shared: Value, thread: Value, count: Value) -> None:
    """Wait for the barrier to open, which it has done `count` times before.

    Where the last wait ended asleep, other processes hold the cores of threads that are waited for, and those
    go on the sooner the earlier this thread gives up its own: it then sleeps after FEW_SPINS looks.
    """
    most, now = _load_word(f, shared, MOST_SPINS), _load_word(f, shared, SPINS)
    trial = f.compare("icmp eq", f.index(f.remainder(count, TRY_AGAIN)), f.index(0))
    longer = f.index(f.minimum(most, f.maximum(now, SHORT_WAIT)))
    wait = _wait(f, target, f.select(trial, longer, now), f.offset(shared, OPENED, "i64"), "ne", count)
    _note(f, shared, wait.looks, f.compare("icmp eq", thread, f.index(0)))
    more = f.index(f.minimum(most, f.add(longer, MORE_SPINS)))
    learned = f.select(wait.in_vain, f.index(FEW_SPINS), more)
    with f.when(f.compare("icmp ne", learned, now)):
        _store_word(f, shared, SPINS, learned)


def _note(f: Function, shared: Value, looks: Value, is_first: Value) -> None:
    """Count the looks of a long wait of thread 0."""
    with f.when(f.op("and", is_first, f.compare("icmp ugt", looks, f.index(SHORT_WAIT)))):
        _store_word(f, shared, LOOKS, f.index(f.add(_load_word(f, shared, LOOKS), looks)))


# Events. A thread counts itself among the sleepers and then looks whether it should sleep; one that lets the event
# happen counts it and then looks for sleepers. All four are seq_cst: one of the two sees the other, so no thread sleeps
# through an event.


def _count(f: Function, event: Value) -> Value:
    """How often the event has happened."""
    return f.emit("i64", f"load atomic i64, ptr {event.text} seq_cst, align 8")


def _signal(f: Function, event: Value) -> None:
    """Let the event happen once more."""
    f.emit("i64", f"atomicrmw add ptr {event.text}, i64 1 seq_cst")
    with f.when(f.compare("icmp ne", _count(f, f.offset(event, 1, "i64")), f.index(0))):
        f.call("void", "wake_all", event)


class _Wait(NamedTuple):
    """What a wait took: how many looks, and whether they were in vain (an i1), so that the thread slept."""

    looks: Value
    in_vain: Value


def _wait(f: Function, target: Target, spins: Value, event: Value, relation: str, number: Value) -> _Wait:
    """Wait until the count of the event is in the relation `eq` or `ne` to `number`: awake for so many looks, then
    asleep."""
    def is_over(count: Value) -> Value:
        return f.compare(f"icmp {relation}", count, number)

    looks = _spin(f, target, spins, lambda: is_over(_count(f, event)))
    in_vain = f.invert(is_over(_count(f, event)))
    with f.when(in_vain):
        sleepers = f.offset(event, 1, "i64")
        check, sleep, awake = (f.label(hint) for hint in ("check", "sleep", "awake"))
        f.emit("i64", f"atomicrmw add ptr {sleepers.text}, i64 1 seq_cst")
        f.do(f"br label %{check}")
        f.start(check)
        count = _count(f, event)
        f.do(f"br i1 {is_over(count).text}, label %{awake}, label %{sleep}")
        f.start(sleep)
        f.call("void", "sleep_while", event, count)
        f.do(f"br label %{check}")
        f.start(awake)
        f.emit("i64", f"atomicrmw sub ptr {sleepers.text}, i64 1 seq_cst")
    return _Wait(looks, in_vain)


def _spin(f: Function, target: Target, spins: Value, is_over: Callable[[], Value]) -> Value:
    """Look up to `spins` times whether the waiting is over; gives how often it was not."""
    look, again, done = (f.label(hint) for hint in ("look", "again", "done"))
    before, looks, following = f.block, Value(f.fresh(), "i64"), Value(f.fresh(), "i64")
    f.do(f"br label %{look}")
    f.start(look)
    f.do(f"{looks.text} = {phi((f.index(0), before), (following, again))}")
    enough = f.op("or", is_over(), f.compare("icmp uge", looks, spins))
    f.do(f"br i1 {enough.text}, label %{done}, label %{again}")
    f.start(again)
    pause(f, target)
    f.do(f"{following.text} = add i64 {looks.text}, 1")
    f.do(f"br label %{look}")
    f.start(done)
    return looks
