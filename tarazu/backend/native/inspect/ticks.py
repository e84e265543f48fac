"""The processor's clock, read inside native code."""

from __future__ import annotations

import ctypes
import functools
import time

from tarazu.backend.native.llvm.assemble import Loaded, object_code
from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.target import Target, host
from tarazu.backend.native.llvm.values import Value

_CALIBRATION = 0.02  # seconds


def emit_ticks(f: Function, target: Target) -> Value:
    """The clock now: x86 counts cycles of the nominal frequency, ARM those of its system timer."""
    if target.is_x86:
        f.module.declarations.setdefault("llvm.readcyclecounter", "declare i64 @llvm.readcyclecounter()")
        return f.emit("i64", "call i64 @llvm.readcyclecounter()")
    # The cycle counter of ARM is closed to programs; LLVM reads it all the same.
    f.module.declarations.setdefault("read_volatile_register", "declare i64 @llvm.read_volatile_register.i64(metadata)")
    f.module.globals.setdefault("timer", '!0 = !{!"CNTVCT_EL0"}')
    return f.emit("i64", "call i64 @llvm.read_volatile_register.i64(metadata !0)")


@functools.cache
def tick_seconds() -> float:
    """How long a tick is, measured once against the system's clock."""
    module = Module()
    f = module.function("now", [], "i64", linkage="external")
    f.ret(emit_ticks(f, host()))
    code = Loaded(object_code(module.text(host().attributes), host()))
    now = ctypes.CFUNCTYPE(ctypes.c_int64)(code.address("now"))
    now()
    before, first = time.perf_counter(), now()
    time.sleep(_CALIBRATION)
    after, last = time.perf_counter(), now()
    return (after - before) / max(last - first, 1)
