"""The attributes that are set in a trace, and what they held before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class Deleted:
    """In place of a value: there is none any more."""


class SetAttribute(NamedTuple):
    """An attribute that was set, and what it held before."""

    owner: Any
    name: str
    before: object  # `Deleted` where it was not there

    @property
    def now(self) -> object:
        """What it holds."""
        return vars(self.owner).get(self.name, Deleted)

    def restore(self) -> None:
        """Let it hold what it held before."""
        if self.before is Deleted:
            vars(self.owner).pop(self.name, None)
        else:
            vars(self.owner)[self.name] = self.before


class SetAttributes:
    """The attributes that are set in a trace, but for those of objects that it makes."""

    def __init__(self) -> None:
        self._set: dict[tuple[int, str], SetAttribute] = {}
        self._made: dict[int, Any] = {}

    def note(self, owner: Any, name: str) -> None:
        """Called before one is set."""
        content = vars(owner)
        if not content:
            self._made[id(owner)] = owner
        if id(owner) not in self._made:
            self._set.setdefault((id(owner), name), SetAttribute(owner, name, content.get(name, Deleted)))

    def add(self, inner: SetAttributes) -> None:
        """Take over what a trace inside this one set."""
        self._set = {**inner._set, **self._set}

    def was_shared(self, one: SetAttribute, x: object) -> bool:
        """Whether another attribute beside it held an object before."""
        content = {**vars(one.owner), **{each.name: each.before for each in self if each.owner is one.owner}}
        return any(value is x for name, value in content.items() if name != one.name)

    def __iter__(self) -> Iterator[SetAttribute]:
        return iter(list(self._set.values()))
