"""Native code by which threads wait for each other: the barrier of a program, and the crew of helpers that run it.

All of it works on int64 words that Python lays out. Words that different threads write lie 128 bytes apart: processors
fetch lines of 64 bytes in pairs.
"""

from __future__ import annotations

from collections.abc import Callable

from tarazu.backend.native.llvm_text import Function, Module, Value
from tarazu.backend.native.target import Target

APART = 16  # words between what different threads write

# The control block of a program: the words in front of what its generator adds from BLOCK_WORDS on
THREADS = 0  # of this run
ARRIVED = APART  # threads that wait at the barrier
GENERATION = 2 * APART  # how often the barrier has opened
BLOCK_WORDS = 3 * APART

# The crew: what its threads share, then one mailbox per thread
PROGRAM, SHARED = 0, 1  # the function to run and its control block
FINISHED = APART  # helpers that are done with it
MAILBOXES = 2 * APART
CALLS, ASLEEP, COMPARED = 0, 1, 2  # of a mailbox: calls of its helper; may it have to be woken; what Windows compares

SPINS = 64  # looks between two calls of the scheduler: many more cost dearly when threads outnumber cores
ROUNDS = 48  # of spins before a helper without work goes to sleep: some 50 us

_ONE, _NULL = Value("1", "i64"), Value("null", "ptr")


def crew_words(threads: int) -> int:
    """The size of a crew's block."""
    return MAILBOXES + APART * threads


def emit_barrier(module: Module, target: Target) -> str:
    """Add `void barrier(ptr shared)` to `module` and return its name.

    It returns when each of the `shared[THREADS]` threads has called it. What they wrote before is then seen by all.
    """
    f = module.function("barrier", [("ptr", "shared")], attributes="noinline")
    shared = f.parameters["shared"]
    threads = f.load("i64", shared, 8)
    with f.when(f.compare("icmp ne", threads, _ONE)):
        count, generation = f.offset(shared, ARRIVED, "i64"), f.offset(shared, GENERATION, "i64")
        now = _load(f, generation)
        before = f.emit("i64", f"atomicrmw add ptr {count.text}, i64 1 acq_rel")
        last = f.compare("icmp eq", f.index(f.add(before, 1)), threads)
        with f.when(last):
            _store(f, f.index(0), count, "monotonic")
            _store(f, f.index(f.add(now, 1)), generation, "release")
        with f.when(f.op("xor", last, Value("true", "i1"))):
            _wait(f, target, lambda: f.compare("icmp ne", _load(f, generation), now))
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
    _store(f, f.index(0), finished, "monotonic")
    with f.loop(1, threads) as loop:
        _call_helper(f, target, _mailbox(f, crew, f.index(loop.index)))
    with f.when(_not_null(f, program)):
        f.do(f"call void {program.text}(ptr {shared.text}, i64 0)")
    helpers = f.index(f.subtract(threads, 1))
    _wait(f, target, lambda: f.compare("icmp eq", _load(f, finished), helpers))
    f.ret()


def _emit_helper(module: Module, target: Target) -> None:
    f = module.function("helper", [("ptr", "crew"), ("i64", "thread")], linkage="external")
    crew, thread = f.parameters.values()
    mailbox, finished = _mailbox(f, crew, thread), f.offset(crew, FINISHED, "i64")
    idle, end, calls = f.label("idle"), f.label("end"), Value(f.fresh(), "i64")
    f.do(f"br label %{idle}")
    f.start(idle)
    place = len(f.lines)
    _wait_or_sleep(f, target, mailbox, calls)
    following = f.index(f.add(calls, 1))
    program = f.load("ptr", f.offset(crew, PROGRAM, "i64"), 8)
    shared = f.load("ptr", f.offset(crew, SHARED, "i64"), 8)
    work = _not_null(f, program)
    with f.when(work):
        f.do(f"call void {program.text}(ptr {shared.text}, i64 {thread.text})")
    f.emit("i64", f"atomicrmw add ptr {finished.text}, i64 1 release")
    f.lines.insert(place, f"  {calls.text} = phi i64 [ 0, %entry ], [ {following.text}, %{f.block} ]")
    f.do(f"br i1 {work.text}, label %{idle}, label %{end}")
    f.start(end)
    f.ret()


def _mailbox(f: Function, crew: Value, thread: Value) -> Value:
    return f.offset(crew, f.add(f.multiply(thread, APART), MAILBOXES), "i64")


def _call_helper(f: Function, target: Target, mailbox: Value) -> None:
    """Count a call; wake the helper if it may be asleep. The order of the two, and of their counterparts in
    `_wait_or_sleep`, is what keeps a call from being missed: hence seq_cst."""
    f.emit("i64", f"atomicrmw add ptr {mailbox.text}, i64 1 seq_cst")
    asleep = _load(f, f.offset(mailbox, ASLEEP, "i64"), "seq_cst")
    with f.when(f.compare("icmp ne", asleep, f.index(0))):
        _wake(f, target, mailbox)


