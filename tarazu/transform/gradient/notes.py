"""What is attached to nodes of the gradient tape beside what gradients need: a name, hooks, the user's line."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

from tarazu.base.errors import GradientError, ShapeError
from tarazu.transform.typing import Tensor

HookFunction: TypeAlias = Callable[[Tensor], Tensor | None]  # from a cotangent to what takes its place; None keeps it
_numbers = itertools.count()


class _Changes:
    last = -1  # another number after each change of the hooks of any node


def last_hook_change() -> int:
    """A number that stays as long as no hook is registered or removed."""
    return _Changes.last


class Notes:
    """The notes of one `TapeNode` or `Leaf`; most have none."""

    __slots__ = ("hooks", "label", "line")

    def __init__(self) -> None:
        self.label: str | None = None  # the function that users called, where it is not the primitive: "mean"
        self.line: str | None = None  # "train.py:12", kept while debugging
        self.hooks: dict[int, tuple[int, HookFunction]] = {}  # by number: of which result, and what to call

    def run_hooks(self, cotangents: list[Tensor | None]) -> list[Tensor | None]:
        """The cotangents of the results, each replaced by what its hooks return, if that is not None."""
        for index, hook in list(self.hooks.values()):
            cotangent = cotangents[index]
            if cotangent is not None:
                cotangents[index] = _replaced(hook(cotangent), cotangent)
        return cotangents


def hooks_of(entry: Any) -> tuple[int, ...]:
    """The numbers of the hooks of the node that a tape entry belongs to; none for None."""
    return tuple(entry.node.notes.hooks) if entry is not None and entry.node.notes is not None else ()


def _replaced(new: Tensor | None, old: Tensor) -> Tensor:
    if new is None:
        return old
    if getattr(new, "shape", None) != old.shape:
        what = f"a value of shape {new.shape}" if hasattr(new, "shape") else type(new).__name__
        raise ShapeError(f"a gradient hook gave {what} for a gradient of shape {old.shape}",
                         expected=f"None, or a tensor of shape {old.shape}",
                         fix="return the changed gradient, or nothing to leave it as it is")
    return new


def notes_of(entry: Any) -> Notes:
    """The notes of the node that a tape entry belongs to, made when there are none yet."""
    node = entry.node
    if node.notes is None:
        node.notes = Notes()
    return node.notes


class Hook:
    """What `Tensor.register_hook` returns: `remove()` takes the hook away again.

    >>> import tarazu as tz
    >>> x = tz.ones(1, requires_grad=True)
    >>> hook = x.register_hook(lambda g: g * 10)
    >>> (x * 2).sum().backward()
    >>> hook.remove()
    >>> (x * 2).sum().backward()
    >>> x.grad
    Tensor([22.], dtype=float32)
    """

    def __init__(self, entry: Any, function: HookFunction) -> None:
        if entry is None:
            raise GradientError("a gradient hook on a tensor that nothing is recorded for",
                                expected="a tensor with requires_grad=True, or a result of such tensors",
                                fix="call x.requires_grad_() first")
        self._hooks, self._number = notes_of(entry).hooks, next(_numbers)
        self._hooks[self._number] = entry.index, function
        _Changes.last = self._number

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._number, None)
        _Changes.last = next(_numbers)
