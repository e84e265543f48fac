"""State that a program renews at each call, like the parameters in a train step, in memory that is used again.

A call gets for its new state the memory of the state before the last, once nobody holds that: large arrays that are
made anew cost the operating system more time to map than a program takes to fill them, and small ones cost Python.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

GENERATIONS = 2  # the state that is in use, and the one before
_of = ctypes.addressof
_byte_of = ctypes.c_char.from_buffer


class _Program(Protocol):
    outputs: list[tuple[Any, Any]]  # shapes and dtypes

    def run(self, arguments: Sequence[int]) -> None: ...


def address(array: np.ndarray, copies: list[np.ndarray]) -> int:
    """Where the elements lie in C order: if they do not, in a copy, which is put into `copies`."""
    try:
        return _of(_byte_of(array))  # the fast way, which takes neither read-only arrays nor empty or strided ones
    except (TypeError, ValueError, BufferError):
        if not array.flags.c_contiguous:
            array = np.array(array, order="C")
            copies.append(array)
        return array.ctypes.data


_Place = tuple[np.ndarray, int]  # an array and its address
_NOWHERE: tuple[None, int] = (None, 0)


def _references(places: list[_Place]) -> list[int]:
    return [sys.getrefcount(array) for array, _ in places]


_FREE = _references([(np.empty(0), 0)])[0]  # of an array that only its place holds; whoever has a view of it holds it too


class Renewing:
    """A program for one caller, which at each call drops the state that it had before: the outputs from `first` on.

    Several threads may call it at once. It keeps two generations of the state at most.
    """

    def __init__(self, program: _Program, first: int) -> None:
        self.program = program
        self._results, self._state = program.outputs[:first], program.outputs[first:]
        self._all_free = [_FREE] * len(self._state)
        self._generations: deque[list[_Place]] = deque()  # the oldest first, without those of calls under way
        self._known: dict[int, _Place] = {}  # by id of the array, of all generations; holds it, so the id stays its own
        self._lock = threading.Lock()

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        state = self._next()
        try:
            results = [np.empty(*made) for made in self._results]
            copies: list[np.ndarray] = []
            known = self._known.get
            places = [known(id(x), _NOWHERE)[1] or address(x, copies) for x in (*arrays, *results)]
            self.program.run([*places, *[place for _, place in state]])
            return [*results, *[array for array, _ in state]]
        finally:
            self._keep(state)

    def _next(self) -> list[_Place]:
        """Arrays for the new state that nobody else holds."""
        with self._lock:
            state = self._generations.popleft() if len(self._generations) == GENERATIONS else None
        if state is None:
            return [self._new(made) for made in self._state]
        references = _references(state)
        if references != self._all_free:
            for i, count in enumerate(references):
                if count != _FREE:
                    self._known.pop(id(state[i][0]))
                    state[i] = self._new(self._state[i])
        return state

    def _new(self, made: tuple[Any, Any]) -> _Place:
        array = np.empty(*made)
        place = self._known[id(array)] = array, address(array, [])
        return place

    def _keep(self, state: list[_Place]) -> None:
        with self._lock:
            if len(self._generations) < GENERATIONS:
                self._generations.append(state)
                return
        for array, _ in state:
            del self._known[id(array)]
