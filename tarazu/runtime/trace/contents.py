"""What lists and dicts hold, kept to ask at each call whether they hold the same objects still."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, ValuesView
from itertools import chain
from operator import is_
from typing import Any

import numpy as np


class Contents:
    """The objects in some lists and dicts, nested too, at one time: a later look costs one pass over all of them."""

    def __init__(self, containers: Sequence[object]) -> None:
        self.containers = containers
        views = [view for container in containers for view in _views(container)]
        self._sized = [view for view in views if not isinstance(view, ValuesView)]  # a dict's keys are as many
        self._sizes = [*map(len, self._sized)]
        self._filled = [view for view in views if view]
        self.items = [*chain.from_iterable(self._filled)]

    def are_unchanged(self) -> bool:
        """Whether the same objects are at the same places."""
        return ([*map(len, self._sized)] == self._sizes
                and all(map(is_, chain.from_iterable(self._filled), self.items)))


def containers_in(value: object) -> Iterator[list | dict]:
    """The lists and dicts that a value is or holds; they may change where no attribute does."""
    if isinstance(value, list | dict):
        yield value
    if isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers_in(item)


def content_of(container: list | dict) -> Sequence[Any]:
    """What a list holds, or the keys and the values of a dict."""
    return [*container, *container.values()] if isinstance(container, dict) else [*container]


def holds(container: list | dict, content: Sequence[object]) -> bool:
    """Whether `content_of` the container is made of these objects."""
    now = content_of(container) if isinstance(container, dict) else container
    return len(now) == len(content) and all(map(is_, now, content))


def can_be_kept(value: object) -> bool:
    """Whether a value is a list or a dict without an array in it, which may be written to."""
    return type(value) in (list, dict) and np.ndarray not in map(type, Contents([value]).items)


def _views(value: object) -> Iterator[Collection[object]]:
    """A list, or the keys and the values of a dict, as they are whenever one looks; and so on in what is inside."""
    if type(value) is dict:
        assert isinstance(value, dict)
        yield value.keys()
        yield value.values()
        yield from chain.from_iterable(map(_views, value.values()))
    elif type(value) in (list, tuple):
        assert isinstance(value, list | tuple)
        yield value
        yield from chain.from_iterable(map(_views, value))
