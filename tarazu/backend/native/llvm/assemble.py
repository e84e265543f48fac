"""From LLVM IR to machine code in memory, through llvmlite."""

from __future__ import annotations

import functools
import os
import re
import threading
from typing import Any

from tarazu.backend.native.llvm.target import Target, host
from tarazu.base.errors import CompileError

# llvmlite works for one thread at a time in any case. Its objects are freed under the lock too: a fork waits for it, so
# that no lock of llvmlite's stays shut in the child. Reentrant, as the garbage collector may run anywhere.
_one_at_a_time = threading.RLock()
_WINDOWS = os.name == "nt"
_DEFECT = "this is a defect of Tarazu: report the message; TARAZU_BACKEND=numpy runs without compiled code meanwhile"

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_one_at_a_time.acquire, after_in_parent=_one_at_a_time.release,
                        after_in_child=_one_at_a_time.release)


def object_code(text: str, target: Target) -> bytes:
    """The object file for a module in LLVM IR; a CompileError that names the function when LLVM refuses it."""
    with _one_at_a_time:
        return _emit(text, target, "emit_object")


def assembly(text: str, target: Target) -> str:
    """What `object_code` makes, as assembly for people."""
    with _one_at_a_time:
        return _emit(text, target, "emit_assembly")


class Loaded:
    """Machine code in memory; kept as long as the object lives.

    A CompileError follows where the object file is damaged or needs a symbol that this process does not have.
    """

    def __init__(self, code: bytes) -> None:
        llvm, target = _llvm(), host()
        with _one_at_a_time:
            # JITLink lays the code out in one piece, so that no jump and no constant can be out of reach.
            self._linker = llvm.create_lljit_compiler(_new_machine(target), use_jit_link=not _WINDOWS)
            builder = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
            try:
                self._library = builder.link(self._linker, "code")
            except RuntimeError as error:
                raise _refused(f"object code of {len(code)} bytes: {error}") from None
            self._found: dict[str, Any] = {}

    def __del__(self, lock: Any = _one_at_a_time) -> None:
        with lock:
            self.__dict__.clear()

    def address(self, name: str) -> int:
        """Where the function `name` starts."""
        with _one_at_a_time:
            try:
                if name not in self._found:  # what finds a function unloads the whole when it is freed
                    self._found[name] = self._linker.lookup("code", name)
                return self._found[name][name]
            except RuntimeError as error:
                raise _refused(f"{name}: {error}") from None


@functools.cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm


@functools.lru_cache(maxsize=8)
def _machine(target: Target) -> Any:
    """The machine that emits code; one that loads code is used up by that."""
    return _new_machine(target)


def _new_machine(target: Target) -> Any:
    # On Windows llvmlite loads code in memory only in the form that its JIT model gives.
    model = "jitdefault" if _WINDOWS else "default"
    try:
        return _llvm().Target.from_triple(target.triple).create_target_machine(
            cpu=target.cpu, features=target.features, opt=1, reloc="pic", codemodel=model)
    except RuntimeError as error:
        raise CompileError(f"LLVM has no {target.triple} with the processor {target.cpu}: {error}",
                           expected="a processor that this build of llvmlite knows",
                           fix="TARAZU_BACKEND=numpy runs without compiled code") from None


def _emit(text: str, target: Target, what: str) -> Any:
    """Code without any pass over the IR before: the generator lays out loops and registers itself, and passes made no
    program faster."""
    machine, module = _machine(target), _verified(text)
    module.triple, module.data_layout = target.triple, str(machine.target_data)
    try:
        return getattr(machine, what)(module)
    except RuntimeError as error:
        raise _refused(str(error)) from None


def _verified(text: str) -> Any:
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
    """The name of the function that the message is about, where that can be found out."""
    functions = list(_FUNCTION.finditer(text))
    if (place := re.search(r"<string>:(\d+):", message)) is not None:
        names = [found[2] for found in functions if text.count("\n", 0, found.start()) < int(place[1])]
        return names[-1] if names else "the module"
    return next((found[2] for found in functions if not _is_sound(text, found[2])), "the module")


def _is_sound(text: str, name: str) -> bool:
    """Whether LLVM accepts the module when all functions but the one of that name are only declared."""
    alone = _FUNCTION.sub(lambda found: found[0] if found[2] == name else f"declare {found[1]}", text)
    try:
        _llvm().parse_assembly(alone).verify()
    except RuntimeError:
        return False
    return True
