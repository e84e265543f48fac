"""What lists and dicts hold, kept to ask at each call whether they hold the same objects still."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from operator import is_

import numpy as np


class Contents:
    """The objects in a list or a dict, nested too, at one time: a later look costs one pass over them."""

    def __init__(self, value: object) -> None:
        self._value = value
        self._views = [*_views(value)]
        self._sizes = [*map(len, self._views)]
        self.items = [*chain.from_iterable(self._views)]

    def are_those_of(self, value: object) -> bool:
        """Whether it is that list or dict, and the same objects are at the same places in it."""
        return (value is self._value and [*map(len, self._views)] == self._sizes
                and all(map(is_, chain.from_iterable(self._views), self.items)))


def contents_of(value: object) -> Contents | None:
    """What is in a list or a dict; None for other values, and where an array, which may be written to, is in it."""
    contents = Contents(value) if type(value) in (list, dict) else None
    return None if contents is None or np.ndarray in map(type, contents.items) else contents


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
