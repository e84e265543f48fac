"""The attributes that are set in a trace, and what they held before; also what was in their lists and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tarazu.base.pytree import flatten
from tarazu.runtime.trace.contents import containers_in, content_of, holds


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


class Content(NamedTuple):
    """A list or dict that an attribute held when it was first read, and what was in it and in those inside it."""

    owner: Any
    name: str
    value: list | dict
    parts: list[tuple[list | dict, list | dict]]

    @property
    def is_current(self) -> bool:
        """Whether they hold what was in them; seen at once also of large ones."""
        return all(holds(container, content_of(before)) for container, before in self.parts)

    def restore(self) -> None:
        """Put back what was in them."""
        for container, before in self.parts:
            container.clear()
            if isinstance(container, list) and isinstance(before, list):
                container.extend(before)
            elif isinstance(container, dict):
                container.update(before)


class SetAttributes:
    """The attributes that are set in a trace, but for those of objects that it makes."""

    def __init__(self) -> None:
        self._set: dict[tuple[int, str], SetAttribute] = {}
        self._made: dict[int, Any] = {}
        self._contents: dict[tuple[int, str], Content] = {}

    def note(self, owner: Any, name: str) -> None:
        """Called before one is set."""
        content = vars(owner)
        if not content:
            self._made[id(owner)] = owner
        if id(owner) not in self._made:
            self._set.setdefault((id(owner), name), SetAttribute(owner, name, content.get(name, Deleted)))

    def note_content(self, owner: Any, name: str, value: object) -> None:
        """Called when an attribute is read."""
        key = id(owner), name
        if isinstance(value, list | dict) and key not in self._contents and id(owner) not in self._made:
            parts = [(container, container.copy()) for container in containers_in(value)]
            self._contents[key] = Content(owner, name, value, parts)

    def take_contents(self, is_new: Callable[[object], bool]) -> list[tuple[Any, str, Any]]:
        """Put back what was in lists and dicts that got something new, and give copies of what they hold now, with the
        owners and names of their attributes."""
        changed = [x for x in self._contents.values() if not x.is_current and is_new(x.value)]
        found = [(x.owner, x.name, _copy(x.value)) for x in changed if vars(x.owner).get(x.name) is x.value]
        for content in changed:
            content.restore()
        return found

    def add(self, inner: SetAttributes) -> None:
        """Take over what a trace inside this one set."""
        self._set = {**inner._set, **self._set}

    def was_shared(self, one: SetAttribute, x: object) -> bool:
        """Whether another attribute beside it held an object before."""
        content = {**vars(one.owner), **{each.name: each.before for each in self if each.owner is one.owner}}
        return any(value is x for name, value in content.items() if name != one.name)

    def __iter__(self) -> Iterator[SetAttribute]:
        return iter(list(self._set.values()))


def _copy(value: object) -> object:
    """The nested container with containers of its own."""
    leaves, structure = flatten(value)
    return structure.rebuild(leaves)
