"""The pool of threads on which compiled programs run.

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
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.threads import barrier
from tarazu.backend.native.threads.thread_count import MOST_THREADS, cores

_PROGRAM = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
_LAUNCH = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_Word = ctypes.c_int64


def run(address: int, shared: int, threads: int) -> int:
    """Run the native function `void program(ptr shared, i64 thread)` on `threads` threads; gives their number.

    `shared` is the address of a control block (see `barrier`), used by no other run at the same time. One run at a time
    has helpers: a second one, of another Python thread, goes on with one thread instead of waiting for them.
    """
    if threads > 1 and _in_use.acquire(blocking=False):
        try:
            if (pool := _pool_of(threads)) is not None:
                _Word.from_address(shared).value = threads
                _Word.from_address(shared + 8 * barrier.MOST_SPINS).value = \
                    barrier.MANY_SPINS if threads <= cores() else barrier.FEW_SPINS
                _Word.from_address(shared + 8 * barrier.LOOKS).value = 0
                pool.leave_core_of_caller()
                pool.launch(pool.block, address, shared)
                return threads
        finally:
            _in_use.release()
    _Word.from_address(shared).value = 1
    function_at(address)(shared, 0)
    return 1


@functools.lru_cache(maxsize=1024)
def function_at(address: int) -> Callable[[int, int], None]:
    """The native function `void program(ptr shared, i64 thread)` at an address."""
    return _PROGRAM(address)


@functools.cache
def seconds_of_look() -> float:
    """What it takes a thread that waits to look once, measured once."""
    looks, word, code = 2_000, np.zeros(1, np.int64), _pool_code()
    look = _PROGRAM(code.address("look"))
    start = time.thread_time()
    look(word.ctypes.data, looks)
    return (time.thread_time() - start) / looks


class _ThreadPool:
    """Helpers and the block of words through which they are called."""

    def __init__(self) -> None:
        self.words = np.zeros(barrier.pool_words(MOST_THREADS) + barrier.APART, np.int64)
        address = self.words.ctypes.data
        self.block = address + -address % (8 * barrier.APART)
        self.code = _pool_code()
        self.launch = _LAUNCH(self.code.address("launch"))
        self.helper = _PROGRAM(self.code.address("helper"))
        self.helpers: list[threading.Thread] = []
        self.kept_off: tuple[int, int] | None = None  # how many helpers are kept off a core, and which core

    def leave_core_of_caller(self) -> None:
        """Keep the helpers off the caller's core: Linux wakes a thread on the core of the one that wakes it, as if they
        exchanged data, and may leave both on it for tens of milliseconds."""
        core = _current_core()
        if core < 0 or self.kept_off == (len(self.helpers), core):
            return
        self.kept_off = len(self.helpers), core
        allowed = os.sched_getaffinity(0)
        others = allowed - {core} if len(self.helpers) < len(allowed) else allowed
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
    task = Path(f"/proc/self/task/{helper.native_id}")
    for _ in range(100):
        if not task.exists():
            return
        time.sleep(0.001)


def _no_core() -> int:
    return -1


_current_core: Callable[[], int] = \
    getattr(ctypes.CDLL(None), "sched_getcpu", _no_core) if sys.platform == "linux" else _no_core


def _help(pool: _ThreadPool, number: int) -> None:
    # This frame holds the code and the words of a helper that is still there while the interpreter ends.
    pool.helper(pool.block, number)


def _pool_code() -> Loaded:
    target = host()
    name = cache.key(b"the thread pool", target)
    if (entry := cache.load(name)) is None:
        module = Module()
        barrier.emit_pool(module, target)
        entry = cache.Entry(object_code(module.text(target.attributes), target))
        cache.store(name, entry)
    return Loaded(entry.code)


_in_use = threading.Lock()  # held by the run that has the helpers
_pool: _ThreadPool | None = None


def _pool_of(threads: int) -> _ThreadPool | None:
    """The pool, grown to so many threads; None where the system gives no more."""
    global _pool
    if _pool is None:
        _pool = _ThreadPool()
    try:
        _pool.grow(threads)
    except RuntimeError:
        return None
    return _pool


# A child of fork has no helpers, whatever its copy of the memory says. Where they are idle they are dismissed before,
# so that the process forks with one thread.


def _before_fork() -> None:
    global _pool
    if _pool is not None and _in_use.acquire(blocking=False):
        try:
            _pool.dismiss()
            _pool = None
        finally:
            _in_use.release()


def _in_child() -> None:
    global _in_use, _pool
    _in_use, _pool = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)
