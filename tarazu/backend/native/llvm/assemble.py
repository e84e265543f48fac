"""From LLVM IR to machine code in memory, through llvmlite."""

from __future__ import annotations

import ctypes
import functools
import os
import re
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, Literal, TypeAlias, TypeVar

from tarazu.backend.native.llvm.target import Target, host
from tarazu.base.errors import CompileError

# llvmlite works for one thread at a time in any case. Its objects are freed under the lock too. A fork waits for the
# lock, so that llvmlite's own locks are open in the child. Reentrant, as the garbage collector may run anywhere.
_one_at_a_time = threading.RLock()
_WINDOWS = os.name == "nt"
# llvmlite has no types
TargetMachine: TypeAlias = Any
ParsedModule: TypeAlias = Any
Code = TypeVar("Code", bytes, str)
Effort = Literal[0, 1]  # LLVM's own numbers, of which its further ones made no program faster
QUICK: Effort = 0  # a third of the time, for code that runs half as fast, or less
FULL: Effort = 1
LARGE = 2**20  # letters of a module from which on LLVM has used so much memory that it is worth giving back

_DEFECT = "this is a defect of Tarazu: report the message; TARAZU_BACKEND=numpy runs without compiled code meanwhile"

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_one_at_a_time.acquire, after_in_parent=_one_at_a_time.release,
                        after_in_child=_one_at_a_time.release)


def object_code(text: str, target: Target, effort: Effort = FULL) -> bytes:
    """The object file for a module in LLVM IR; a CompileError that names the function when LLVM refuses it."""
    with _one_at_a_time:
        code = _emit(text, _machine(target, effort), target, lambda machine, module: machine.emit_object(module))
    if len(text) > LARGE:
        _give_back_memory()
    return code


def assembly(text: str, target: Target) -> str:
    """The same code as assembly, for people to read."""
    with _one_at_a_time:
        return _emit(text, _machine(target, FULL), target, lambda machine, module: machine.emit_assembly(module))


class Loaded:
    """Machine code in memory, kept as long as the object lives.

    CompileError where the object file is damaged or needs a symbol that this process does not have.
    """

    def __init__(self, code: bytes) -> None:
        llvm, target = _llvm(), host()
        with _one_at_a_time:
            # JITLink lays the code out in one piece, so that no jump and no constant can be out of reach.
            self._linker = llvm.create_lljit_compiler(_new_machine(target, FULL), use_jit_link=not _WINDOWS)
            builder = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
            try:
                self._library = builder.link(self._linker, "code")
            except RuntimeError as error:
                raise _refused(f"object code of {len(code)} bytes: {error}") from None
            self._lookups: dict[str, Any] = {}  # each unloads the whole library when it is freed

    def __del__(self, lock: AbstractContextManager[object] = _one_at_a_time) -> None:
        with lock:
            self.__dict__.clear()

    def address(self, name: str) -> int:
        """Where the function `name` starts; CompileError where there is none."""
        with _one_at_a_time:
            try:
                if name not in self._lookups:
                    self._lookups[name] = self._linker.lookup("code", name)
                return self._lookups[name][name]
            except RuntimeError as error:
                raise _refused(f"{name}: {error}") from None


@functools.cache
def _llvm() -> ModuleType:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm


@functools.lru_cache(maxsize=8)
def _machine(target: Target, effort: Effort) -> TargetMachine:
    """The target machine that emits code; loading code uses one up, so each load has a new one."""
    return _new_machine(target, effort)


def _new_machine(target: Target, effort: Effort) -> TargetMachine:
    # On Windows llvmlite loads code in memory only in the form that its JIT model gives.
    model = "jitdefault" if _WINDOWS else "default"
    try:
        return _llvm().Target.from_triple(target.triple).create_target_machine(
            cpu=target.cpu, features=target.features, opt=effort, reloc="pic", codemodel=model)
    except RuntimeError as error:
        raise CompileError(f"LLVM has no {target.triple} with the processor {target.cpu}: {error}",
                           expected="a processor that this build of llvmlite knows",
                           fix="TARAZU_BACKEND=numpy runs without compiled code") from None


def _give_back_memory() -> None:
    """Let the system have the memory that LLVM has freed: glibc keeps it, 250 MB after a step of ResNet-18."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def _emit(text: str, machine: TargetMachine, target: Target,
          emit: Callable[[TargetMachine, ParsedModule], Code]) -> Code:
    """Code for a module, without any pass over the IR before: the generator lays out loops and registers itself, and
    passes made no program faster."""
    module = _verified(text)
    module.triple, module.data_layout = target.triple, str(machine.target_data)
    try:
        return emit(machine, module)
    except RuntimeError as error:
        raise _refused(str(error)) from None


def _verified(text: str) -> ParsedModule:
    try:
        module = _llvm().parse_assembly(text)
        module.verify()
        return module
    except RuntimeError as error:
        raise _refused(f"{_culprit(text, str(error))}: {error}") from None


def _refused(what: str) -> CompileError:
    return CompileError(f"LLVM refused the code of the native backend: {what}",
                        expected="code that LLVM accepts, and functions that are there", fix=_DEFECT)


_FUNCTION = re.compile(r"^define (?:(?:internal|external|private) )?(.*@([\w.$-]+)\(.*) \{\n(?:.*\n)*?\}$",
                       re.MULTILINE)


def _culprit(text: str, message: str) -> str:
    """The name of the function that the message of LLVM is about; "the module" where that cannot be found out."""
    functions = list(_FUNCTION.finditer(text))
    if (line := re.search(r"<string>:(\d+):", message)) is not None:
        names = [function[2] for function in functions if text.count("\n", 0, function.start()) < int(line[1])]
        return names[-1] if names else "the module"
    return next((function[2] for function in functions if not _is_sound(text, function[2])), "the module")


def _is_sound(text: str, name: str) -> bool:
    """Whether LLVM accepts the module when all functions but the one of that name are only declared."""
    alone = _FUNCTION.sub(lambda function: function[0] if function[2] == name else f"declare {function[1]}", text)
    try:
        _llvm().parse_assembly(alone).verify()
    except RuntimeError:
        return False
    return True
