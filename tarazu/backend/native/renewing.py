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


def _references(arrays: list[np.ndarray]) -> list[int]:
    return [sys.getrefcount(x) for x in arrays]


_FREE = _references([np.empty(0)])[0]  # of an array that only one list holds; whoever has a view of it holds it too


class _Generation:
    """The arrays of one state, and where they lie."""

    def __init__(self, made: Sequence[tuple[Any, Any]]) -> None:
        self.arrays = [np.empty(*one) for one in made]
        self.addresses = [address(x, []) for x in self.arrays]
        self._free = [_FREE] * len(made)

    def held(self) -> list[int]:
        """The numbers of the arrays that somebody else holds."""
        found = _references(self.arrays)
        return [] if found == self._free else [i for i, count in enumerate(found) if count != _FREE]

    def renew(self, i: int) -> None:
        self.arrays[i] = new = np.empty_like(self.arrays[i])
        self.addresses[i] = address(new, [])


class Renewing:
    """A program for one caller, which at each call drops the state that it had before: the outputs from `first` on.

    Several threads may call it at once. It keeps two generations of the state at most.
    """

    def __init__(self, program: _Program, first: int) -> None:
        self.program = program
        self._results, self._state = program.outputs[:first], program.outputs[first:]
        self._generations: deque[_Generation] = deque()  # the oldest first, without those of calls under way
        self._addresses: dict[int, int] = {}  # by id, of the arrays of all generations
        self._lock = threading.Lock()

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        generation = self._next()
        try:
            results = [np.empty(*made) for made in self._results]
            self._run([*arrays, *results], generation.addresses)
            return results + generation.arrays
        finally:
            self._keep(generation)

    def _run(self, arrays: list[np.ndarray], state: list[int]) -> None:
        copies: list[np.ndarray] = []
        found: list[Any] = list(map(self._addresses.get, map(id, arrays)))
        for i, known in enumerate(found):
            if known is None:
                found[i] = address(arrays[i], copies)
        self.program.run(found + state)

    def _next(self) -> _Generation:
        """A generation whose arrays nobody holds."""
        with self._lock:
            generation = self._generations.popleft() if len(self._generations) == GENERATIONS else None
        if generation is None:
            generation = _Generation(self._state)
            self._addresses.update(zip(map(id, generation.arrays), generation.addresses, strict=True))
        for i in generation.held():
            del self._addresses[id(generation.arrays[i])]
            generation.renew(i)
            self._addresses[id(generation.arrays[i])] = generation.addresses[i]
        return generation

    def _keep(self, generation: _Generation) -> None:
        with self._lock:
            if len(self._generations) < GENERATIONS:
                self._generations.append(generation)
                return
        for array in generation.arrays:
            del self._addresses[id(array)]
