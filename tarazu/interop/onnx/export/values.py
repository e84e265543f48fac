"""What a value is while nodes of ONNX are written: a tensor whose axes may lie in another order, or a known array."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tarazu.base.dtypes import DType
from tarazu.interop.onnx.export.sizes import Dims

Order = tuple[int, ...]


@dataclass(eq=False, frozen=True)
class Value:
    """A value of shape `shape`, the tensor `name` of ONNX; axis j of that tensor is axis `order[j]` of the value.

    So a transpose costs nothing until someone needs the axes in their own order. A constant or a weight has an
    `array` in place of a name until it is used; a weight has its path in the model as `label`.
    """

    name: str
    shape: Dims
    dtype: DType
    order: Order
    array: np.ndarray | None = None
    label: str = ""

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_plain(self) -> bool:
        """Whether the axes of the tensor are in the value's own order."""
        return self.order == natural(self.rank)

    def transposed(self, permutation: Order) -> Value:
        """The value whose axis i is axis permutation[i] of this one; nothing is moved."""
        order = tuple(permutation.index(axis) for axis in self.order)
        return replace(self, shape=tuple(self.shape[axis] for axis in permutation), order=order)


def natural(rank: int) -> Order:
    return tuple(range(rank))


def constant(array: np.ndarray, dtype: DType, label: str = "") -> Value:
    """A value that is known; with a label, a weight of the model."""
    return Value("", array.shape, dtype, natural(array.ndim), array, label)


def named(name: str, shape: Dims, dtype: DType, order: Order | None = None) -> Value:
    """The value of a tensor of ONNX, whose axes are in the value's own order unless `order` says more."""
    return Value(name, shape, dtype, natural(len(shape)) if order is None else order)


def reordered(raw: Value, order: Order) -> Value:
    """The value whose tensor is that of `raw`, with axis j of the tensor as axis order[j]."""
    return raw.transposed(tuple(order.index(axis) for axis in natural(raw.rank)))
