"""Layers that only change the signal while training."""

from __future__ import annotations

from tarazu.nn.module.module import Module
from tarazu.runtime import random
from tarazu.runtime.random.distributions import require_rate
from tarazu.runtime.tensor.tensor import Tensor


class Dropout(Module):
    """In training, sets a share `rate` of the inputs to 0 and scales the rest by 1 / (1 - rate): the mean stays.

    In evaluation the output is the input (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, 2014, who scale
    there instead). ArgumentError for a rate that is not from 0 up to but not with 1.

    >>> import tarazu as tz
    >>> tz.nn.Dropout(0.5).eval()(tz.ones(3))
    Tensor([1., 1., 1.], dtype=float32)
    """

    def __init__(self, rate: float) -> None:
        require_rate(rate)
        self._rate = rate

    def forward(self, x: Tensor) -> Tensor:
        return random.dropout(x, self._rate) if self.training else x
