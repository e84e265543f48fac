"""The system's permission to use AMX, whose registers Linux saves only for processes that have asked."""

from __future__ import annotations

import ctypes
import functools
import sys

_ARCH_PRCTL = 158  # the number of the system call on x86-64
_REQUEST_PERMISSION = 0x1023  # ARCH_REQ_XCOMP_PERM
_TILE_DATA = 18  # XFEATURE_XTILEDATA


@functools.cache
def may_use_tiles() -> bool:
    """Ask the system, once for all threads of this process, whether code may use the tiles of AMX.

    Linux says no where it is older than 5.16, or where the stack for signals of a thread is too small for them; other
    systems are not asked. Source: Linux, Documentation/arch/x86/xstate.rst.
    """
    return sys.platform == "linux" and _system_call(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) == 0


def _system_call(number: int, *arguments: int) -> int:
    """What a system call gives; -1 for an error, and where the C library cannot make one by its number."""
    call = getattr(ctypes.CDLL(None), "syscall", None)
    if call is None:
        return -1
    call.restype = ctypes.c_long
    return int(call(ctypes.c_long(number), *map(ctypes.c_long, arguments)))
