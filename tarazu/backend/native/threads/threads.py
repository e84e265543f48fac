"""Running a compiled program on several threads at once.

The caller is thread 0. The others are helpers: daemon threads that never leave native code while they live. They are
made when a program first needs them and sleep between programs.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tarazu.backend.native import cache
from tarazu.backend.native.llvm.assemble import Loaded, object_code
from tarazu.backend.native.llvm.llvm_text import Module
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.threads import barrier
from tarazu.base.errors import ArgumentError

MOST_THREADS = 1024
_PROGRAM = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
_LAUNCH = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_Word = ctypes.c_int64


def threads() -> int:
    """On how many threads a program may run: what `set_threads` said, else TARAZU_THREADS, else the number of cores.

    >>> threads() >= 1
    True
    """
    return _chosen if _chosen is not None else _default()


def set_threads(n: int) -> None:
    """Let programs run on up to `n` threads from now on; small ones take fewer.

    An ArgumentError follows where `n` is not a whole number of at least 1.

    >>> set_threads(1)
    >>> threads()
    1
    """
    global _chosen
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= MOST_THREADS:
        raise ArgumentError(f"set_threads({n!r})", expected=f"a whole number from 1 to {MOST_THREADS}",
                            fix=f"this machine has {cores()} cores: set_threads({cores()}) uses them all")
    _chosen = int(n)


_chosen: int | None = None


@functools.cache
def _default() -> int:
    text = os.environ.get("TARAZU_THREADS")
    if text is None:
        return cores()
    if not text.isdecimal() or not 1 <= int(text) <= MOST_THREADS:
        raise ArgumentError(f"TARAZU_THREADS={text}", expected=f"a whole number from 1 to {MOST_THREADS}",
                            fix="leave it unset to use all cores")
    return int(text)


@functools.cache
def cores() -> int:
    """The cores that this process may use at once."""
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(given, _quota(), MOST_THREADS))


def _quota() -> int:
    """The cores' worth of time that a container grants, rounded up; MOST_THREADS where there is no such limit."""
    try:
        time, _, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").partition(" ")
        return -(-int(time) // int(period))
    except (OSError, ValueError):  # "max", or no such file
        return MOST_THREADS


def helpful_threads() -> int:
    """On how many threads a program should run now: no more than there are cores, and one while others need them."""
    return 1 if time.perf_counter() < _alone_until else min(threads(), cores())


def note(seconds: float, busy: float) -> None:
    """Learn from a run on several threads how long it took, and for how long of that the caller's thread was at work.

    A share that has to wait for a core makes all others wait at the next barrier. One thread is faster then, so when
    that happens twice in a row programs run on one for a while, and longer each time until it is over.
    """
    global _alone_until, _crowded_runs, _retreat
    if seconds < LONG_RUN:
        return
    if busy > CROWDED * seconds:
        _crowded_runs, _retreat = 0, SHORTEST_RETREAT
        return
    _crowded_runs += 1
    if _crowded_runs >= 2:
        _alone_until, _retreat = time.perf_counter() + _retreat, min(2 * _retreat, LONGEST_RETREAT)


LONG_RUN = 2e-3  # seconds from which on times tell something
CROWDED = 0.7  # of the time at work: below, two threads do less than one
SHORTEST_RETREAT, LONGEST_RETREAT = 0.5, 4.0  # seconds
_alone_until, _crowded_runs, _retreat = 0.0, 0, SHORTEST_RETREAT


def run(address: int, shared: int, threads: int) -> int:
    """Run the native function `void program(ptr shared, i64 thread)` on `threads` threads; gives their number.

    `shared` is the address of a control block (see `barrier`), used by no other run at the same time. One run at a time
    has helpers: a second one, of another Python thread, goes on with one thread instead of waiting for them.
    """
    if threads > 1 and _helped.acquire(blocking=False):
        try:
            if (crew := _crew_of(threads)) is not None:
                _Word.from_address(shared).value = threads
                _Word.from_address(shared + 8 * barrier.SPINS).value = \
                    barrier.LONG if threads <= cores() else barrier.SHORT
                crew.stand_aside()
                crew.launch(crew.block, address, shared)
                return threads
        finally:
            _helped.release()
    _Word.from_address(shared).value = 1
    _PROGRAM(address)(shared, 0)
    return 1


class _Crew:
    """Helpers and the block of words through which they are called."""

    def __init__(self) -> None:
        self.words = np.zeros(barrier.crew_words(MOST_THREADS) + barrier.APART, np.int64)
        address = self.words.ctypes.data
        self.block = address + -address % (8 * barrier.APART)
        self.code = _crew_code()
        self.launch = _LAUNCH(self.code.address("launch"))
        self.helper = _PROGRAM(self.code.address("helper"))
        self.helpers: list[threading.Thread] = []
        self.placed: tuple[int, int] | None = None  # for how many helpers, and off which core they are kept

    def stand_aside(self) -> None:
        """Keep the helpers off the caller's core. Linux wakes them there, as if they had something to say to each
        other, and may leave both on it for tens of milliseconds."""
        here = _core()
        if here < 0 or self.placed == (len(self.helpers), here):
            return
        self.placed = len(self.helpers), here
        allowed = os.sched_getaffinity(0)
        others = allowed - {here} if len(self.helpers) < len(allowed) else allowed
        for helper in self.helpers:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(helper.native_id or 0, others)

    def grow(self, threads: int) -> None:
        """Make helpers until there are enough for so many threads."""
        while len(self.helpers) < threads - 1:
            number = len(self.helpers) + 1
            helper = threading.Thread(target=_help, args=(self, number), name=f"tarazu-{number}", daemon=True)
            helper.start()
            self.helpers.append(helper)

    def dismiss(self) -> None:
        """Let all helpers end."""
        unused = self.block + 8 * barrier.CALLED  # nobody calls thread 0: its words can be the control block
        _Word.from_address(unused).value = len(self.helpers) + 1
        self.launch(self.block, None, unused)
        for helper in self.helpers:
            helper.join()
            _await_end(helper)


def _await_end(helper: threading.Thread) -> None:
    """Wait for the system to forget a thread that Python has seen end, so that a fork has no other; 0.1 s at most."""
    known = Path(f"/proc/self/task/{helper.native_id}")
    for _ in range(100):
        if not known.exists():
            return
        time.sleep(0.001)


def _no_core() -> int:
    return -1


_core: Callable[[], int] = getattr(ctypes.CDLL(None), "sched_getcpu", _no_core) if sys.platform == "linux" else _no_core


def _help(crew: _Crew, number: int) -> None:
    # This frame holds the code and the words of a helper that is still there while the interpreter ends.
    crew.helper(crew.block, number)


def _crew_code() -> Loaded:
    target = host()
    name = cache.key(b"the crew", target)
    if (entry := cache.load(name)) is None:
        module = Module()
        barrier.emit_crew(module, target)
        entry = cache.Entry(object_code(module.text(target.attributes), target))
        cache.store(name, entry)
    return Loaded(entry.code)


_helped = threading.Lock()  # held by the run that has the helpers
_crew: _Crew | None = None


def _crew_of(threads: int) -> _Crew | None:
    """The crew, grown to so many threads; None where the system gives no more."""
    global _crew
    if _crew is None:
        _crew = _Crew()
    try:
        _crew.grow(threads)
    except RuntimeError:
        return None
    return _crew


# A child of fork has no helpers, whatever its copy of the memory says. Where they are idle they are dismissed before,
# so that the process forks with one thread.


def _before_fork() -> None:
    global _crew
    if _crew is not None and _helped.acquire(blocking=False):
        try:
            _crew.dismiss()
            _crew = None
        finally:
            _helped.release()


def _in_child() -> None:
    global _helped, _crew
    _helped, _crew = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)
