"""Normalization, and softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.interop.onnx.reading.operators.arrays.indices import hardmax
from tarazu.interop.onnx.reading.operators.arrays.shapes import flatten
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, ChannelsLast, channels_last, dtype_of, in_usual_layout
from tarazu.ops import elementwise as ops
from tarazu.ops import shape as shapes
from tarazu.ops.networks import softmax as softmaxes
from tarazu.ops.networks.normalization import layer_norm, rms_norm
from tarazu.ops.promote import as_value, cast, rounded_like, single
from tarazu.ops.reduce import mean, sum, var
from tarazu.ops.reduce import mean as mean_over
from tarazu.runtime.tensor.tensor import Tensor


@operator("BatchNormalization", images=True)
def batch_normalization(x: Any, scale: Array, bias: Array, mean: Array, variance: Array, epsilon: float = 1e-5,
                        momentum: float = 0.9, training_mode: int = 0, spatial: int = 1, is_test: int = 1,
                        outputs: int = 1) -> Any:
    """Each channel scaled by statistics: those given, or in training mode those of the batch."""
    scale, bias, mean, variance = (as_value(value) for value in in_usual_layout([scale, bias, mean, variance]))
    if not training_mode:
        return _scaled(x, scale, bias, mean, variance, epsilon)
    images = channels_last(x) if len(x.shape) > 1 else as_value(x)
    axes = tuple(range(len(images.shape) - 1))
    wide = single(images)
    of_batch, spread = mean_over(wide, axes), var(wide, axes)
    y = _scaled(x, scale, bias, of_batch, spread, epsilon)
    running = [cast(ops.add(ops.multiply(old, momentum), ops.multiply(new, 1 - momentum)), old.dtype)
               for old, new in ((mean, of_batch), (variance, spread))]
    return (y, *running)


def _scaled(x: Any, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: float) -> Any:
    """(x - mean) scale / sqrt(variance + epsilon) + bias, as one factor and one summand for each channel."""
    factor = ops.multiply(single(scale), ops.rsqrt(ops.add(single(variance), epsilon)))
    summand = ops.subtract(single(bias), ops.multiply(single(mean), factor))
    images = channels_last(x) if len(x.shape) > 2 else as_value(x)
    y = rounded_like(ops.add(ops.multiply(single(images), factor), summand), images)
    return ChannelsLast(y) if len(x.shape) > 2 else y


def _along_channels(values: Array, rank: int) -> Tensor:
    return shapes.reshape(values, (1, -1, *(1,) * (rank - 2)))


@operator("InstanceNormalization")
def instance_normalization(x: Array, scale: Array, bias: Array, epsilon: float = 1e-5) -> Tensor:
    """Each channel of each sample standardized over its sizes."""
    x = as_value(x)
    y = _standardized(x, tuple(range(2, len(x.shape))), epsilon)
    return ops.add(ops.multiply(y, _along_channels(scale, len(x.shape))), _along_channels(bias, len(x.shape)))


def _standardized(x: Tensor, axes: tuple[int, ...], epsilon: float) -> Tensor:
    wide = single(x)
    centered = ops.subtract(wide, mean(wide, axes, keepdims=True))
    spread = mean(ops.square(centered), axes, keepdims=True)
    return rounded_like(ops.multiply(centered, ops.rsqrt(ops.add(spread, epsilon))), x)


@operator("GroupNormalization", since=21)
def group_normalization(x: Array, scale: Array, bias: Array, num_groups: int = 1, epsilon: float = 1e-5,
                        stash_type: int = 1) -> Tensor:
    """Groups of channels of each sample standardized; a scale for each channel."""
    x = as_value(x)
    rank = len(x.shape)
    y = _in_groups(x, num_groups, epsilon)
    return ops.add(ops.multiply(y, _along_channels(scale, rank)), _along_channels(bias, rank))


@operator("GroupNormalization", since=18)
def group_normalization_by_group(x: Array, scale: Array, bias: Array, num_groups: int = 1,
                                 epsilon: float = 1e-5) -> Tensor:
    """Groups of channels of each sample standardized; a scale for each group."""
    each = x.shape[1] // num_groups
    scale, bias = (shapes.reshape(shapes.broadcast_to(shapes.reshape(value, (-1, 1)), (num_groups, each)), (-1,))
                   for value in (scale, bias))
    return group_normalization(x, scale, bias, num_groups, epsilon)


def _in_groups(x: Tensor, groups: int, epsilon: float) -> Tensor:
    split = shapes.reshape(x, (x.shape[0], groups, -1))
    return shapes.reshape(_standardized(split, (2,), epsilon), x.shape)


@operator("LayerNormalization")
def layer_normalization(x: Array, scale: Array, bias: Array | None = None, axis: int = -1, epsilon: float = 1e-5,
                        stash_type: int = 1, outputs: int = 1) -> Any:
    """The last axes, from `axis` on, standardized and scaled; and if they are read the mean and 1 / deviation."""
    x, scale = as_value(x), as_value(scale)
    axis %= len(x.shape)
    if outputs == 1 and axis == len(x.shape) - 1 and scale.shape == x.shape[-1:]:
        shift = as_value(np.zeros(scale.shape, scale.dtype.numpy)) if bias is None else as_value(bias)
        return layer_norm(x, scale, shift, epsilon=epsilon)
    axes = tuple(range(axis, len(x.shape)))
    wide = cast(x, dtype_of(stash_type))
    middle = mean(wide, axes, keepdims=True)
    centered = ops.subtract(wide, middle)
    inverse = ops.rsqrt(ops.add(mean(ops.square(centered), axes, keepdims=True), epsilon))
    y = ops.multiply(cast(ops.multiply(centered, inverse), x.dtype), scale)
    return (y if bias is None else ops.add(y, bias), middle, inverse)[:outputs]


@operator("RMSNormalization")
def rms_normalization(x: Array, scale: Array, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1) -> Tensor:
    """The last axes, from `axis` on, divided by the root of their mean square, and scaled."""
    x, scale = as_value(x), as_value(scale)
    axis %= len(x.shape)
    if axis == len(x.shape) - 1 and scale.shape == x.shape[-1:]:
        return rms_norm(x, scale, epsilon=epsilon)
    wide = cast(x, dtype_of(stash_type))
    squares = mean(ops.square(wide), tuple(range(axis, len(x.shape))), keepdims=True)
    return ops.multiply(cast(ops.multiply(wide, ops.rsqrt(ops.add(squares, epsilon))), x.dtype), scale)


@operator("LpNormalization")
def norm_normalization(x: Array, axis: int = -1, p: int = 2) -> Tensor:
    """`x` divided by its norm along an axis; zeros stay."""
    x = as_value(x)
    norm = sum(ops.abs(x), axis, keepdims=True) if p == 1 else ops.sqrt(sum(ops.square(x), axis, keepdims=True))
    return ops.divide_no_nan(x, norm)


@operator("MeanVarianceNormalization")
def mean_variance_normalization(x: Array, axes: Sequence[int] = (0, 2, 3)) -> Tensor:
    """`x` standardized over axes."""
    x = as_value(x)
    centered = ops.subtract(x, mean(x, tuple(axes), keepdims=True))
    return ops.divide(centered, ops.add(ops.sqrt(mean(ops.square(centered), tuple(axes), keepdims=True)), 1e-9))


@operator("LRN")
def local_response_normalization(x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75,
                                 bias: float = 1.0) -> Tensor:
    """Each element divided by a power of the squares of channels near by."""
    x = as_value(x)
    before = (size - 1) // 2
    widths = [(0, 0), (before, size - 1 - before), *[(0, 0)] * (len(x.shape) - 2)]
    squares = shapes.pad(ops.square(x), widths)
    parts = [shapes.slice_axis(squares, 1, i, i + x.shape[1]) for i in range(size)]
    total = sum(shapes.stack(parts), 0)
    return ops.divide(x, ops.pow(ops.add(ops.multiply(total, alpha / size), bias), beta))


# Softmax ----------------------------------------------------------------------------------------------------------

@operator("Softmax", since=13)
def softmax(x: Array, axis: int = -1) -> Tensor:
    """Shares along an axis."""
    return softmaxes.softmax(x, axis)


@operator("LogSoftmax", since=13)
def log_softmax(x: Array, axis: int = -1) -> Tensor:
    """Logarithms of shares along an axis."""
    return softmaxes.log_softmax(x, axis)


def _of_the_rest(name: str, function: Any) -> None:
    """The older version: shares along all axes from `axis` on together."""
    @operator(name)
    def run(x: Array, axis: int = 1) -> Tensor:
        return shapes.reshape(function(flatten(x, axis), -1), x.shape)


for _name, _function in (("Softmax", softmaxes.softmax), ("LogSoftmax", softmaxes.log_softmax), ("Hardmax", hardmax)):
    _of_the_rest(_name, _function)
