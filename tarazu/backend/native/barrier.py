"""Native code by which threads wait for each other: the barrier of a program, and the crew of helpers that run it.

All of it works on int64 words that Python lays out. What different threads write lies 128 bytes apart: processors fetch
lines of 64 bytes in pairs. An event is two words: how often it happened, and how many threads sleep until it happens.
"""

from __future__ import annotations

from collections.abc import Callable

from tarazu.backend.native.llvm_text import Function, Module, Value
from tarazu.backend.native.sleep import emit_sleep, emit_wake, let_others_run, pause
from tarazu.backend.native.target import Target

APART = 16  # words between what different threads write

# The control block of a program: the words in front of what its generator adds from BLOCK_WORDS on
THREADS = 0  # of this run
ARRIVED = APART  # threads that wait at the barrier
OPENED = 2 * APART  # event: the barrier opens
BLOCK_WORDS = 3 * APART

# The crew: what its threads share, then the event that a thread is called, for each
PROGRAM, SHARED = 0, 1  # the function to run and its control block
FINISHED = APART  # event: a helper is done with it
CALLED = 2 * APART

SPINS = 64  # looks between two calls of the scheduler: many more cost dearly when threads outnumber cores
ROUNDS = 24  # of spins before a thread goes to sleep, some 50 us: then the system may give its core to those it waits for

_ONE, _NULL = Value("1", "i64"), Value("null", "ptr")


def crew_words(threads: int) -> int:
    """The size of a crew's block."""
    return CALLED + APART * threads


def emit_barrier(module: Module, target: Target) -> str:
    """Add `void barrier(ptr shared)` to `module` and return its name.

    It returns when each of the `shared[THREADS]` threads has called it. What they wrote before is then seen by all.
    """
    f = module.function("barrier", [("ptr", "shared")], attributes="noinline")
    shared = f.parameters["shared"]
    threads = f.load("i64", shared, 8)
    with f.when(f.compare("icmp ne", threads, _ONE)):
        arrived, opened = f.offset(shared, ARRIVED, "i64"), f.offset(shared, OPENED, "i64")
        times = _times(f, opened)
        before = f.emit("i64", f"atomicrmw add ptr {arrived.text}, i64 1 acq_rel")
        last = f.compare("icmp eq", f.index(f.add(before, 1)), threads)
        with f.when(last):
            f.do(f"store atomic i64 0, ptr {arrived.text} monotonic, align 8")
            _happen(f, target, opened)
        with f.when(f.op("xor", last, Value("true", "i1"))):
            _await(f, target, opened, times)
    f.ret()
    return f.name


def emit_crew(module: Module, target: Target) -> None:
    """Add `void launch(ptr crew, ptr program, ptr shared, i64 threads)` and `void helper(ptr crew, i64 thread)`.

    A helper waits for calls until the program is null. `launch` calls helpers 1 to threads - 1, runs the program as
    thread 0 and returns when all are done.
    """
    _emit_launch(module, target)
    _emit_helper(module, target)


def _emit_launch(module: Module, target: Target) -> None:
    f = module.function("launch", [("ptr", "crew"), ("ptr", "program"), ("ptr", "shared"), ("i64", "threads")],
                        linkage="external")
    crew, program, shared, threads = f.parameters.values()
    f.store(threads, shared, 8)
    f.store(program, f.offset(crew, PROGRAM, "i64"), 8)
    f.store(shared, f.offset(crew, SHARED, "i64"), 8)
    finished = f.offset(crew, FINISHED, "i64")
    all_done = f.index(f.add(_times(f, finished), f.subtract(threads, 1)))
    with f.loop(1, threads) as loop:
        _happen(f, target, _called(f, crew, f.index(loop.index)))
    with f.when(f.compare("icmp ne", program, _NULL)):
        f.do(f"call void {program.text}(ptr {shared.text}, i64 0)")
    _await(f, target, finished, until=all_done)
    f.ret()


