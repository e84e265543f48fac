"""Normalization: values shifted and scaled by the mean and variance of an axis, or by statistics from elsewhere."""

from __future__ import annotations

from typing import Any

from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import add, astype, divide, multiply, sqrt, square, subtract
from tarazu.ops.promote import as_float, as_value
from tarazu.ops.reduce import mean, sum, var
from tarazu.ops.shape import broadcast_to


def layer_norm(x: Any, weight: Any, bias: Any, *, epsilon: float = 1e-5) -> Any:
    """The last axis shifted to mean 0, scaled to variance 1, then times weight plus bias (Ba, Kiros and Hinton, 2016).

    `weight` and `bias` have the size of the last axis; `epsilon` is added to the variance.

    >>> import tarazu as tz
    >>> tz.layer_norm(tz.tensor([1.0, 3.0]), tz.ones(2), tz.zeros(2), epsilon=0)
    Tensor([-1.,  1.], dtype=float32)
    """
    x = as_float(x)
    weight, bias = (broadcast_to(as_value(w, x.dtype), x.shape[-1:]) for w in (weight, bias))
    return _layer_norm(x, weight, bias, epsilon=epsilon)


def _standardized(x: Any, epsilon: float) -> tuple[Any, Any]:
    """`x` with mean 0 and variance 1 along the last axis, and one over its standard deviation."""
    centered = subtract(x, mean(x, -1, keepdims=True))
    scale = divide(1, sqrt(add(var(x, -1, keepdims=True), epsilon)))
    return multiply(centered, scale), scale


@composite("layer_norm_vjp")
def _layer_norm_cotangents(g: Any, x: Any, weight: Any, *, epsilon: float) -> tuple[Any, Any, Any]:
    """With z the standardized x, s its scale and v = g weight: s (v - mean(v) - z mean(v z)) for x."""
    z, scale = _standardized(x, epsilon)
    v, rows = multiply(g, weight), tuple(range(len(x.shape) - 1))
    inner = subtract(subtract(v, mean(v, -1, keepdims=True)), multiply(z, mean(multiply(v, z), -1, keepdims=True)))
    return multiply(scale, inner), sum(multiply(g, z), rows), sum(g, rows)


def _layer_norm_rule(cotangents: Any, outputs: Any, inputs: Any, needed: Any, *, epsilon: float) -> list[Any]:
    found = _layer_norm_cotangents(cotangents[0], *inputs[:2], epsilon=epsilon)
    return [astype(g, x.dtype, copy=False) for g, x in zip(found, inputs, strict=True)]


@composite("layer_norm", gradient=_layer_norm_rule)
def _layer_norm(x: Any, weight: Any, bias: Any, *, epsilon: float) -> Any:
    return add(multiply(_standardized(x, epsilon)[0], weight), bias)


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
