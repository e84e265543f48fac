"""What is known of a tensor before its values are: shape and dtype."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from tarazu.base.dtypes import DType

Shape = tuple[int, ...]


class TensorType(NamedTuple):
    """Shape and dtype of a tensor.

    >>> from tarazu.base.dtypes import float32
    >>> print(TensorType((2, 3), float32))
    float32[2,3]
    """

    shape: Shape
    dtype: DType

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class Signature(Protocol):
    """What type rules ask of a graph: the types of its inputs and outputs."""

    @property
    def input_types(self) -> tuple[TensorType, ...]: ...

    @property
    def output_types(self) -> tuple[TensorType, ...]: ...
