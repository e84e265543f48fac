"""The attributes that are set in a trace, and what they held before; also what was in their lists and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tarazu.base.pytree import flatten


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
            parts = [(container, container.copy()) for container in _containers_in(value)]
            self._contents[key] = Content(owner, name, value, parts)

    def take_contents(self, is_new: Callable[[object], bool]) -> list[tuple[Any, str, Any]]:
        """Put back what was in lists and dicts that got something new, and give copies of what they hold now, with the
        owners and names of their attributes."""
        found = []
        for owner, name, value, _ in (changed := [x for x in self._contents.values() if is_new(x.value)]):
            leaves, structure = flatten(value)
            if vars(owner).get(name) is value:
                found.append((owner, name, structure.rebuild(leaves)))
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


def _containers_in(value: object) -> Iterator[list | dict]:
    """The lists and dicts in a nested container, and itself."""
    if isinstance(value, list | dict):
        yield value
    if isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _containers_in(item)
