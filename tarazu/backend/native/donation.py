"""Donated buffers: a program that replaces its state, such as parameters, at each call writes into that of old states.

A call puts its new state into the memory of an earlier state, to whose arrays no one else refers any more. New arrays
would cost more: large ones take the operating system longer to map than a program takes to fill them, small ones cost
Python time.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from tarazu.ir.types import Shape

GENERATIONS = 3  # at most: the state that is in use, the one before, which `fit` holds too, and the one before that
_addressof = ctypes.addressof
_first_byte: Callable[[Any], Any] = ctypes.c_char.from_buffer
Spec = tuple[Shape, np.dtype]  # of an array


class _Runnable(Protocol):
    outputs: list[Spec]

    def run(self, arguments: Sequence[int]) -> None: ...


def address(array: np.ndarray, copies: list[np.ndarray]) -> int:
    """Where the elements lie in C order: if they do not, in a copy, which is put into `copies`."""
    try:
        return _addressof(_first_byte(array))  # fast, but not for read-only, empty or strided arrays
    except (TypeError, ValueError, BufferError):
        if not array.flags.c_contiguous:
            array = np.array(array, order="C")
            copies.append(array)
        return array.__array_interface__["data"][0]


def addresses(arrays: list[np.ndarray], copies: list[np.ndarray]) -> list[int]:
    """`address` of each."""
    try:
        return [_addressof(_first_byte(x)) for x in arrays]  # the usual case, without a call for each
    except (TypeError, ValueError, BufferError):
        return [address(x, copies) for x in arrays]


def _references(arrays: list[np.ndarray]) -> list[int]:
    return [sys.getrefcount(x) for x in arrays]


_FREE = _references([np.empty(0)])[0]  # of an array that only one list refers to; a view of it would refer to it too


class _Generation:
    """The arrays of one state, and where they lie."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        self.arrays = [np.empty(shape, dtype) for shape, dtype in specs]
        self.addresses = [address(x, []) for x in self.arrays]
        self._free = [_FREE] * len(specs)

    def is_free(self) -> bool:
        """Whether no one else refers to any of the arrays."""
        return _references(self.arrays) == self._free


class Donating:
    """A program for one caller that drops its old state at each call; the state are the outputs from `first` on.

    It keeps as many generations of the state as are in use, and a free one. Several threads may call it at once.
    """

    def __init__(self, program: _Runnable, first: int) -> None:
        self.program = program
        self._results, self._state = program.outputs[:first], program.outputs[first:]
        self._waiting: deque[_Generation] = deque()  # the oldest first, without those of calls under way
        self._alive: set[_Generation] = set()  # with those, even if interrupted: an id stays its array's
        self._addresses: dict[int, int] = {}  # by id, of the arrays of these
        self._lock = threading.Lock()

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        state = self._next()
        try:
            results = [np.empty(shape, dtype) for shape, dtype in self._results]
            copies: list[np.ndarray] = []
            known = self._addresses.get
            addresses = [known(id(x)) or address(x, copies) for x in (*arrays, *results)]
            self.program.run(addresses + state.addresses)
            return results + state.arrays
        finally:
            self._keep(state)

    def _next(self) -> _Generation:
        """A generation that no one else refers to."""
        with self._lock:
            for state in self._waiting:
                if state.is_free():
                    self._waiting.remove(state)
                    return state
            if len(self._waiting) == GENERATIONS:
                self._forget(self._waiting.popleft())
            state = _Generation(self._state)
            self._alive.add(state)
            self._addresses.update(zip(map(id, state.arrays), state.addresses, strict=True))
            return state

    def _keep(self, state: _Generation) -> None:
        with self._lock:
            if len(self._waiting) < GENERATIONS:
                self._waiting.append(state)
            else:
                self._forget(state)

    def _forget(self, state: _Generation) -> None:
        for array in state.arrays:
            self._addresses.pop(id(array), None)
        self._alive.discard(state)
