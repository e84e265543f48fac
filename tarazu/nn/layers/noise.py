"""Layers that add or multiply noise while training."""

from __future__ import annotations

import math

from tarazu.base.errors import ArgumentError
from tarazu.nn.layers.regularization import RateLayer
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import add, multiply
from tarazu.ops.promote import as_float
from tarazu.runtime import random
from tarazu.runtime.tensor.tensor import Tensor


class GaussianNoise(Module):
    """In training, adds normal noise of mean 0 and standard deviation `std` to the inputs; in evaluation nothing.

    Any shape to the same. ArgumentError unless `std` is a finite number of at least 0.

    >>> import tarazu as tz
    >>> y = tz.nn.GaussianNoise(0.5)(tz.zeros((200, 200)))
    >>> bool(abs(y.std() - 0.5) < 0.02)
    True
    """

    def __init__(self, std: float) -> None:
        if not isinstance(std, int | float) or not 0 <= std < math.inf:
            raise ArgumentError(f"GaussianNoise: std={std!r}", expected="a finite number of at least 0",
                                fix="0.1 is a start where inputs have a standard deviation of 1")
        self._std = std

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self._std:
            return x
        x = as_float(x)
        return add(x, random.normal(x.shape, std=self._std, dtype=x.dtype))


class GaussianDropout(RateLayer):
    """In training, multiplies the inputs by normal noise of mean 1 and variance rate / (1 - rate).

    Mean and variance of the factors are those of `Dropout`'s (Srivastava and others, 2014). In evaluation the output is
    the input. ArgumentError for a rate that is not from 0 up to but not with 1.

    >>> import tarazu as tz
    >>> y = tz.nn.GaussianDropout(0.5)(tz.ones((200, 200)))
    >>> bool(abs(y.mean() - 1) < 0.05 and abs(y.std() - 1) < 0.05)
    True
    """

    def _drop(self, x: Tensor) -> Tensor:
        x, std = as_float(x), math.sqrt(self.rate / (1 - self.rate))
        return multiply(x, random.normal(x.shape, 1.0, std, dtype=x.dtype))
