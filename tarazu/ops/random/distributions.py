"""Random numbers of named distributions, and dropout, as functions of a generator's state."""

from __future__ import annotations

import math
from collections.abc import Callable

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
    sigmoid,
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
from tarazu.ops.reduce import any, argmax, cumulative_sum, logsumexp
from tarazu.ops.shape import broadcast_to, concat, moveaxis, slice_axis
from tarazu.ops.typing import Tensor

Propose = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # of two states: numbers, and whether each is accepted


def substream(state: Tensor) -> Tensor:
    """The first state of an independent stream, for methods that draw an unknown number of times."""
    return concat([bits(state, (2,)), np.zeros(2, np.uint32)])


def exponential(state: Tensor, shape: Shape, dtype: DType) -> Tensor:
    """Exponential numbers of mean 1, by the inverse of the distribution function."""
    return cast(negative(log1p(negative(uniform(state, shape, _exact(dtype))))), dtype)


def gumbel(state: Tensor, shape: Shape) -> Tensor:
    """Standard Gumbel numbers in double precision, as with 24 random bits the largest of many would often be equal."""
    return negative(log(negative(log(uniform(state, shape, dtypes.float64)))))


def categorical(state: Tensor, logits: Tensor, shape: Shape, axis: int) -> Tensor:
    """Indices drawn with the probabilities softmax(logits): those of the largest logit plus Gumbel number."""
    last = astype(moveaxis(logits, axis, -1), dtypes.float64, copy=False)
    return argmax(add(last, gumbel(state, (*shape, *last.shape))), -1)


def weighted_choice(state: Tensor, weights: Tensor, shape: Shape) -> Tensor:
    """Indices drawn in proportion to `weights`, by the inverse of their cumulative sum."""
    total = cumulative_sum(astype(weights, dtypes.float64, copy=False))
    cumulative = divide(total, slice_axis(total, 0, total.shape[0] - 1, total.shape[0]))  # ends in exactly 1
    return searchsorted(cumulative, uniform(state, shape, dtypes.float64), side="right")


def distinct_choice(state: Tensor, count: int, weights: Tensor | None, size: int) -> Tensor:
    """`size` different indices below `count`, one after another in proportion to the weights that are left.

    With weights, the largest logarithms plus Gumbel numbers (Efraimidis and Spirakis, 2006, in another form).
    """
    if weights is None:
        return slice_axis(permutation(state, count), 0, 0, size)
    keys = add(log(astype(weights, dtypes.float64, copy=False)), gumbel(state, (count,)))
    return slice_axis(argsort(keys, descending=True), 0, 0, size)


def gamma(state: Tensor, concentration: Tensor, shape: Shape, dtype: DType) -> Tensor:
    """Gamma numbers of scale 1."""
    numbers, boost = _gamma_parts(state, concentration, shape, _exact(dtype))
    return cast(where(less(boost, 0), multiply(numbers, exp(boost)), numbers), dtype)


def log_gamma(state: Tensor, concentration: Tensor, shape: Shape, dtype: DType) -> Tensor:
    """Logarithms of gamma numbers of scale 1, also where the numbers would be 0 for small concentrations."""
    numbers, boost = _gamma_parts(state, concentration, shape, dtype)
    return add(log(numbers), boost)


