"""The values of tensors at one moment, to go back to: by reference, as arrays never change, or beside large weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tarazu.ops.elementwise import where
from tarazu.runtime import random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import replace_data

Snapshot = list[tuple[Tensor, Any]]


def snapshot(tensors: Iterable[Tensor]) -> Snapshot:
    """The values of `tensors` as they are now."""
    return [(x, x.raw) for x in tensors]


def restore(values: Snapshot) -> None:
    """Put the values of a snapshot back."""
    for x, raw in values:
        replace_data(x, raw)


class Beside:
    """Memory beside that of large weights: `fit` goes back to what they were before a step without a copy of them.

    A step leaves the weights as they are, and their new values here, in place of those from before the last step;
    `exchange` makes these the weights.
    """

    def __init__(self, weights: Iterable[Tensor]) -> None:
        self.pairs = tuple([(x, Tensor(_nothing(x))) for x in weights])

    def are_of(self, weights: Iterable[Tensor]) -> bool:
        """Whether these are the weights, with the shapes that they had."""
        return [(id(x), x.shape, x.dtype) for x in weights] == [(id(x), y.shape, y.dtype) for x, y in self.pairs]

    def take(self, before: Snapshot, is_good: Tensor) -> None:
        """In a step: take the new values of the weights, if that is so, and give the weights those of `before`."""
        with no_grad():
            for x, other in self.pairs:
                other.copy_(where(is_good, x.detach(), other))
        restore(before)

    def exchange(self) -> None:
        """After a good step: let the weights be what is beside them, and the reverse."""
        for x, other in self.pairs:
            before = x.raw
            replace_data(x, other.raw)
            replace_data(other, before)

    def values(self) -> Snapshot:
        """What is beside the weights, as values of theirs."""
        return [(x, other.raw) for x, other in self.pairs]

    def clear(self) -> None:
        """Give the memory back."""
        for x, other in self.pairs:
            replace_data(other, _nothing(x))


def _nothing(x: Tensor) -> np.ndarray:
    """Zeros like `x`, which take no memory until they are written to."""
    return np.zeros(x.shape, x.dtype.numpy)


@contextlib.contextmanager
def keeping_random_state() -> Iterator[None]:
    """A block after which the global generator is where it was, so that what it draws changes no later draw."""
    before = snapshot([random.default.state])
    try:
        yield
    finally:
        restore(before)
