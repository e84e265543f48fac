"""Tensors whose number of rows is known only when a program runs, so that one program serves for any number."""

from __future__ import annotations

from tarazu.ir.types import TensorType
from tarazu.runtime.tensor.tensor import Tensor

MOST_ROWS = 2**32  # what a trace sees as their number; addresses of so many rows of 2**31 bytes fit 64 bits


class RowTable(Tensor):
    """An argument of a jitted function that only takes rows of it, by indices that are in range: `take(table, rows)`.

    The number of rows is no part of the call's signature. Nothing checks the indices in native code.
    """

    __slots__ = ()


def traced_type(x: Tensor) -> TensorType:
    """The type that the argument `x` of a jitted function has in the graph and in signatures."""
    shape = tuple(x.raw.shape)
    return TensorType((MOST_ROWS, *shape[1:]) if isinstance(x, RowTable) else shape, x.dtype)
