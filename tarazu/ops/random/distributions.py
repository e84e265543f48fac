"""Random numbers of further distributions, as functions of a generator's state, on top of `ops.random`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir.types import Shape
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.control_flow.loops import while_loop
from tarazu.ops.create import full
from tarazu.ops.elementwise import (
    add,
    astype,
    divide,
    exp,
    less,
    log,
    log1p,
    logical_and,
    logical_not,
    maximum,
    multiply,
    negative,
    pow,
    sqrt,
    square,
    stop_gradient,
    subtract,
    where,
)
from tarazu.ops.indexing.searching import searchsorted
from tarazu.ops.indexing.sorting import argsort
from tarazu.ops.promote import cast
from tarazu.ops.random.bits import advance, bernoulli, bits, normal, permutation, uniform
from tarazu.ops.reduce import any, argmax, cumulative_sum
from tarazu.ops.shape import broadcast_to, concat, moveaxis, slice_axis

Propose = Callable[[Any, Any], tuple[Any, Any]]


def substream(state: Any) -> Any:
    """The start of a stream of its own, for what draws an unknown number of times."""
    return concat([bits(state, (2,)), np.zeros(2, np.uint32)])


def exponential(state: Any, shape: Shape, dtype: DType) -> Any:
    """Exponential numbers of mean 1, by the inverse of the distribution function."""
    return cast(negative(log1p(negative(uniform(state, shape, _exact(dtype))))), dtype)


def gumbel(state: Any, shape: Shape) -> Any:
    """Standard Gumbel numbers in double precision: with 24 random bits the largest of many would often be equal."""
    return negative(log(negative(log(uniform(state, shape, dtypes.float64)))))


def categorical(state: Any, logits: Any, shape: Shape, axis: int) -> Any:
    """Indices drawn by the Gumbel-max trick: the index of the largest logit plus Gumbel number."""
    last = astype(moveaxis(logits, axis, -1), dtypes.float64, copy=False)
    return argmax(add(last, gumbel(state, (*shape, *last.shape))), -1)


def weighted_choice(state: Any, weights: Any, shape: Shape) -> Any:
    """Indices drawn in proportion to `weights`, by the inverse of their running sum."""
    total = cumulative_sum(astype(weights, dtypes.float64, copy=False))
    share = divide(total, slice_axis(total, 0, total.shape[0] - 1, total.shape[0]))  # ends in exactly 1
    return searchsorted(share, uniform(state, shape, dtypes.float64), side="right")


def distinct_choice(state: Any, count: int, weights: Any, size: int) -> Any:
    """`size` different indices below `count`, one after another in proportion to the weights that are left.

    With weights, the largest logarithms plus Gumbel numbers (Efraimidis and Spirakis, 2006, in another form).
    """
    if weights is None:
        return slice_axis(permutation(state, count), 0, 0, size)
    keys = add(log(astype(weights, dtypes.float64, copy=False)), gumbel(state, (count,)))
    return slice_axis(argsort(keys, descending=True), 0, 0, size)


def gamma(state: Any, concentration: Any, shape: Shape, dtype: DType) -> Any:
    """Gamma numbers of scale 1 by the method of Marsaglia and Tsang (2000), repeated until each one is accepted.

    Below concentration 1 the number for one more, times U^(1 / concentration).
    """
    exact = _exact(dtype)
    shown = broadcast_to(cast(stop_gradient(concentration), exact), shape)
    d = subtract(where(less(shown, 1), add(shown, 1), shown), 1 / 3)
    c = divide(1 / 3, sqrt(d))

    def propose(first: Any, second: Any) -> tuple[Any, Any]:
        x, u = normal(first, shape, exact), uniform(second, shape, exact)
        v = pow(maximum(add(multiply(c, x), 1), 0), 3)
        bound = add(multiply(square(x), 0.5), multiply(d, add(subtract(1, v), log(v))))  # -inf where v is 0
        return multiply(d, v), less(log1p(negative(u)), bound)

    stream = substream(state)
    numbers = _until_accepted(advance(stream), shape, exact, propose)
    boost = divide(log1p(negative(uniform(stream, shape, exact))), where(less(shown, 1), shown, 1))
    return cast(where(less(shown, 1), multiply(numbers, exp(boost)), numbers), dtype)


def truncated_normal(state: Any, low: float, high: float, shape: Shape, dtype: DType) -> Any:
    """Standard normal numbers between `low` and `high`, by rejection from what fits the interval (Robert, 1995)."""
    if high < 0 or low == -math.inf:
        return negative(truncated_normal(state, -high, -low, shape, dtype)) if high < math.inf else normal(
            state, shape, dtype)
    exact = _exact(dtype)
    peak = max(low, 0.0)  # where the density is largest

    def from_normal(first: Any, second: Any) -> tuple[Any, Any]:
        x = normal(first, shape, exact)
        return x, logical_and(less(low, x), less(x, high))

    def from_exponential(first: Any, second: Any) -> tuple[Any, Any]:
        beyond = divide(exponential(first, shape, exact), low)
        good = less(uniform(second, shape, exact), exp(multiply(square(beyond), -0.5)))
        return add(beyond, low), logical_and(good, less(beyond, high - low))

    def from_uniform(first: Any, second: Any) -> tuple[Any, Any]:
        x = add(multiply(uniform(first, shape, exact), high - low), low)
        return x, less(uniform(second, shape, exact), exp(multiply(subtract(peak * peak, square(x)), 0.5)))

    mass = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    propose = from_normal if mass > 0.25 else from_exponential if low * (high - low) > 2 else from_uniform
    return cast(_until_accepted(substream(state), shape, exact, propose), dtype)


def _exact(dtype: DType) -> DType:
    """The type to compute in: half precision is computed in single precision."""
    return dtype if dtype is dtypes.float64 else dtypes.float32


def _until_accepted(stream: Any, shape: Shape, dtype: DType, propose: Propose) -> Any:
    """Numbers that `propose` makes from two states, drawn again for all until each has once been accepted."""
    def step(carry: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        stream, numbers, waiting = carry
        second = advance(stream)
        found, good = propose(stream, second)
        return (advance(second), where(logical_and(waiting, good), found, numbers),
                logical_and(waiting, logical_not(good)))

    start = stream, full(shape, 0.0, dtype=dtype), full(shape, True)
    return while_loop(lambda carry: any(carry[2]), step, start)[1]


@composite("dropout")
def dropout(x: Any, state: Any, *, rate: float) -> Any:
    """`x` with a share `rate` of its elements set to 0 and the rest divided by 1 - rate."""
    keep = 1 - rate
    return where(bernoulli(state, keep, x.shape), multiply(x, 1 / keep), 0)
