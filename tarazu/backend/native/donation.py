"""Donated buffers: a program that replaces its state, such as parameters, at each call writes into that of old states.

A call puts its new state into the memory of an earlier state, to whose arrays no one else refers any more. New arrays
would cost more: large ones take the operating system longer to map than a program takes to fill them, small ones cost
Python time. What the program renews in place, which it does with the large arrays, lies in the memory of the old state
itself, or in a copy of it where someone else refers to that.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from tarazu.backend.base import Renewed
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
_NOTHING = np.empty(0)


def _owned(array: np.ndarray) -> np.ndarray:
    """An array of the call's arguments, which is to be written to: a copy where someone else may see its memory."""
    is_free = sys.getrefcount(array) <= _GIVEN and array.base is None
    return array if is_free and array.flags.carray and array.flags.owndata else np.array(array, order="C")


class _LikeACall:
    """Counts as `Donating` and `_owned` do when they are called: how many references a call has is up to Python."""

    def __call__(self, *arrays: np.ndarray) -> list[int]:
        return self._counts(arrays)

    def _counts(self, arrays: Sequence[np.ndarray]) -> list[int]:
        return [_count(arrays[i]) for i in (0,)]


def _count(array: np.ndarray) -> int:
    return sys.getrefcount(array)


def _given() -> int:
    tensor = [np.empty(0)]
    inputs = [tensor[0]]
    return _LikeACall()(*inputs)[0]


_GIVEN = _given()  # references to an array in `_owned` that a tensor and the caller's list hold beside the call


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

    It keeps as many generations of the state as are in use, and a free one; but nothing of what the program renews in
    place, outputs with the inputs that they come from. Several threads may call it at once.
    """

    def __init__(self, program: _Runnable, first: int, renewed: Renewed = ()) -> None:
        self.program, self._renewed = program, renewed
        in_place = {new for new, _ in renewed}
        self._results = program.outputs[:first]
        self._kept = [i for i in range(first, len(program.outputs)) if i not in in_place]
        self._state = [program.outputs[i] for i in self._kept]
        self._one_at_a_time = threading.Lock()  # for programs that renew something in place
        self._waiting: deque[_Generation] = deque()  # the oldest first, without those of calls under way
        self._alive: set[_Generation] = set()  # with those, even if interrupted: an id stays its array's
        self._addresses: dict[int, int] = {}  # by id, of the arrays of these
        self._lock = threading.Lock()

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        if self._renewed:
            with self._one_at_a_time:
                return self._renewing(arrays)
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

    def _renewing(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs of a call, some of them in the place of inputs."""
        owned = [_owned(arrays[old]) for _, old in self._renewed]
        state = self._next()
        try:
            inputs, outputs = [*arrays], [np.empty(shape, dtype) for shape, dtype in self._results]
            outputs += [_NOTHING] * (len(self.program.outputs) - len(outputs))
            for number, array in zip(self._kept, state.arrays, strict=True):
                outputs[number] = array
            for (new, old), array in zip(self._renewed, owned, strict=True):
                inputs[old] = outputs[new] = array
            copies: list[np.ndarray] = []
            self.program.run([address(x, copies) for x in (*inputs, *outputs)])
            return outputs
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
