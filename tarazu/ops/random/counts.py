"""Random whole numbers of named distributions as functions of a generator's state: binomial and Poisson numbers.

Numbers with a mean of less than 10 come from one uniform number, by going up the distribution function; the others by
transformed rejection (Hörmann, 1993), repeated until each one is accepted. Both are computed in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from tarazu.base import dtypes
from tarazu.ir.types import Shape
from tarazu.ops.control_flow.loops import while_loop
from tarazu.ops.create import full
from tarazu.ops.elementwise import (
    abs,
    add,
    divide,
    exp,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    lgamma,
    log,
    log1p,
    logical_and,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    sqrt,
    square,
    stop_gradient,
    subtract,
    where,
)
from tarazu.ops.promote import cast
from tarazu.ops.random.bits import advance, uniform
from tarazu.ops.random.distributions import substream, until_accepted
from tarazu.ops.reduce import any
from tarazu.ops.shape import broadcast_to
from tarazu.ops.typing import ArrayLike, Tensor

_LARGE = 10.0  # the mean from which on numbers are rejected


class Hat(NamedTuple):
    """The numbers, by element, of the curve below which proposals lie, in the letters of the paper."""

    a: Tensor
    b: Tensor
    center: Tensor
    alpha: Tensor  # one over it for Poisson numbers
    v_r: Tensor


def poisson(state: Tensor, mean: Tensor, shape: Shape) -> Tensor:
    """Poisson numbers of the given mean (method PTRS)."""
    mean = broadcast_to(cast(stop_gradient(mean), dtypes.float64), shape)
    small, large = minimum(mean, _LARGE), maximum(mean, _LARGE)
    stream = substream(state)
    few = _up_from_0(uniform(stream, shape, dtypes.float64), exp(negative(small)), lambda k: divide(small, k))
    b = _line(sqrt(large), 2.53, 0.931)
    hat = Hat(_line(b, 0.02483, -0.059), b, add(large, 0.43), add(divide(1.1328, subtract(b, 3.4)), 1.1239),
              subtract(0.9277, divide(3.6224, subtract(b, 2))))
    many = _rejected(advance(stream), shape, hat, math.inf,
                     lambda k: subtract(subtract(multiply(k, log(large)), large), lgamma(add(k, 1))))
    return cast(where(less(mean, _LARGE), few, many), dtypes.int64)


def binomial(state: Tensor, count: Tensor, probability: Tensor, shape: Shape) -> Tensor:
    """How many of `count` trials of the given probability succeed (method BTRS)."""
    n, p = (broadcast_to(cast(stop_gradient(x), dtypes.float64), shape) for x in (count, probability))
    is_likely = greater(p, 0.5)  # then failures are counted
    p = where(is_likely, subtract(1, p), p)
    is_small = less(multiply(n, p), _LARGE)
    stream = substream(state)
    odds = divide(p, subtract(1, p))
    few = _up_from_0(uniform(stream, shape, dtypes.float64), exp(multiply(where(is_small, n, 0), log1p(negative(p)))),
                     lambda k: multiply(divide(subtract(n, subtract(k, 1)), k), odds))
    many = _many_successes(advance(stream), where(is_small, 4 * _LARGE, n), where(is_small, 0.5, p), shape)
    successes = where(is_small, minimum(few, n), many)
    return cast(where(is_likely, subtract(n, successes), successes), dtypes.int64)


def _many_successes(stream: Tensor, n: Tensor, p: Tensor, shape: Shape) -> Tensor:
    """Binomial numbers with a mean of 10 or more and a probability of at most a half."""
    spread = sqrt(multiply(multiply(n, p), subtract(1, p)))
    b = _line(spread, 2.53, 1.15)
    hat = Hat(add(_line(b, 0.0248, -0.0873), multiply(p, 0.01)), b, add(multiply(n, p), 0.5),
              multiply(add(divide(5.1, b), 2.83), spread), subtract(0.92, divide(4.2, b)))
    mode = floor(multiply(add(n, 1), p))

    def orders(k: Tensor) -> Tensor:
        return add(lgamma(add(k, 1)), lgamma(add(subtract(n, k), 1)))

    log_odds = subtract(log(p), log1p(negative(p)))
    return _rejected(stream, shape, hat, n,
                     lambda k: add(subtract(orders(mode), orders(k)), multiply(subtract(k, mode), log_odds)))


def _line(x: Tensor, slope: float, height: float) -> Tensor:
    return add(multiply(x, slope), height)


def _up_from_0(u: Tensor, mass: Tensor, ratio: Callable[[Tensor], Tensor]) -> Tensor:
    """The first number at which the distribution function is above `u`; `ratio(k)` is the mass of k over that of k - 1.

    The search ends where the masses are below the digits of the sum.
    """
    def is_open(carry: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
        _, total, mass, _ = carry
        return any(logical_and(greater_equal(u, total), greater(add(total, mass), total)))

    def step(carry: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        k, total, mass, number = carry
        k = add(k, 1)
        mass = maximum(multiply(mass, ratio(k)), 0)
        return k, add(total, mass), mass, add(number, cast(greater_equal(u, total), dtypes.float64))

    zeros = multiply(mass, 0)
    return while_loop(is_open, step, (full((), 0.0, dtype=dtypes.float64), mass, mass, zeros))[3]


def _rejected(stream: Tensor, shape: Shape, hat: Hat, most: ArrayLike,
              log_mass: Callable[[Tensor], Tensor]) -> Tensor:
    """Whole numbers from 0 to `most` with masses in proportion to exp(log_mass)."""
    def propose(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        u, v = subtract(uniform(first, shape, dtypes.float64), 0.5), uniform(second, shape, dtypes.float64)
        side = subtract(0.5, abs(u))
        k = floor(add(multiply(add(divide(multiply(hat.a, 2), side), hat.b), u), hat.center))
        is_inside = logical_and(greater_equal(k, 0), less_equal(k, most))
        k = where(is_inside, k, 0)
        height = log(divide(multiply(v, hat.alpha), add(divide(hat.a, square(side)), hat.b)))
        is_below = less_equal(height, log_mass(k))
        is_surely_below = logical_and(greater_equal(side, 0.07), less_equal(v, hat.v_r))
        return k, logical_and(is_inside, logical_or(is_surely_below, is_below))

    return until_accepted(stream, shape, dtypes.float64, propose)
