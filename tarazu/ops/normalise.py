"""Normalisation: values shifted and scaled by the mean and variance of an axis, or by statistics from elsewhere."""

from __future__ import annotations

from typing import Any

from tarazu.ops.control import composite
from tarazu.ops.elementwise import add, divide, multiply, sqrt, square, subtract
from tarazu.ops.promote import as_float, as_value
from tarazu.ops.reduce import mean, var


def layer_norm(x: Any, weight: Any, bias: Any, *, epsilon: float = 1e-5) -> Any:
    """The last axis shifted to mean 0, scaled to variance 1, then times weight plus bias (Ba, Kiros and Hinton, 2016).

    `weight` and `bias` have the size of the last axis; `epsilon` is added to the variance.

    >>> import tarazu as tz
    >>> tz.layer_norm(tz.tensor([1.0, 3.0]), tz.ones(2), tz.zeros(2), epsilon=0)
    Tensor([-1.,  1.], dtype=float32)
    """
    return _layer_norm(as_float(x), weight, bias, epsilon=epsilon)


@composite("layer_norm")
def _layer_norm(x: Any, weight: Any, bias: Any, *, epsilon: float) -> Any:
    centred = subtract(x, mean(x, -1, keepdims=True))
    scaled = divide(centred, sqrt(add(var(x, -1, keepdims=True), epsilon)))
    return add(multiply(scaled, weight), bias)


def rms_norm(x: Any, weight: Any, *, epsilon: float = 1e-5) -> Any:
    """The last axis divided by its root mean square, then times weight (Zhang and Sennrich, 2019).

    `weight` has the size of the last axis; `epsilon` is added to the mean square.

    >>> import tarazu as tz
    >>> tz.rms_norm(tz.tensor([1.0, 7.0]), tz.tensor([5.0, 5.0]), epsilon=0)
    Tensor([1., 7.], dtype=float32)
    """
    return _rms_norm(as_float(x), weight, epsilon=epsilon)


@composite("rms_norm")
def _rms_norm(x: Any, weight: Any, *, epsilon: float) -> Any:
    return multiply(divide(x, sqrt(add(mean(square(x), -1, keepdims=True), epsilon))), weight)


def batch_norm(x: Any, mean: Any, variance: Any, weight: Any = 1.0, bias: Any = 0.0, *, epsilon: float = 1e-5) -> Any:
    """(x - mean) / sqrt(variance + epsilon) times weight plus bias, for each channel (Ioffe and Szegedy, 2015).

    The statistics are arguments, of the size of the last axis like `weight` and `bias`: in training those of the batch,
    `tz.mean(x, axes)` and `tz.var(x, axes)` over all other axes, in evaluation running averages.

    >>> import tarazu as tz
    >>> tz.batch_norm(tz.tensor([[1.0], [5.0]]), tz.tensor([3.0]), tz.tensor([4.0]), epsilon=0).flatten()
    Tensor([-1.,  1.], dtype=float32)
    """
    x = as_float(x)
    return _batch_norm(x, mean, variance, as_value(weight, x.dtype), as_value(bias, x.dtype), epsilon=epsilon)


@composite("batch_norm")
def _batch_norm(x: Any, mean: Any, variance: Any, weight: Any, bias: Any, *, epsilon: float) -> Any:
    scaled = divide(subtract(x, mean), sqrt(add(variance, epsilon)))
    return add(multiply(scaled, weight), bias)
