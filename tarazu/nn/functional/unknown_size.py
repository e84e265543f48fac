"""The size of an axis that is known only when a functional model is called: that of `Input((None, 8))` over time.

It goes through shapes as a number that no axis has. Arithmetic with it raises, but for what an index from the front
needs, so that no operation keeps a size that another batch does not have; what does without it takes any size.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np

from tarazu.base.errors import TraceError
from tarazu.ir.structure import GraphStructure
from tarazu.ir.types import Shape

_STAND_IN = 4_993  # a prime number: few axes have its size, and an array of it is small if someone makes one
_MOST_CUT = 200  # numbers so far below it come of it too, as the end of a slice [:-1] does
TRIAL_SIZES = 32, 48  # in its place in the trial calls of modules: axes of the results that differ depend on it


class UnknownSize(int):
    """A size that is not known yet."""

    __slots__ = ()

    def __new__(cls) -> UnknownSize:
        return super().__new__(cls, _STAND_IN)

    def __repr__(self) -> str:
        return "None"

    def _not_known(self, *_: object) -> NoReturn:
        raise not_known()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _not_known
    __floordiv__ = __rfloordiv__ = __truediv__ = __rtruediv__ = __mod__ = _not_known
    __float__ = __pow__ = __rpow__ = _not_known

    def __rmod__(self, number: int) -> int:
        return number if 0 <= number < _STAND_IN else self._not_known()

    __str__ = __repr__


def not_known() -> TraceError:
    """The error for an operation that needs the size."""
    return TraceError("an operation that needs the size of an axis that an Input leaves open",
                      expected="layers, and operations that no size goes into, such as +, max, concat, x[:, 0]",
                      fix="call a layer that does it, such as Activation or GlobalAvgPool1D, or a Module of your own; "
                          "or give the size: tz.nn.Input((10, 8))")


def is_unknown(size: object) -> bool:
    """Whether it is the size of an axis that is not known."""
    return isinstance(size, UnknownSize)


def comes_of_unknown(value: Any) -> bool:
    """Whether an attribute of an operation, or a shape, holds such a size or one that was computed from it.

    Graphs do, as they are made for sizes that are known.
    """
    if isinstance(value, tuple | list):
        return any(map(comes_of_unknown, value))
    return _is_near(value) if isinstance(value, int | float) else isinstance(value, GraphStructure)


def holds_unknown(array: np.ndarray) -> bool:
    """Whether an array was made of such a size: it is that number, or an axis has it."""
    return comes_of_unknown(array.shape) or (not array.shape and array.dtype.kind in "iuf" and _is_near(array.item()))


def _is_near(number: float) -> bool:
    return _STAND_IN - _MOST_CUT < number <= _STAND_IN


def with_size(shape: Iterable[int], size: int) -> Shape:
    """The shape with `size` in place of what is not known."""
    return tuple(size if is_unknown(n) else n for n in shape)
