"""What is noted at a place on the gradient tape beside what gradients need: a name, hooks, the user's line."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tarazu.base.errors import GradientError, ShapeError

_numbers = itertools.count()


class Notes:
    """The notes at one `TapeNode` or `Leaf`; most have none."""

    __slots__ = ("hooks", "label", "line")

    def __init__(self) -> None:
        self.label: str | None = None  # the function that users called, where it is not the primitive: "mean"
        self.line: str | None = None  # "train.py:12", noted while debugging
        self.hooks: dict[int, tuple[int, Callable[[Any], Any]]] = {}  # by number: which result, and what to call

    def hooked(self, cotangents: list[Any]) -> list[Any]:
        """The cotangents of the results after the hooks have seen, and perhaps replaced, them."""
        for index, hook in list(self.hooks.values()):
            if cotangents[index] is not None:
                cotangents[index] = _replaced(hook(cotangents[index]), cotangents[index])
        return cotangents


def hooks_at(entry: Any) -> tuple[int, ...]:
    """Which hooks stand at the place on the tape that `tape_entry` leads to."""
    return tuple(entry.node.notes.hooks) if entry is not None and entry.node.notes is not None else ()


def _replaced(new: Any, old: Any) -> Any:
    if new is None:
        return old
    if getattr(new, "shape", None) != old.shape:
        what = f"a value of shape {new.shape}" if hasattr(new, "shape") else type(new).__name__
        raise ShapeError(f"a gradient hook gave {what} for a gradient of shape {old.shape}",
                         expected=f"None, or a tensor of shape {old.shape}",
                         fix="return the changed gradient, or nothing to leave it as it is")
    return new


def notes_of(entry: Any) -> Notes:
    """The notes at the place on the tape that `tape_entry` leads to, made when there are none yet."""
    node = entry.node
    if node.notes is None:
        node.notes = Notes()
    return node.notes


class Hook:
    """What `register_hook` gives: `remove()` takes the hook away again."""

    def __init__(self, entry: Any, function: Callable[[Any], Any]) -> None:
        if entry is None:
            raise GradientError("a gradient hook on a tensor that nothing is recorded for",
                                expected="a tensor with requires_grad=True, or a result of such tensors",
                                fix="call x.requires_grad_() first")
        self._hooks, self._number = notes_of(entry).hooks, next(_numbers)
        self._hooks[self._number] = entry.index, function

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._number, None)