def _wait_or_sleep(f: Function, target: Target, mailbox: Value, calls: Value) -> None:
    """Wait until the mailbox counts more than `calls`: for a short time awake, then asleep."""
    def called() -> Value:
        return f.compare("icmp ne", _load(f, mailbox, "seq_cst"), calls)

    _wait(f, target, called, ROUNDS)
    flag = f.offset(mailbox, ASLEEP, "i64")
    tired, check, sleep, awake = (f.label(hint) for hint in ("tired", "check", "sleep", "awake"))
    f.do(f"br i1 {called().text}, label %{awake}, label %{tired}")
    f.start(tired)
    _store(f, _ONE, flag, "seq_cst")
    f.do(f"br label %{check}")
    f.start(check)
    f.do(f"br i1 {called().text}, label %{awake}, label %{sleep}")
    f.start(sleep)
    _sleep(f, target, mailbox, calls)
    f.do(f"br label %{check}")
    f.start(awake)
    _store(f, f.index(0), flag, "monotonic")


def _wait(f: Function, target: Target, arrived: Callable[[], Value], rounds: int | None = None) -> None:
    """Look until `arrived` holds, letting other threads run after SPINS looks; give up after so many rounds."""
    look, again, lend, done = (f.label(hint) for hint in ("look", "again", "lend", "done"))
    before, turn, following = f.block, Value(f.fresh(), "i64"), Value(f.fresh(), "i64")
    f.do(f"br label %{look}")
    f.start(look)
    f.do(f"{turn.text} = phi i64 [ 0, %{before} ], [ {following.text}, %{again} ], [ {following.text}, %{lend} ]")
    f.do(f"{following.text} = add i64 {turn.text}, 1")
    there = arrived()
    if rounds is not None:
        there = f.op("or", there, f.compare("icmp uge", turn, f.index(rounds * SPINS)))
    f.do(f"br i1 {there.text}, label %{done}, label %{again}")
    f.start(again)
    _pause(f, target)
    long = f.compare("icmp eq", f.index(f.remainder(following, SPINS)), f.index(0))
    f.do(f"br i1 {long.text}, label %{lend}, label %{look}")
    f.start(lend)
    _let_others_run(f, target)
    f.do(f"br label %{look}")
    f.start(done)


def _load(f: Function, pointer: Value, order: str = "acquire") -> Value:
    return f.emit("i64", f"load atomic i64, ptr {pointer.text} {order}, align 8")


def _store(f: Function, value: Value, pointer: Value, order: str) -> None:
    f.do(f"store atomic i64 {value.text}, ptr {pointer.text} {order}, align 8")


def _not_null(f: Function, pointer: Value) -> Value:
    return f.compare("icmp ne", pointer, _NULL)


# What differs between processors and systems


def _pause(f: Function, target: Target) -> None:
    """Tell the core that this thread waits."""
    if target.is_x86:
        f.call("void", "llvm.x86.sse2.pause")
    elif target.triple.startswith(("aarch64", "arm64")):
        f.call("void", "llvm.aarch64.hint", Value("1", "i32"))


def _let_others_run(f: Function, target: Target) -> None:
    f.call("i32", "SwitchToThread" if "windows" in target.triple else "sched_yield")


_FUTEX = {"x86_64": 202, "aarch64": 98}  # numbers of the system call on Linux
_WAIT, _WAKE = 128, 129  # its operations, within one process
_COMPARE = 1  # the operation of macOS's ulock: UL_COMPARE_AND_WAIT, on 32 bits


def _sleep(f: Function, target: Target, mailbox: Value, calls: Value) -> None:
    """Sleep while the mailbox counts `calls`; may return earlier."""
    if (number := _futex(target)) is not None:
        f.call("i64", "syscall", number, mailbox, Value(str(_WAIT), "i64"), calls, _NULL, _NULL, f.index(0))
    elif "darwin" in target.triple or "macos" in target.triple:
        f.call("i32", "__ulock_wait", Value(str(_COMPARE), "i32"), mailbox, calls, Value("0", "i32"))
    elif "windows" in target.triple:
        compared = f.offset(mailbox, COMPARED, "i64")
        f.store(calls, compared, 8)
        f.call("i32", "WaitOnAddress", mailbox, compared, Value("8", "i64"), Value("-1", "i32"))
    else:
        f.call("i32", "usleep", Value("200", "i32"))


def _wake(f: Function, target: Target, mailbox: Value) -> None:
    if (number := _futex(target)) is not None:
        f.call("i64", "syscall", number, mailbox, Value(str(_WAKE), "i64"), _ONE, _NULL, _NULL, f.index(0))
    elif "darwin" in target.triple or "macos" in target.triple:
        f.call("i32", "__ulock_wake", Value(str(_COMPARE), "i32"), mailbox, f.index(0))
    elif "windows" in target.triple:
        f.call("void", "WakeByAddressSingle", mailbox)


def _futex(target: Target) -> Value | None:
    number = _FUTEX.get(target.triple.split("-")[0]) if "linux" in target.triple else None
    return None if number is None else Value(str(number), "i64")
