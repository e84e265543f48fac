"""Masks over sequences, booleans (batch, time), True where there is a value: a layer that makes them, and pooling.

How they go from layer to layer is in nn/module/masks.py.
"""

from __future__ import annotations

import math

from tarazu.base.errors import ArgumentError
from tarazu.nn.layers.checks import require_sequences
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import divide, isnan, maximum, not_equal, where
from tarazu.ops.networks.recurrent import checked_time_mask
from tarazu.ops.reduce import any as any_of
from tarazu.ops.reduce import max, mean, sum
from tarazu.ops.shape import expand_dims
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


class Masking(Module):
    """Marks the steps whose features are all `value` as padding: (batch, time, features) to the same, with zeros there.

    The layers behind it that take a mask get that of `compute_mask`. `value` may be NaN.
    ArgumentError for a value that is no number, ShapeError for an input that is no batch of sequences.

    >>> import tarazu as tz
    >>> tz.nn.Masking(-1.0).compute_mask(tz.tensor([[[2.0], [-1.0]]]))
    Tensor([[ True, False]], dtype=bool)
    """

    def __init__(self, value: float = 0.0) -> None:
        if not isinstance(value, int | float):
            raise ArgumentError(f"value={value!r}", expected="the number that stands for no value",
                                fix="leave it out for 0")
        self._value = value

    def compute_mask(self, x: Tensor) -> Tensor:
        """Booleans (batch, time): True for the steps that have a feature other than `value`."""
        require_sequences(x)
        is_value = ~isnan(x) if math.isnan(self._value) else not_equal(x, self._value)
        return any_of(is_value, -1)

    def forward(self, x: Tensor) -> Tensor:
        return where(expand_dims(self.compute_mask(x), 2), x, 0)


def mean_over_time(x: Tensor, mask: ArrayLike | None = None) -> Tensor:
    """The mean of each feature over the steps where the mask is true; 0 where it is nowhere."""
    if mask is None:
        return mean(x, 1)
    valid = expand_dims(checked_time_mask("mean over time", mask, x), 2)
    return divide(sum(where(valid, x, 0), 1), maximum(sum(valid, 1), 1))


def max_over_time(x: Tensor, mask: ArrayLike | None = None) -> Tensor:
    """The largest value of each feature over the steps where the mask is true; 0 where it is nowhere."""
    if mask is None:
        return max(x, 1)
    valid = expand_dims(checked_time_mask("maximum over time", mask, x), 2)
    return where(any_of(valid, 1), max(where(valid, x, -math.inf), 1), 0)
