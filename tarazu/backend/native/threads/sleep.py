"""Native code by which a thread pauses, sleeps on a word of memory and wakes others, per processor and system.

Linux has futex, macOS ulock, Windows WaitOnAddress; elsewhere threads sleep for short whiles and look again.
"""

from __future__ import annotations

from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import NULL, Value, constant

_SYSTEM_CALL = {"x86_64": 202, "aarch64": 98}  # the number of futex on Linux
_WAIT, _WAKE = constant("i64", 128), constant("i64", 129)  # its operations, within one process
_COMPARE_AND_WAIT, _WAKE_ALL = 1, 0x100  # of ulock on macOS
_ALL = constant("i64", 2**31 - 1)


def pause(f: Function, target: Target) -> None:
    """The instruction that tells the core that this thread only waits."""
    if target.is_x86:
        f.call("void", "llvm.x86.sse2.pause")
    elif target.triple.startswith(("aarch64", "arm64")):
        f.call("void", "llvm.aarch64.hint", constant("i32", 1))


def emit_sleep(module: Module, target: Target) -> str:
    """Add `void sleep_while(ptr word, i64 value)`: sleep while the word holds the value; it may return before."""
    f = module.function("sleep_while", [("ptr", "word"), ("i64", "value")])
    word, value = f.parameters.values()
    system = _system(target)
    if system == "linux":
        f.call("i64", "syscall", _futex(target), word, _WAIT, value, NULL, NULL, f.index(0))
    elif system == "macos":
        f.call("i32", "__ulock_wait", constant("i32", _COMPARE_AND_WAIT), word, value, constant("i32", 0))
    elif system == "windows":
        compared = f.emit("ptr", "alloca i64, align 8")
        f.store(value, compared, 8)
        f.call("i32", "WaitOnAddress", word, compared, constant("i64", 8), constant("i32", -1))
    else:
        f.call("i32", "usleep", constant("i32", 200))
    f.ret()
    return f.name


def emit_wake(module: Module, target: Target) -> str:
    """Add `void wake_all(ptr word)`: wake the threads that sleep on the word."""
    f = module.function("wake_all", [("ptr", "word")])
    word, system = f.parameters["word"], _system(target)
    if system == "linux":
        f.call("i64", "syscall", _futex(target), word, _WAKE, _ALL, NULL, NULL, f.index(0))
    elif system == "macos":
        f.call("i32", "__ulock_wake", constant("i32", _COMPARE_AND_WAIT | _WAKE_ALL), word, f.index(0))
    elif system == "windows":
        f.call("void", "WakeByAddressAll", word)
    f.ret()
    return f.name


def _system(target: Target) -> str:
    """The system by name, "other" where threads cannot sleep on a word of memory."""
    if "linux" in target.triple and target.triple.split("-")[0] in _SYSTEM_CALL:
        return "linux"
    if "darwin" in target.triple or "macos" in target.triple:
        return "macos"
    return "windows" if "windows" in target.triple else "other"


def _futex(target: Target) -> Value:
    """The number of the system call."""
    return constant("i64", _SYSTEM_CALL[target.triple.split("-")[0]])
