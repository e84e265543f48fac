"""Pausing, sleeping and waking in native code: what differs between processors and systems."""

from __future__ import annotations

from tarazu.backend.native.llvm.llvm_text import Function, Module, Value
from tarazu.backend.native.llvm.target import Target

_SYSTEM_CALL = {"x86_64": 202, "aarch64": 98}  # the number of futex on Linux
_WAIT, _WAKE = Value("128", "i64"), Value("129", "i64")  # its operations, within one process
_COMPARE_AND_WAIT, _WAKE_ALL = 1, 0x100  # of ulock on macOS
_NULL, _ALL = Value("null", "ptr"), Value(str(2**31 - 1), "i64")


def pause(f: Function, target: Target) -> None:
    """Tell the core that this thread waits."""
    if target.is_x86:
        f.call("void", "llvm.x86.sse2.pause")
    elif target.triple.startswith(("aarch64", "arm64")):
        f.call("void", "llvm.aarch64.hint", Value("1", "i32"))


def emit_sleep(module: Module, target: Target) -> str:
    """Add `void sleep_while(ptr word, i64 value)`: sleep while the word holds the value, or until woken, or less."""
    f = module.function("sleep_while", [("ptr", "word"), ("i64", "value")])
    word, value = f.parameters.values()
    system = _system(target)
    if system == "linux":
        f.call("i64", "syscall", _futex(target), word, _WAIT, value, _NULL, _NULL, f.index(0))
    elif system == "macos":
        f.call("i32", "__ulock_wait", Value(str(_COMPARE_AND_WAIT), "i32"), word, value, Value("0", "i32"))
    elif system == "windows":
        compared = f.emit("ptr", "alloca i64, align 8")
        f.store(value, compared, 8)
        f.call("i32", "WaitOnAddress", word, compared, Value("8", "i64"), Value("-1", "i32"))
    else:
        f.call("i32", "usleep", Value("200", "i32"))
    f.ret()
    return f.name


def emit_wake(module: Module, target: Target) -> str:
    """Add `void wake_all(ptr word)`: wake the threads that sleep on the word."""
    f = module.function("wake_all", [("ptr", "word")])
    word, system = f.parameters["word"], _system(target)
    if system == "linux":
        f.call("i64", "syscall", _futex(target), word, _WAKE, _ALL, _NULL, _NULL, f.index(0))
    elif system == "macos":
        f.call("i32", "__ulock_wake", Value(str(_COMPARE_AND_WAIT | _WAKE_ALL), "i32"), word, f.index(0))
    elif system == "windows":
        f.call("void", "WakeByAddressAll", word)
    f.ret()
    return f.name


def _system(target: Target) -> str:
    """The system, where it has a way to sleep on a word of memory."""
    if "linux" in target.triple and target.triple.split("-")[0] in _SYSTEM_CALL:
        return "linux"
    if "darwin" in target.triple or "macos" in target.triple:
        return "macos"
    return "windows" if "windows" in target.triple else "other"


def _futex(target: Target) -> Value:
    return Value(str(_SYSTEM_CALL[target.triple.split("-")[0]]), "i64")