def _emit_helper(module: Module, target: Target) -> None:
    f = module.function("helper", [("ptr", "crew"), ("i64", "thread")], linkage="external")
    crew, thread = f.parameters.values()
    called, finished = _called(f, crew, thread), f.offset(crew, FINISHED, "i64")
    idle, end, calls = f.label("idle"), f.label("end"), Value(f.fresh(), "i64")
    f.do(f"br label %{idle}")
    f.start(idle)
    place = len(f.lines)
    _await(f, target, called, calls)
    following = f.index(f.add(calls, 1))
    program = f.load("ptr", f.offset(crew, PROGRAM, "i64"), 8)
    shared = f.load("ptr", f.offset(crew, SHARED, "i64"), 8)
    work = f.compare("icmp ne", program, _NULL)
    with f.when(work):
        f.do(f"call void {program.text}(ptr {shared.text}, i64 {thread.text})")
    _happen(f, target, finished)
    f.lines.insert(place, f"  {calls.text} = phi i64 [ 0, %entry ], [ {following.text}, %{f.block} ]")
    f.do(f"br i1 {work.text}, label %{idle}, label %{end}")
    f.start(end)
    f.ret()


def _called(f: Function, crew: Value, thread: Value) -> Value:
    return f.offset(crew, f.add(f.multiply(thread, APART), CALLED), "i64")


# Events. A thread counts itself among the sleepers and then looks whether it should sleep; who lets the event happen counts
# it and then looks for sleepers. All four are seq_cst: so one of the two sees the other, and no event is slept through.


def _times(f: Function, event: Value) -> Value:
    """How often the event has happened."""
    return f.emit("i64", f"load atomic i64, ptr {event.text} seq_cst, align 8")


def _happen(f: Function, target: Target, event: Value) -> None:
    """Let the event happen once more."""
    f.emit("i64", f"atomicrmw add ptr {event.text}, i64 1 seq_cst")
    with f.when(f.compare("icmp ne", _times(f, f.offset(event, 1, "i64")), f.index(0))):
        emit_wake(f, target, event)


def _await(f: Function, target: Target, event: Value, times: Value | None = None, *,
           until: Value | None = None) -> None:
    """Wait while the event has happened `times`, or until it has happened `until` times: at first awake, then asleep."""
    def over(found: Value) -> Value:
        return f.compare("icmp ne", found, times) if times else f.compare("icmp eq", found, until)

    _look(f, target, lambda: over(_times(f, event)))
    sleepers, check, sleep = f.offset(event, 1, "i64"), f.label("check"), f.label("sleep")
    with f.when(f.op("xor", over(_times(f, event)), Value("true", "i1"))):
        f.emit("i64", f"atomicrmw add ptr {sleepers.text}, i64 1 seq_cst")
        f.do(f"br label %{check}")
        f.start(check)
        awake, found = f.label("awake"), _times(f, event)
        f.do(f"br i1 {over(found).text}, label %{awake}, label %{sleep}")
        f.start(sleep)
        emit_sleep(f, target, event, found)
        f.do(f"br label %{check}")
        f.start(awake)
        f.emit("i64", f"atomicrmw sub ptr {sleepers.text}, i64 1 seq_cst")


def _look(f: Function, target: Target, over: Callable[[], Value]) -> None:
    """Look whether the waiting is over, ROUNDS times SPINS times, and let other threads run in between."""
    look, again, lend, done = (f.label(hint) for hint in ("look", "again", "lend", "done"))
    before, turn, following = f.block, Value(f.fresh(), "i64"), Value(f.fresh(), "i64")
    f.do(f"br label %{look}")
    f.start(look)
    f.do(f"{turn.text} = phi i64 [ 0, %{before} ], [ {following.text}, %{again} ], [ {following.text}, %{lend} ]")
    f.do(f"{following.text} = add i64 {turn.text}, 1")
    enough = f.op("or", over(), f.compare("icmp uge", turn, f.index(ROUNDS * SPINS)))
    f.do(f"br i1 {enough.text}, label %{done}, label %{again}")
    f.start(again)
    pause(f, target)
    long = f.compare("icmp eq", f.index(f.remainder(following, SPINS)), f.index(0))
    f.do(f"br i1 {long.text}, label %{lend}, label %{look}")
    f.start(lend)
    let_others_run(f, target)
    f.do(f"br label %{look}")
    f.start(done)
