"""Types in the signatures of rules, of gradients and of batching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from tarazu.ops.typing import Tensor

AxisTuple: TypeAlias = tuple[int, ...]
AxisPair: TypeAlias = tuple[AxisTuple, AxisTuple]  # the contracted or the batch axes of both sides of a product
Flags: TypeAlias = tuple[bool, ...]  # one for each input, output, ...
Tensors: TypeAlias = Sequence[Tensor]
Cotangents: TypeAlias = Sequence[Tensor | None]  # None where no gradient comes from, or is wanted

__all__ = ["AxisPair", "AxisTuple", "Cotangents", "Flags", "Tensor", "Tensors"]


def with_nones(values: Cotangents, flags: Flags) -> list[Tensor | None]:
    """The values in order where `flags` are True, and None elsewhere.

    >>> with_nones("ab", (True, False, True))
    ['a', None, 'b']
    """
    rest = iter(values)
    return [next(rest) if flag else None for flag in flags]
