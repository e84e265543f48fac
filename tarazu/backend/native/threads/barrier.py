"""Native code by which threads wait for each other: the barrier of a program, and the crew of helpers that run it.

All of it works on int64 words that Python lays out. What different threads write lies 128 bytes apart: processors fetch
lines of 64 bytes in pairs. An event is two words: how often it happened, and how many threads sleep until it happens.
"""

from __future__ import annotations

from collections.abc import Callable

from tarazu.backend.native.llvm.llvm_text import Function, Module, Value
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.threads.sleep import emit_sleep, emit_wake, pause

APART = 16  # words between what different threads write

# The control block of a program: the words in front of what its generator adds from BLOCK_WORDS on
THREADS = 0  # of this run
SPINS = 1  # how often at most a thread looks before it goes to sleep: LONG, or SHORT where cores are fewer than threads
PATIENCE = 2  # how often it looks just now, as experience teaches
ARRIVED = APART  # threads that wait at the barrier
OPENED = 2 * APART  # event: the barrier opens
BLOCK_WORDS = 3 * APART

# The crew: what its threads share, then the event that a thread is called, for each
PROGRAM, SHARED, IDLE_SPINS = 0, 1, 2  # the function to run, its control block, and what its word SPINS says
FINISHED = APART  # event: a helper is done with it
CALLED = 2 * APART

LONG, SHORT = 1000, 20  # 1000 looks take some 50 us, no less than sleeping and being woken
TRY_AGAIN = 4  # one wait in so many is long all the same: threads that only ever sleep are left on one core by Linux

_ONE, _NULL = Value("1", "i64"), Value("null", "ptr")


def crew_words(threads: int) -> int:
    """The size of a crew's block."""
    return CALLED + APART * threads


def emit_barrier(module: Module, target: Target) -> str:
    """Add `void barrier(ptr shared)` to `module` and return its name.

    It returns when each of the `shared[THREADS]` threads has called it. What they wrote before is then seen by all.
    """
    emit_sleep(module, target)
    emit_wake(module, target)
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
            _await_patiently(f, target, shared, times)
    f.ret()
    return f.name


def emit_crew(module: Module, target: Target) -> None:
    """Add `void launch(ptr crew, ptr program, ptr shared)` and `void helper(ptr crew, i64 thread)`.

    A helper waits for calls until the program is null. `launch` calls the helpers 1 to `shared[THREADS]` - 1, runs the
    program as thread 0 and returns when all are done.
    """
    emit_sleep(module, target)
    emit_wake(module, target)
    _emit_launch(module, target)
    _emit_helper(module, target)


def _emit_launch(module: Module, target: Target) -> None:
    f = module.function("launch", [("ptr", "crew"), ("ptr", "program"), ("ptr", "shared")], linkage="external")
    crew, program, shared = f.parameters.values()
    threads, spins = f.load("i64", f.offset(shared, THREADS, "i64"), 8), _word(f, shared, SPINS)
    _set_word(f, crew, IDLE_SPINS, spins)
    f.store(program, f.offset(crew, PROGRAM, "i64"), 8)
    f.store(shared, f.offset(crew, SHARED, "i64"), 8)
    finished = f.offset(crew, FINISHED, "i64")
    all_done = f.index(f.add(_times(f, finished), f.subtract(threads, 1)))
    with f.loop(1, threads) as loop:
        _happen(f, target, _called(f, crew, f.index(loop.index)))
    with f.when(f.compare("icmp ne", program, _NULL)):
        f.do(f"call void {program.text}(ptr {shared.text}, i64 0)")
    _await(f, target, spins, finished, "eq", all_done)
    f.ret()


def _emit_helper(module: Module, target: Target) -> None:
    f = module.function("helper", [("ptr", "crew"), ("i64", "thread")], linkage="external")
    crew, thread = f.parameters.values()
    called, finished = _called(f, crew, thread), f.offset(crew, FINISHED, "i64")
    idle, end, calls = f.label("idle"), f.label("end"), Value(f.fresh(), "i64")
    f.do(f"br label %{idle}")
    f.start(idle)
    place = len(f.lines)
    _await(f, target, _word(f, crew, IDLE_SPINS), called, "ne", calls)
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


