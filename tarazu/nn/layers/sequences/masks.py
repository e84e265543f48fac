"""Masks over sequences, booleans (batch, time), True where there is a value: where they come from, how they travel.

A layer that has a method `compute_mask` makes one of its input. A layer takes one by an option `mask` of its `forward`.
`Sequential` hands it on, from layer to layer, by `call_with_mask`.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.nn.layers.checks import require_sequences
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import divide, isnan, logical_and, maximum, not_equal, where
from tarazu.ops.networks.recurrent import checked_time_mask
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import any as any_of
from tarazu.ops.reduce import max, mean, sum
from tarazu.ops.shape import expand_dims
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


class Masking(Module):
    """Marks the steps whose features are all `value` as padding: (batch, time, features) to the same, with zeros there.

    In a `Sequential` the layers behind it that take a mask get that of `compute_mask`. `value` may be NaN.
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


def call_with_mask(layer: Module, x: Any, mask: ArrayLike | None) -> tuple[Any, ArrayLike | None]:
    """The output of a layer for `x`, and the mask of the output.

    That is `mask`, and what the layer's `compute_mask` says of `x`. The layer gets it if its `forward` takes it, and it
    ends at one that takes it and gives up the time axis.
    """
    own = computed_mask(layer, x)
    mask = own if mask is None else mask if own is None else logical_and(mask, own)
    if mask is None:
        return layer(x), None
    if not _takes_mask(type(layer).forward):
        return layer(x), mask
    y = layer(x, mask=mask)
    return y, mask if _has_time(y, mask) else None


def computed_mask(layer: Module, x: Any) -> Tensor | None:
    """What the layer's `compute_mask` makes of its input; None for a layer that has no such method."""
    compute: Callable[[Module, Any], Tensor | None] | None = getattr(type(layer), "compute_mask", None)
    return None if compute is None else compute(layer, x)


@functools.lru_cache(maxsize=256)
def _takes_mask(forward: Callable[..., Any]) -> bool:
    return "mask" in inspect.signature(forward).parameters


def _has_time(y: Any, mask: ArrayLike) -> bool:
    shape = tuple(getattr(y, "shape", ()))
    return len(shape) > 2 and shape[:2] == tuple(as_value(mask).shape)


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
