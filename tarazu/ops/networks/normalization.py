"""Layer norm and RMS norm over the last axis, group and instance norm, and batch norm with given statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base.checks import whole_number
from tarazu.base.errors import ShapeError
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import abs_square, add, astype, divide, multiply, sqrt, subtract
from tarazu.ops.promote import as_float, as_value, rounded_like, single
from tarazu.ops.reduce import mean, sum, var
from tarazu.ops.shape import broadcast_to, normalize_axis, reshape
from tarazu.ops.typing import ArrayLike, Tensor


def layer_norm(x: ArrayLike, weight: ArrayLike, bias: ArrayLike, *, epsilon: float = 1e-5) -> Tensor:
    """The last axis shifted to mean 0, scaled to variance 1, then times weight plus bias (Ba, Kiros and Hinton, 2016).

    The shape of `x`, (..., n), stays; `weight` and `bias` have the shape (n,) or are numbers; `epsilon` is added to the
    variance (the default is torch's). Integers become float32, half precision stays. ShapeError when the sizes do not
    fit, AxisError for a scalar `x`.

    >>> import tarazu as tz
    >>> tz.layer_norm(tz.tensor([1.0, 3.0]), tz.ones(2), tz.zeros(2), epsilon=0)
    Tensor([-1.,  1.], dtype=float32)
    """
    x = as_float(x)
    normalize_axis(-1, len(x.shape), "layer_norm")
    values, shape = [as_value(w, x.dtype) for w in (weight, bias)], x.shape[-1:]
    weight, bias = (w if w.shape == shape else broadcast_to(w, shape) for w in values)
    return _layer_norm(x, weight, bias, epsilon=epsilon)


def _standardized(x: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """`x` with mean 0 and variance 1 along the last axis, and one over its standard deviation."""
    centered = subtract(x, mean(x, -1, keepdims=True))
    scale = divide(1, sqrt(add(var(x, -1, keepdims=True), epsilon)))
    return multiply(centered, scale), scale


@composite("layer_norm_vjp")
def _layer_norm_cotangents(g: Tensor, x: Tensor, weight: Tensor, *, epsilon: float) -> tuple[Tensor, ...]:
    """With z the standardized x, s its scale and v = g weight: s (v - mean(v) - z mean(v z)) for x."""
    g, weight = single(g), single(weight)
    z, scale = _standardized(single(x), epsilon)
    v, rows = multiply(g, weight), tuple(range(len(x.shape) - 1))
    inner = subtract(subtract(v, mean(v, -1, keepdims=True)), multiply(z, mean(multiply(v, z), -1, keepdims=True)))
    return multiply(scale, inner), sum(multiply(g, z), rows), sum(g, rows)


def _layer_norm_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                     needed: Sequence[bool], *, epsilon: float) -> list[Tensor | None]:
    of_inputs = _layer_norm_cotangents(cotangents[0], *inputs[:2], epsilon=epsilon)
    return [astype(g, x.dtype, copy=False) for g, x in zip(of_inputs, inputs, strict=True)]


@composite("layer_norm", gradient=_layer_norm_rule)
def _layer_norm(x: Tensor, weight: Tensor, bias: Tensor, *, epsilon: float) -> Tensor:
    return rounded_like(add(multiply(_standardized(single(x), epsilon)[0], single(weight)), single(bias)), x)


def rms_norm(x: ArrayLike, weight: ArrayLike, *, epsilon: float = 1e-5) -> Tensor:
    """The last axis divided by its root mean square, then times weight (Zhang and Sennrich, 2019).

    The shape of `x`, (..., n), stays for a `weight` of shape (n,) or a number; `epsilon` is added to the mean square.
    Integers become float32; half precision is computed in float32 and rounded once. ShapeError when the sizes do not
    fit, AxisError for a scalar `x`.

    >>> import tarazu as tz
    >>> tz.rms_norm(tz.tensor([1.0, 7.0]), tz.tensor([5.0, 5.0]), epsilon=0)
    Tensor([1., 7.], dtype=float32)
    """
    x = as_float(x)
    normalize_axis(-1, len(x.shape), "rms_norm")
    return _rms_norm(x, as_value(weight, x.dtype), epsilon=epsilon)


@composite("rms_norm")
def _rms_norm(x: Tensor, weight: Tensor, *, epsilon: float) -> Tensor:
    wide = single(x)
    scaled = divide(wide, sqrt(add(mean(abs_square(wide), -1, keepdims=True), epsilon)))
    return rounded_like(multiply(scaled, weight), x)


def batch_norm(x: ArrayLike, mean: ArrayLike, variance: ArrayLike, weight: ArrayLike = 1.0, bias: ArrayLike = 0.0, *,
               epsilon: float = 1e-5) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) times weight plus bias, for each channel (Ioffe and Szegedy, 2015).

    The shape of `x`, (..., channels), stays. The statistics are arguments of shape (channels,) like `weight` and
    `bias`: in training those of the batch, `tz.mean(x, axes)` and `tz.var(x, axes)` over all other axes, in evaluation
    running averages. Integers become float32, half precision stays. ShapeError when the sizes do not fit.

    >>> import tarazu as tz
    >>> tz.batch_norm(tz.tensor([[1.0], [5.0]]), tz.tensor([3.0]), tz.tensor([4.0]), epsilon=0).flatten()
    Tensor([-1.,  1.], dtype=float32)
    """
    x = as_float(x)
    weight, bias = as_value(weight, x.dtype), as_value(bias, x.dtype)
    return _batch_norm(x, as_value(mean), as_value(variance), weight, bias, epsilon=epsilon)


@composite("batch_norm")
def _batch_norm(x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor, *,
                epsilon: float) -> Tensor:
    scaled = divide(subtract(x, mean), sqrt(add(variance, epsilon)))
    return rounded_like(add(multiply(scaled, weight), bias), x)


@composite("batch_norm_vjp")
def _batch_cotangents(g: Tensor, x: Tensor, weight: Tensor, average: Tensor, variance: Tensor, *,
                      epsilon: float) -> tuple[Tensor, ...]:
    """With c = x - mean, s the scale and n rows: weight s (g - sum(g) / n - c s^2 sum(g c) / n) for x."""
    rows, count = tuple(range(len(x.shape) - 1)), x.size // x.shape[-1]
    g, centered, scale = single(g), subtract(x, average), divide(1, sqrt(add(variance, epsilon)))
    of_bias, along = sum(g, rows), sum(multiply(g, centered), rows)
    slope = divide(multiply(multiply(scale, scale), along), count)
    inner = subtract(subtract(g, divide(of_bias, count)), multiply(centered, slope))
    return multiply(multiply(weight, scale), inner), multiply(along, scale), of_bias


def _batch_rule(cotangents: Sequence[Tensor | None], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                needed: Sequence[bool], *, epsilon: float) -> list[Tensor | None]:
    (g, of_average, of_variance), (x, weight, _) = cotangents, inputs
    count, average = x.size // x.shape[-1], outputs[1]
    found: list[Tensor | None] = [None] * 3
    if g is not None:
        found = list(_batch_cotangents(g, x, weight, *outputs[1:], epsilon=epsilon))
    more = [] if of_average is None else [broadcast_to(divide(of_average, count), x.shape)]
    if of_variance is not None:
        more.append(multiply(subtract(x, average), divide(multiply(of_variance, 2), count)))
    for one in more:
        found[0] = one if found[0] is None else add(found[0], one)
    return [None if g is None else astype(g, x.dtype, copy=False) for g, x in zip(found, inputs, strict=True)]


@composite("batch_norm", gradient=_batch_rule)
def _by_batch(x: Tensor, weight: Tensor, bias: Tensor, *, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    rows = tuple(range(len(x.shape) - 1))
    average = mean(x, rows)
    centered = subtract(x, average)
    variance = mean(abs_square(centered), rows)
    scale = divide(1, sqrt(add(variance, epsilon)))
    return rounded_like(add(multiply(multiply(centered, scale), weight), bias), x), average, variance


def batch_norm_of_batch(x: Tensor, weight: ArrayLike, bias: ArrayLike, *,
                        epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """`batch_norm` by the statistics of `x` itself, (..., channels) in float32 or float64; with mean and variance."""
    of_channels = [broadcast_to(as_value(w, x.dtype), x.shape[-1:]) for w in (weight, bias)]
    return _by_batch(x, *of_channels, epsilon=epsilon)


def group_norm(x: ArrayLike, groups: int, weight: ArrayLike = 1.0, bias: ArrayLike = 0.0, *,
               epsilon: float = 1e-5) -> Tensor:
    """Each sample's channels, in `groups` groups, shifted to mean 0 and scaled to variance 1 (Wu and He, 2018).

    The mean and variance of a group are over its channels and all axes between batch and channels; then times weight
    plus bias, for each channel. The shape of `x`, (batch, *sizes, channels), stays; `weight` and `bias` have the shape
    (channels,) or are numbers. Integers become float32; half precision is computed in float32 and rounded once.
    ShapeError for an input without channels, and channels that `groups` does not divide; ArgumentError for less than
    one group.

    >>> import tarazu as tz
    >>> tz.group_norm(tz.tensor([[1.0, 3.0, 5.0, 9.0]]), 2, epsilon=0)
    Tensor([[-1.,  1., -1.,  1.]], dtype=float32)
    """
    x = as_float(x)
    _require_channels("group_norm", x)
    groups = whole_number(f"group_norm: groups={groups!r}", groups, least=1, fix="pass for example groups=8")
    if x.shape[-1] % groups:
        raise ShapeError(f"group_norm: {x.shape[-1]} channels in {groups} groups, for shape {x.shape}",
                         expected="groups of one size", fix="use a number of groups that divides the channels, which "
                                                            "are the last axis")
    return _group_norm(x, as_value(weight, x.dtype), as_value(bias, x.dtype), groups=groups, epsilon=epsilon)


def instance_norm(x: ArrayLike, weight: ArrayLike = 1.0, bias: ArrayLike = 0.0, *, epsilon: float = 1e-5) -> Tensor:
    """Each channel of each sample shifted to mean 0 and scaled to variance 1 (Ulyanov, Vedaldi and Lempitsky, 2016).

    The mean and variance are over the axes between batch and channels: `group_norm` with a group per channel. Shapes,
    dtypes and errors as there, and ShapeError for an input without such axes.

    >>> import tarazu as tz
    >>> tz.instance_norm(tz.tensor([[[1.0], [3.0]]]), epsilon=0).flatten()
    Tensor([-1.,  1.], dtype=float32)
    """
    x = as_float(x)
    if len(x.shape) < 3:
        raise ShapeError(f"instance_norm: an input of shape {x.shape}", expected="(batch, *sizes, channels)",
                         fix="x[None] is a batch of one, x[..., None] has one channel")
    weight, bias = as_value(weight, x.dtype), as_value(bias, x.dtype)
    return _group_norm(x, weight, bias, groups=x.shape[-1], epsilon=epsilon)


def _require_channels(name: str, x: Tensor) -> None:
    if len(x.shape) < 2:
        raise ShapeError(f"{name}: an input of shape {x.shape}", expected="(batch, *sizes, channels)",
                         fix="x[None] is a batch of one")


@composite("group_norm")
def _group_norm(x: Tensor, weight: Tensor, bias: Tensor, *, groups: int, epsilon: float) -> Tensor:
    rows, each = math.prod(x.shape[1:-1]), x.shape[-1] // max(groups, 1)
    wide = reshape(single(x), (x.shape[0], rows, groups, each))
    centered = subtract(wide, mean(wide, (1, 3), keepdims=True))
    scaled = divide(centered, sqrt(add(mean(abs_square(centered), (1, 3), keepdims=True), epsilon)))
    return rounded_like(add(multiply(reshape(scaled, x.shape), weight), bias), x)
