"""Layers that only change the shape."""

from __future__ import annotations

from tarazu.nn.module.module import Module
from tarazu.ops.shape import flatten
from tarazu.runtime.tensor.tensor import Tensor


class Flatten(Module):
    """Makes all axes but the first (the batch) into one: (batch, ...) to (batch, features).

    >>> import tarazu as tz
    >>> tz.nn.Flatten()(tz.ones((2, 28, 28))).shape
    (2, 784)
    """

    def forward(self, x: Tensor) -> Tensor:
        return flatten(x, 1)
