"""ATen's normalizations; images come channels last (layout.py)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.interop.imported import Operation
from tarazu.ops.elementwise import add, divide, multiply, rsqrt, sqrt, square, subtract
from tarazu.ops.networks import normalization as ops
from tarazu.ops.reduce import mean, var
from tarazu.ops.typing import Tensor

EPSILON = 1e-5


def _weight_and_bias(weight: Tensor | None, bias: Tensor | None) -> tuple[Tensor | float, Tensor | float]:
    return (1.0 if weight is None else weight), (0.0 if bias is None else bias)


def _layer_norm(x: Tensor, sizes: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
                epsilon: float = EPSILON, cudnn: bool = True) -> Tensor:
    if len(sizes) == 1:
        return ops.layer_norm(x, *_weight_and_bias(weight, bias), epsilon=epsilon)
    axes = tuple(range(-len(sizes), 0))
    centered = subtract(x, mean(x, axes, keepdims=True))
    scaled = divide(centered, sqrt(add(mean(square(centered), axes, keepdims=True), epsilon)))
    scale, shift = _weight_and_bias(weight, bias)
    return add(multiply(scaled, scale), shift)


def _native_layer_norm(x: Tensor, sizes: Sequence[int], weight: Tensor | None, bias: Tensor | None, epsilon: float
                       ) -> tuple[Tensor, Tensor, Tensor]:
    axes = tuple(range(-len(sizes), 0))
    scale = rsqrt(add(var(x, axes, keepdims=True), epsilon))
    return _layer_norm(x, sizes, weight, bias, epsilon), mean(x, axes, keepdims=True), scale


def _rms_norm(x: Tensor, sizes: Sequence[int], weight: Tensor | None = None, epsilon: float | None = None) -> Tensor:
    epsilon = 1.1920929e-07 if epsilon is None else epsilon  # torch's default: that of the dtype
    if len(sizes) == 1:
        return ops.rms_norm(x, 1.0 if weight is None else weight, epsilon=epsilon)
    axes = tuple(range(-len(sizes), 0))
    scaled = multiply(x, rsqrt(add(mean(square(x), axes, keepdims=True), epsilon)))
    return scaled if weight is None else multiply(scaled, weight)


def _batch_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor, running_variance: Tensor,
                momentum: float, epsilon: float) -> tuple[Tensor]:
    """By the running statistics."""
    return (ops.batch_norm(x, running_mean, running_variance, *_weight_and_bias(weight, bias), epsilon=epsilon),)


def _batch_norm_by_batch(x: Tensor, weight: Tensor | None, bias: Tensor | None, training: bool, momentum: float,
                         epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """By the batch's own statistics, which are beside the result: mean and variance (torch has 1 / deviation)."""
    axes = tuple(range(len(x.shape) - 1))
    average, variance = mean(x, axes), var(x, axes)
    return ops.batch_norm(x, average, variance, *_weight_and_bias(weight, bias), epsilon=epsilon), average, variance


def _batch_norm_with_updates(x: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor,
                             running_variance: Tensor, training: bool, momentum: float, epsilon: float
                             ) -> tuple[Tensor, ...]:
    """The result, two that nobody reads, and the new running statistics."""
    if not training:
        return (*_batch_norm(x, weight, bias, running_mean, running_variance, momentum, epsilon), running_mean,
                running_variance, running_mean, running_variance)
    result, average, variance = _batch_norm_by_batch(x, weight, bias, True, momentum, epsilon)
    count = math.prod(x.shape[:-1])
    unbiased = multiply(variance, count / max(count - 1, 1))
    return (result, average, variance, _blend(running_mean, average, momentum),
            _blend(running_variance, unbiased, momentum))


def _blend(old: Tensor, new: Tensor, momentum: float) -> Tensor:
    return add(multiply(old, 1 - momentum), multiply(new, momentum))


def _group_norm(x: Tensor, groups: int, weight: Tensor | None = None, bias: Tensor | None = None,
                epsilon: float = EPSILON, cudnn: bool = True) -> Tensor:
    return ops.group_norm(x, groups, *_weight_and_bias(weight, bias), epsilon=epsilon)


def _native_group_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, batch: int, channels: int, size: int,
                       groups: int, epsilon: float) -> tuple[Tensor]:
    return (_group_norm(x, groups, weight, bias, epsilon),)


def _instance_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
                   running_variance: Tensor | None, by_input: bool, momentum: float, epsilon: float, cudnn: bool
                   ) -> Tensor:
    scale, shift = _weight_and_bias(weight, bias)
    if by_input or running_mean is None or running_variance is None:
        return ops.instance_norm(x, scale, shift, epsilon=epsilon)
    return ops.batch_norm(x, running_mean, running_variance, scale, shift, epsilon=epsilon)


TABLE: dict[str, Operation] = {
    "layer_norm": _layer_norm, "native_layer_norm": _native_layer_norm, "rms_norm": _rms_norm,
    "_native_batch_norm_legit_no_training": _batch_norm, "_native_batch_norm_legit.no_stats": _batch_norm_by_batch,
    "_native_batch_norm_legit_functional": _batch_norm_with_updates,
    "_native_batch_norm_legit": _batch_norm_with_updates, "group_norm": _group_norm,
    "native_group_norm": _native_group_norm, "instance_norm": _instance_norm,
}
