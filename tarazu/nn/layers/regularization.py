"""Layers that only change the signal while training, and the one that only changes its shape."""

from __future__ import annotations

from typing import Any

from tarazu.nn.module.module import Module
from tarazu.ops import shape
from tarazu.runtime import random
from tarazu.runtime.random.distributions import require_rate


class Dropout(Module):
    """In training, sets a share `rate` of the inputs to 0 and scales the rest by 1 / (1 - rate): the mean stays.

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, 2014; the scaling at training time is usual today.

    >>> import tarazu as tz
    >>> tz.nn.Dropout(0.5).eval()(tz.ones(3))
    Tensor([1., 1., 1.], dtype=float32)
    """

    def __init__(self, rate: float) -> None:
        require_rate(rate)
        self._rate = rate

    def forward(self, x: Any) -> Any:
        return random.dropout(x, self._rate) if self.training else x


class Flatten(Module):
    """Makes all axes but the first (the batch) into one.

    >>> import tarazu as tz
    >>> tz.nn.Flatten()(tz.ones((2, 28, 28))).shape
    (2, 784)
    """

    def forward(self, x: Any) -> Any:
        return shape.flatten(x, 1)
