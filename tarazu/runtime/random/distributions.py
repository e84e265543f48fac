"""Random numbers of named distributions, and dropout, by a generator."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base.dtypes import DEFAULT_INT, as_dtype
from tarazu.base.errors import ArgumentError, DTypeError
from tarazu.ops.elementwise import astype, clip, subtract
from tarazu.ops.placement import to_device
from tarazu.ops.promote import as_float, as_value
from tarazu.ops.random import bits as draw
from tarazu.ops.random import distributions
from tarazu.ops.typing import ArrayLike, DeviceLike, DTypeLike, ShapeLike
from tarazu.runtime.random.generator import Generator
from tarazu.runtime.random.parameters import float_dtype, next_state, require, require_not_negative, scaled, shape_of
from tarazu.runtime.tensor.operators import sizes_of
from tarazu.runtime.tensor.tensor import Tensor


def uniform(shape: ShapeLike | None = None, low: ArrayLike = 0.0, high: ArrayLike = 1.0, *,
            dtype: DTypeLike | None = None, generator: Generator | None = None,
            device: DeviceLike | None = None) -> Tensor:
    """Uniform numbers from `low` up to but not with `high` (but for rounding), of `shape`.

    ShapeError for bounds that do not broadcast to the shape, DTypeError unless `dtype` is a float dtype.

    >>> import tarazu as tz
    >>> tz.random.uniform((2, 3), -1, 1).shape
    (2, 3)
    """
    sizes, kind = shape_of("uniform", shape, low, high), float_dtype("uniform", dtype)
    numbers = draw.uniform(next_state(generator), sizes, kind)
    return to_device(scaled(numbers, _span(low, high), low), device)


def _span(low: ArrayLike, high: ArrayLike) -> ArrayLike:
    if isinstance(low, int | float) and isinstance(high, int | float):
        return high - low
    return high if isinstance(low, int | float) and low == 0 else subtract(high, low)


def normal(shape: ShapeLike | None = None, mean: ArrayLike = 0.0, std: ArrayLike = 1.0, *,
           dtype: DTypeLike | None = None, generator: Generator | None = None,
           device: DeviceLike | None = None) -> Tensor:
    """Normal numbers of the given mean and standard deviation, of `shape` (Box and Muller, 1958).

    ArgumentError for a std below 0, ShapeError for parameters that do not broadcast to the shape, DTypeError unless
    `dtype` is a float dtype.

    >>> import tarazu as tz
    >>> tz.random.normal(mean=tz.zeros(3), std=tz.ones((2, 1))).shape
    (2, 3)
    """
    sizes, kind = shape_of("normal", shape, mean, std), float_dtype("normal", dtype)
    require_not_negative("normal", "std", std)
    return to_device(scaled(draw.normal(next_state(generator), sizes, kind), std, mean), device)


def truncated_normal(shape: ShapeLike | None = None, mean: ArrayLike = 0.0, std: ArrayLike = 1.0, low: float = -2.0,
                     high: float = 2.0, *, dtype: DTypeLike | None = None, generator: Generator | None = None,
                     device: DeviceLike | None = None) -> Tensor:
    """Normal numbers that lie between `low` and `high`, which count in standard deviations from the mean.

    Either bound may be infinite. ArgumentError unless low < high, and for a std below 0; ShapeError for parameters that
    do not broadcast to the shape, DTypeError unless `dtype` is a float dtype.

    >>> import tarazu as tz
    >>> bool((abs(tz.random.truncated_normal(100, std=0.5)) <= 1).all())
    True
    """
    sizes, kind = shape_of("truncated_normal", shape, mean, std), float_dtype("truncated_normal", dtype)
    require_not_negative("truncated_normal", "std", std)
    if not low < high or low == math.inf or high == -math.inf:
        raise ArgumentError(f"truncated_normal: from {low} to {high}", expected="low < high, in standard deviations",
                            fix="leave them out for -2 and 2")
    numbers = distributions.truncated_normal(next_state(generator), float(low), float(high), sizes, kind)
    return to_device(scaled(clip(numbers, low, high), std, mean), device)


def exponential(shape: ShapeLike | None = None, scale: ArrayLike = 1.0, *, dtype: DTypeLike | None = None,
                generator: Generator | None = None, device: DeviceLike | None = None) -> Tensor:
    """Exponential numbers with the mean `scale`, which is one over the rate, of `shape`.

    ArgumentError for a scale below 0, ShapeError for scales that do not broadcast to the shape, DTypeError unless
    `dtype` is a float dtype.

    >>> import tarazu as tz
    >>> bool((tz.random.exponential(100, scale=3.0) >= 0).all())
    True
    """
    sizes, kind = shape_of("exponential", shape, scale), float_dtype("exponential", dtype)
    require_not_negative("exponential", "scale", scale)
    return to_device(scaled(distributions.exponential(next_state(generator), sizes, kind), scale), device)


def laplace(shape: ShapeLike | None = None, mean: ArrayLike = 0.0, scale: ArrayLike = 1.0, *,
            dtype: DTypeLike | None = None, generator: Generator | None = None,
            device: DeviceLike | None = None) -> Tensor:
    """Laplace numbers of the given mean and with the mean distance `scale` from it, of `shape`.

    ArgumentError for a scale below 0, ShapeError for parameters that do not broadcast to the shape, DTypeError unless
    `dtype` is a float dtype.

    >>> import tarazu as tz
    >>> tz.random.laplace(mean=tz.zeros(3), scale=tz.ones((2, 1))).shape
    (2, 3)
    """
    sizes, kind = shape_of("laplace", shape, mean, scale), float_dtype("laplace", dtype)
    require_not_negative("laplace", "scale", scale)
    return to_device(scaled(distributions.laplace(next_state(generator), sizes, kind), scale, mean), device)


def gamma(concentration: ArrayLike, shape: ShapeLike | None = None, scale: ArrayLike = 1.0, *,
          dtype: DTypeLike | None = None, generator: Generator | None = None,
          device: DeviceLike | None = None) -> Tensor:
    """Gamma numbers with the mean concentration * scale, of `shape`, by rejection (Marsaglia and Tsang, 2000).

    No gradient flows to the concentration. ArgumentError unless it is above 0, or for a scale below 0; ShapeError for
    parameters that do not broadcast to the shape, DTypeError unless `dtype` is a float dtype.

    >>> import tarazu as tz
    >>> tz.random.gamma(tz.tensor([0.5, 2.0]), (100, 2)).shape
    (100, 2)
    """
    sizes, kind = shape_of("gamma", shape, concentration, scale), float_dtype("gamma", dtype)
    require("gamma", "concentration", concentration, lambda array: array > 0, "numbers above 0")
    require_not_negative("gamma", "scale", scale)
    numbers = distributions.gamma(next_state(generator), as_float(concentration), sizes, kind)
    return to_device(scaled(numbers, scale), device)


def randint(low: int, high: int | None = None, shape: ShapeLike = (), *, dtype: DTypeLike | None = None,
            generator: Generator | None = None, device: DeviceLike | None = None) -> Tensor:
    """Whole numbers from `low` (0 when only one bound is given) up to but not with `high`, of `shape`.

    They are int64 unless `dtype` says otherwise. ArgumentError for an empty range or one that the dtype cannot hold,
    DTypeError unless it is an integer dtype.

    >>> import tarazu as tz
    >>> tz.random.randint(6, shape=3).dtype
    tarazu.int64
    """
    low, high = (0, low) if high is None else (low, high)
    sizes, kind = shape_of("randint", shape), DEFAULT_INT if dtype is None else as_dtype(dtype)
    if not kind.is_integer:
        raise DTypeError(f"randint of {kind}", expected="an integer dtype",
                         fix="tz.random.uniform draws floats, tz.random.bernoulli booleans")
    if low < np.iinfo(kind.numpy).min or high - 1 > min(np.iinfo(kind.numpy).max, 2**63 - 1):
        raise ArgumentError(f"randint from {low} up to {high} as {kind}", expected="bounds that the dtype holds",
                            fix="use a wider dtype")
    return to_device(astype(draw.randint(next_state(generator), low, high, sizes), kind, copy=False), device)


def bernoulli(probability: ArrayLike, shape: ShapeLike | None = None, *, generator: Generator | None = None,
              device: DeviceLike | None = None) -> Tensor:
    """True with the given probability, False otherwise, of `shape`.

    ArgumentError unless the probability is from 0 to 1, ShapeError where it does not broadcast to the shape.

    >>> import tarazu as tz
    >>> tz.random.bernoulli(tz.tensor([0.0, 1.0]))
    Tensor([False,  True], dtype=bool)
    """
    sizes = shape_of("bernoulli", shape, probability)
    require("bernoulli", "probability", probability, lambda array: (array >= 0) & (array <= 1), "from 0 to 1")
    return to_device(draw.bernoulli(next_state(generator), probability, sizes), device)


def dropout(x: ArrayLike, rate: float, *, generator: Generator | None = None) -> Tensor:
    """`x` with a share `rate` of its elements set to 0 and the rest divided by 1 - rate, so that the mean stays.

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, 2014; the scaling at training time is usual today.
    ArgumentError unless the rate is from 0 up to but not with 1.

    >>> import tarazu as tz
    >>> set(tz.dropout(tz.ones(100), 0.5).tolist()) == {0.0, 2.0}
    True
    """
    require_rate(rate)
    return distributions.dropout(as_float(x), next_state(generator), rate=float(rate)) if rate else as_value(x)


def require_rate(rate: object) -> None:
    """ArgumentError unless `rate` is a share that dropout may set to 0."""
    if not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise ArgumentError(f"rate={rate!r}", expected="a share from 0 up to but not with 1",
                            fix="typical rates are 0.1 to 0.5")


def randn(*shape: ShapeLike, requires_grad: bool = False, dtype: DTypeLike | None = None,
          device: DeviceLike | None = None) -> Tensor:
    """Standard normal numbers; the shape as numbers or as one tuple. DTypeError unless `dtype` is a float dtype.

    >>> import tarazu as tz
    >>> tz.randn(2, 3).shape
    (2, 3)
    """
    return normal(sizes_of(shape), dtype=dtype, device=device).requires_grad_(requires_grad)
