"""Layers that only change the signal while training, and the one that only changes its shape."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.nn.module import Module
from tarazu.ops import shape
from tarazu.ops.elementwise import where
from tarazu.runtime import random


class Dropout(Module):
    """In training, sets a share `rate` of the inputs to 0 and scales the rest by 1 / (1 - rate): the mean stays.

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, 2014; the scaling at training time is usual today.

    >>> import tarazu as tz
    >>> tz.nn.Dropout(0.5).eval()(tz.ones(3))
    Tensor([1., 1., 1.], dtype=float32)
    """

    def __init__(self, rate: float) -> None:
        if not isinstance(rate, int | float) or not 0 <= rate < 1:
            raise ArgumentError(f"rate={rate!r}", expected="a share from 0 up to but not with 1",
                                fix="typical rates are 0.1 to 0.5")
        self._rate = rate

    def forward(self, x: Any) -> Any:
        if not self.training or self._rate == 0:
            return x
        keep = 1 - self._rate
        return where(random.bernoulli(keep, x.shape), x * (1 / keep), 0)


class Flatten(Module):
    """Makes all axes but the first (the batch) into one.

    >>> import tarazu as tz
    >>> tz.nn.Flatten()(tz.ones((2, 28, 28))).shape
    (2, 784)
    """

    def forward(self, x: Any) -> Any:
        return shape.flatten(x, 1)
