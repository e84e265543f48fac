"""What is known of a tensor before its values are: shape and dtype."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from tarazu.base.dtypes import DType

Shape = tuple[int, ...]
# The attribute `gradient` of a call that brings its own: a rule like those of transform/gradient/rules.py
CallGradient: TypeAlias = Callable[..., Sequence[Any]]


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
        """The number of elements."""
        return math.prod(self.shape)


ResultType: TypeAlias = TensorType | tuple[TensorType, ...]  # of a primitive: several types for several results


class Data(Protocol):
    """What a value holds: an array of a backend, or, while tracing, a node."""

    @property
    def shape(self) -> Shape: ...

    @property
    def dtype(self) -> Any: ...


class Signature(Protocol):
    """A graph as type rules see it: the types of its inputs and outputs."""

    @property
    def input_types(self) -> tuple[TensorType, ...]: ...

    @property
    def output_types(self) -> tuple[TensorType, ...]: ...
