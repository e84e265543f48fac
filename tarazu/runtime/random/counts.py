"""Random counts: how often something happens, in so many trials or at a given rate."""

from __future__ import annotations

import numpy as np

from tarazu.base.dtypes import DEFAULT_INT, as_dtype
from tarazu.ops.elementwise import astype
from tarazu.ops.placement import to_device
from tarazu.ops.promote import as_value
from tarazu.ops.random import counts
from tarazu.ops.typing import ArrayLike, DeviceLike, DTypeLike, ShapeLike
from tarazu.runtime.random.generator import Generator
from tarazu.runtime.random.parameters import next_state, require, shape_of
from tarazu.runtime.tensor.tensor import Tensor


def poisson(mean: ArrayLike, shape: ShapeLike | None = None, *, dtype: DTypeLike | None = None,
            generator: Generator | None = None, device: DeviceLike | None = None) -> Tensor:
    """Poisson numbers of the given mean, of `shape`: how often something happens that happens at a constant rate.

    They are int64 unless `dtype` says otherwise; no gradient flows to the mean. Means above 10 are drawn by rejection
    (Hörmann, 1993). ArgumentError for a mean below 0 or above 2^53, ShapeError for means that do not broadcast to the
    shape.

    >>> import tarazu as tz
    >>> tz.random.poisson(tz.tensor([0.0, 4.0, 100.0]), (50, 3)).shape
    (50, 3)
    """
    sizes = shape_of("poisson", shape, mean)
    require("poisson", "mean", mean, lambda array: (array >= 0) & (array <= 2.0**53), "numbers from 0 to 2^53")
    return _as(counts.poisson(next_state(generator), as_value(mean), sizes), dtype, device)


def binomial(count: ArrayLike, probability: ArrayLike, shape: ShapeLike | None = None, *,
             dtype: DTypeLike | None = None, generator: Generator | None = None,
             device: DeviceLike | None = None) -> Tensor:
    """How many of `count` trials succeed, each with the given probability, of `shape`.

    The numbers are int64 unless `dtype` says otherwise; no gradient flows to the parameters. Means above 10 are drawn
    by rejection (Hörmann, 1993). ArgumentError for a probability that is not from 0 to 1, or a count that is below 0 or
    no whole number; ShapeError for parameters that do not broadcast to the shape.

    >>> import tarazu as tz
    >>> tz.random.binomial(tz.tensor([5, 1000]), tz.tensor([1.0, 0.0]))
    Tensor([5, 0], dtype=int64)
    """
    sizes = shape_of("binomial", shape, count, probability)
    require("binomial", "count", count, lambda array: (array >= 0) & (array <= 2**53) & (array == np.floor(array)),
            "whole numbers from 0 to 2^53")
    require("binomial", "probability", probability, lambda array: (array >= 0) & (array <= 1), "numbers from 0 to 1")
    numbers = counts.binomial(next_state(generator), as_value(count), as_value(probability), sizes)
    return _as(numbers, dtype, device)


def _as(numbers: Tensor, dtype: DTypeLike | None, device: DeviceLike | None) -> Tensor:
    return to_device(astype(numbers, DEFAULT_INT if dtype is None else as_dtype(dtype), copy=False), device)
