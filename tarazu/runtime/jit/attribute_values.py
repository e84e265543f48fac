"""How many values of an attribute a function was traced for: a warning where there are too many to compile each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import TraceWarning
from tarazu.runtime.jit.compiled import Compiled
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import AttributeGuard, is_same, parts_of
from tarazu.runtime.trace.origins import frames_to_user

FEW = 4  # values of an attribute, for each of which there may be a trace without a warning


class AttributeValues:
    """The values of attributes for which one function was traced."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], list[Any]] = {}

    def note(self, candidates: Sequence[Compiled]) -> None:
        """Note which attributes make a call fit none of the `candidates`, whose arguments are alike."""
        broken = [compiled.attributes.broken() for compiled in candidates]
        for guard in min(broken, key=len, default=[]):
            seen = self._seen.setdefault((id(guard.owner), guard.name), [])
            before = len(seen)
            for value in (guard.value if guard.parts is None else tuple(guard.parts), _unchangeable(guard.now())):
                seen += [] if any(is_same(value, one) for one in seen) else [value]
            if before <= FEW < len(seen):
                _warn(guard, len(seen))


def _unchangeable(value: object) -> object:
    """The value, or what is in it now where it may be changed in place."""
    parts = parts_of(value)
    return value if parts is None else tuple(parts)


def _is_numeric(value: object) -> bool:
    """Whether a tensor can take the place of the value."""
    if isinstance(value, list | tuple):
        return all(map(_is_numeric, value))
    return isinstance(value, int | float | complex | np.number)


def _warn(guard: AttributeGuard, count: int) -> None:
    """Say what makes the traces; each value is a constant of its program."""
    kind, name, value = type(guard.owner).__name__, guard.name, guard.now()
    if isinstance(value, Tensor):
        advice = f"change the tensor in place: module.{name}.copy_(x)"
    elif _is_numeric(value):
        advice = (f"make it a tensor, self.{name} = tz.tensor({value!r}), and change that in place: "
                  f"module.{name}.copy_(x)")
    else:
        advice = "set it less often, or pass what changes as a tensor"
    warnings.warn(f"attribute {name} of {kind} has had {count} values, and a program was compiled for each of them; "
                  f"{advice}", TraceWarning, stacklevel=frames_to_user())