def _word(f: Function, words: Value, place: int) -> Value:
    """A word that another thread may just change: then either number is as good."""
    return f.emit("i64", f"load atomic i64, ptr {f.offset(words, place, 'i64').text} monotonic, align 8")


def _set_word(f: Function, words: Value, place: int, value: Value) -> None:
    f.do(f"store atomic i64 {value.text}, ptr {f.offset(words, place, 'i64').text} monotonic, align 8")


def _await_patiently(f: Function, target: Target, shared: Value, times: Value) -> None:
    """Wait for the barrier, long awake where that was worth it: not when other processes hold the cores of those waited
    for, since they go on the sooner the earlier this thread gives up its own."""
    most, patience, short = _word(f, shared, SPINS), _word(f, shared, PATIENCE), Value(str(SHORT), "i64")
    trial = f.compare("icmp eq", f.index(f.remainder(times, TRY_AGAIN)), f.index(0))
    in_vain = _await(f, target, f.select(trial, most, patience), f.offset(shared, OPENED, "i64"), "ne", times)
    learned = f.select(in_vain, short, most)
    with f.when(f.compare("icmp ne", learned, patience)):
        _set_word(f, shared, PATIENCE, learned)


# Events. A thread counts itself among the sleepers and then looks whether it should sleep; who lets the event happen
# counts it and then looks for sleepers. All four are seq_cst: one of the two sees the other, no event is slept through.


def _times(f: Function, event: Value) -> Value:
    """How often the event has happened."""
    return f.emit("i64", f"load atomic i64, ptr {event.text} seq_cst, align 8")


def _happen(f: Function, target: Target, event: Value) -> None:
    """Let the event happen once more."""
    f.emit("i64", f"atomicrmw add ptr {event.text}, i64 1 seq_cst")
    with f.when(f.compare("icmp ne", _times(f, f.offset(event, 1, "i64")), f.index(0))):
        f.call("void", "wake_all", event)


def _await(f: Function, target: Target, spins: Value, event: Value, relation: str, number: Value) -> Value:
    """Wait until how often the event has happened is in the relation `eq` or `ne` to `number`: at first awake, with so
    many looks, then asleep. Gives whether the looks were in vain."""
    def over(times: Value) -> Value:
        return f.compare(f"icmp {relation}", times, number)

    _look(f, target, spins, lambda: over(_times(f, event)))
    in_vain = f.op("xor", over(_times(f, event)), Value("true", "i1"))
    with f.when(in_vain):
        sleepers = f.offset(event, 1, "i64")
        check, sleep, awake = (f.label(hint) for hint in ("check", "sleep", "awake"))
        f.emit("i64", f"atomicrmw add ptr {sleepers.text}, i64 1 seq_cst")
        f.do(f"br label %{check}")
        f.start(check)
        times = _times(f, event)
        f.do(f"br i1 {over(times).text}, label %{awake}, label %{sleep}")
        f.start(sleep)
        f.call("void", "sleep_while", event, times)
        f.do(f"br label %{check}")
        f.start(awake)
        f.emit("i64", f"atomicrmw sub ptr {sleepers.text}, i64 1 seq_cst")
    return in_vain


def _look(f: Function, target: Target, spins: Value, over: Callable[[], Value]) -> None:
    """Look `spins` times whether the waiting is over."""
    look, again, done = (f.label(hint) for hint in ("look", "again", "done"))
    before, turn, following = f.block, Value(f.fresh(), "i64"), Value(f.fresh(), "i64")
    f.do(f"br label %{look}")
    f.start(look)
    f.do(f"{turn.text} = phi i64 [ 0, %{before} ], [ {following.text}, %{again} ]")
    enough = f.op("or", over(), f.compare("icmp uge", turn, spins))
    f.do(f"br i1 {enough.text}, label %{done}, label %{again}")
    f.start(again)
    pause(f, target)
    f.do(f"{following.text} = add i64 {turn.text}, 1")
    f.do(f"br label %{look}")
    f.start(done)
