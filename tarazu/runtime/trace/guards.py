"""Guards: the Python values that a trace depends on beside the values, types and devices of tensors.

What a function does may depend on whether its model is in training mode (`Module.training`), whether a tensor requires
grad, whether a `.grad` is None, which hooks a tensor has, or which schedule an optimizer follows. Whoever reads such a
value asks `state.interpreter.depend_on(read, what)`, which in a trace notes a guard. `jit` tests the guards at each
call (`Compiled.match` in jit/compiled.py) and traces again where one does not hold.

Attributes of modules and optimizers are guarded where they are read (`attributes.py`). Other Python values from
outside, such as globals, are constants of the program: a later change of them is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from tarazu.ir.interpreter import Value
from tarazu.transform.gradient.notes import hooks_of


class Guard(NamedTuple):
    """A Python value that the trace depends on: it holds while `read()` gives what it gave then."""

    read: Callable[[], Any]
    expected: Any
    what: str = ""  # its name in messages

    @property
    def of_entry(self) -> Value | None:
        """The handle of which the guard reads nothing but the tape entry and its hooks; None for other guards."""
        read = self.read
        return read.args[0] if isinstance(read, partial) and read.func in (is_on_tape, hooks_of_tensor) else None


def is_on_tape(handle: Value) -> bool:
    """Whether the handle has a tape entry."""
    return handle.tape_entry is not None


def hooks_of_tensor(handle: Value) -> tuple[int, ...]:
    """The numbers of the hooks of the handle's tape entry."""
    return hooks_of(handle.tape_entry)


def guards_hold(guards: Iterable[Guard]) -> bool:
    """Whether all values are as they were while the function was traced."""
    for read, expected, _ in guards:  # noqa: SIM110 - at each call of a jitted function, where a generator costs more
        if read() != expected:
            return False
    return True


def broken_guards(guards: Iterable[Guard]) -> list[str]:
    """What has changed since the function was traced, in words."""
    changes = []
    for read, expected, what in guards:
        value = read()
        if value != expected:
            changes.append(f"{what or 'a Python value'}: {expected!r} became {value!r}")
    return changes
