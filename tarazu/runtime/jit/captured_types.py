"""Whether what a jitted function captured has the types still that it had when it was traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_, itemgetter
from typing import Any

from tarazu.ir.types import Data, TensorType

LARGE_STATE = 2**20  # bytes of a tensor from which on its new value may be written where the old one lies


def items_at(numbers: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A function of a sequence that gives the items of these numbers."""
    return itemgetter(*numbers) if len(numbers) > 1 else lambda items: [items[i] for i in numbers]


class CapturedTypes:
    """The types of what was captured. Arrays that the last call wrote are known to have them, and to see that they are
    the same takes less time than to ask for dtypes and shapes."""

    def __init__(self, types: Sequence[TensorType], renewed: Sequence[tuple[int, int]]) -> None:
        """`renewed` are the numbers of small tensors of which each call writes the value for the next one, and those of
        the outputs that are it."""
        self._types = _parts(types)
        inputs = [i for i, _ in renewed]
        self._renewed_of, self._values_of = items_at(inputs), items_at([output for _, output in renewed])
        self._others = [i for i in range(len(types)) if i not in inputs]
        self._types_of_others = _parts([types[i] for i in self._others])
        self._written: Sequence[Data] | None = None  # by the last call

    def fit(self, data: list[Data]) -> bool:
        """Whether the arrays have these types."""
        types, written = self._types, self._written
        if written is not None:
            if all(map(is_, self._renewed_of(data), written)):
                data, types = [data[i] for i in self._others], self._types_of_others
            else:
                self._written = None  # what a program wrote it uses again once nobody holds it
        return ([x.dtype for x in data], [x.shape for x in data]) == types

    def note(self, outputs: Sequence[Data]) -> None:
        """A call has given these outputs."""
        self._written = self._values_of(outputs)


def _parts(types: Sequence[TensorType]) -> tuple[list, list]:
    """Of the arrays of these types the dtypes, and the shapes."""
    return [one.dtype.numpy for one in types], [one.shape for one in types]