def _gamma_parts(state: Tensor, concentration: Tensor, shape: Shape, exact: DType) -> tuple[Tensor, Tensor]:
    """Gamma numbers by the method of Marsaglia and Tsang (2000), repeated until each one is accepted.

    Below concentration 1 they are the numbers for one more, to be multiplied by U^(1 / concentration) with uniform U,
    whose logarithm is the second result; it is 0 otherwise.
    """
    alpha = broadcast_to(cast(stop_gradient(concentration), exact), shape)
    d = subtract(where(less(alpha, 1), add(alpha, 1), alpha), 1 / 3)
    c = divide(1 / 3, sqrt(d))

    def propose(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        x, u = normal(first, shape, exact), uniform(second, shape, exact)
        v = pow(maximum(add(multiply(c, x), 1), 0), 3)
        bound = add(multiply(square(x), 0.5), multiply(d, add(subtract(1, v), log(v))))  # -inf where v is 0
        return multiply(d, v), less(log1p(negative(u)), bound)

    stream = substream(state)
    numbers = until_accepted(advance(stream), shape, exact, propose)
    boost = divide(log1p(negative(uniform(stream, shape, exact))), where(less(alpha, 1), alpha, 1))
    return numbers, where(less(alpha, 1), boost, 0)


def dirichlet(state: Tensor, concentration: Tensor, shape: Shape, dtype: DType) -> Tensor:
    """Numbers above 0 that sum to 1 along the last axis: gamma numbers over their sum."""
    logarithms = log_gamma(state, concentration, shape, dtypes.float64)
    return cast(exp(subtract(logarithms, logsumexp(logarithms, -1, keepdims=True))), dtype)


def beta(state: Tensor, first: Tensor, second: Tensor, shape: Shape, dtype: DType) -> Tensor:
    """Beta numbers: the share of one gamma number in the sum of two."""
    stream = substream(state)
    one = log_gamma(stream, first, shape, dtypes.float64)
    return cast(sigmoid(subtract(one, log_gamma(advance(stream), second, shape, dtypes.float64))), dtype)


def laplace(state: Tensor, shape: Shape, dtype: DType) -> Tensor:
    """Laplace numbers of mean 0 and scale 1: differences of two exponential numbers."""
    pairs = exponential(state, (2, *shape), _exact(dtype))
    return cast(subtract(pairs[0], pairs[1]), dtype)


def truncated_normal(state: Tensor, low: float, high: float, shape: Shape, dtype: DType) -> Tensor:
    """Standard normal numbers between `low` and `high`, by rejection (Robert, 1995).

    What is proposed fits the interval: normal numbers where it has much of the mass, else exponential or uniform ones.
    """
    if high < 0 or low == -math.inf:
        return negative(truncated_normal(state, -high, -low, shape, dtype)) if high < math.inf else normal(
            state, shape, dtype)
    exact = _exact(dtype)
    peak = max(low, 0.0)  # where the density is largest

    def from_normal(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        x = normal(first, shape, exact)
        return x, logical_and(less(low, x), less(x, high))

    def from_exponential(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        beyond = divide(exponential(first, shape, exact), low)
        is_accepted = less(uniform(second, shape, exact), exp(multiply(square(beyond), -0.5)))
        return add(beyond, low), logical_and(is_accepted, less(beyond, high - low))

    def from_uniform(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        x = add(multiply(uniform(first, shape, exact), high - low), low)
        return x, less(uniform(second, shape, exact), exp(multiply(subtract(peak * peak, square(x)), 0.5)))

    mass = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    propose = from_normal if mass > 0.25 else from_exponential if low * (high - low) > 2 else from_uniform
    return cast(until_accepted(substream(state), shape, exact, propose), dtype)


def _exact(dtype: DType) -> DType:
    """The type to compute in: half precision is computed in single precision."""
    return dtype if dtype is dtypes.float64 else dtypes.float32


def until_accepted(stream: Tensor, shape: Shape, dtype: DType, propose: Propose) -> Tensor:
    """Numbers that `propose` makes from two states, drawn again for all until each has once been accepted."""
    def step(carry: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        stream, numbers, waiting = carry
        second = advance(stream)
        proposed, is_accepted = propose(stream, second)
        return (advance(second), where(logical_and(waiting, is_accepted), proposed, numbers),
                logical_and(waiting, logical_not(is_accepted)))

    start = stream, full(shape, 0.0, dtype=dtype), full(shape, True)
    return while_loop(lambda carry: any(carry[2]), step, start)[1]


@composite("dropout")
def dropout(x: Tensor, state: Tensor, *, rate: float) -> Tensor:
    """`x` with a share `rate` of its elements set to 0 and the others divided by 1 - rate."""
    keep = 1 - rate
    return where(bernoulli(state, keep, x.shape), multiply(x, 1 / keep), 0)
