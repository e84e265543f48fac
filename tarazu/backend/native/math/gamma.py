"""erf in single precision, and polygamma in double."""

from __future__ import annotations

import math

from tarazu.backend.native.math.exponential import exp_of_moderate
from tarazu.backend.native.math.functions import shared
from tarazu.backend.native.math.logarithm import log
from tarazu.backend.native.math.number import Number, choose, polynomial
from tarazu.backend.native.math.trigonometry import cos, sin
from tarazu.base.polygamma import BERNOULLI, SERIES_FROM, TINY, cotangent_derivative

# Minimax by Remez's algorithm at 50 digits: erf(x) / x - 1 in x^2 up to 0.9, log(erfc(x)) from there to 3.95, where
# erf is 1 in single precision.
_NEAR, _FAR = 0.9, 3.95
_ERF = (0.128379154, -0.376125233, 0.112821408, -0.02677891, 0.00501196444, -0.000609036833)
_LOG_ERFC = (-6.16507214e-05, -1.12846535, -0.635272036, -0.106391772, 0.0240499251, -0.00382108736, 0.000373124889,
             -1.66469467e-05)

def erf(x: Number) -> Number:
    """x + x p(x^2) near 0, elsewhere 1 - exp(log(erfc(|x|)))."""
    t = abs(x)
    near = x.times_plus(polynomial(x * x, _ERF), x)
    far = 1 - exp_of_moderate(polynomial(t.up_to(_FAR), _LOG_ERFC))
    return choose(t < _NEAR, near, far.copysign(x))


def polygamma(x: Number, order: int) -> Number:
    """The derivative of digamma of that order: recurrence upwards, then the asymptotic series; reflection below 0.5."""
    reflected = x < 0.5
    value = _upper_polygamma(choose(reflected, 1 - x, x), order)
    mirrored = (-value if order % 2 else value) - _cotangent_derivative(x, order)
    value = choose(reflected, mirrored, value)
    pole = reflected & x.intrinsic("floor").equals(x)
    value = choose(pole, math.inf if order % 2 else math.nan, value)
    leading = (-1) ** (order + 1) * math.factorial(order) / _to_the(x, order + 1)
    return choose(abs(x) < TINY, leading, value)


def _to_the(x: Number, exponent: int) -> Number:
    """x^exponent, for an exponent of at least 1."""
    if exponent == 1:
        return x
    half = _to_the(x, exponent // 2)
    return half * half * x if exponent % 2 else half * half


def _upper_polygamma(x: Number, order: int) -> Number:
    sign, factorial = (-1) ** (order + 1), math.factorial(order)
    first = float(SERIES_FROM + order)
    with x.function.loop(0, int(first), carried=[x.value, x.constant(0).value]) as loop:
        moved, total = (x.like(value) for value in loop.values)
        low = moved < first
        total = total + choose(low, sign * factorial / _to_the(moved, order + 1), 0)
        loop.next = [choose(low, moved + 1, moved).value, total.value]
    x, total = (x.like(value) for value in loop.results)
    leading = shared("log", log, x) if order == 0 else sign * math.factorial(order - 1) / _to_the(x, order)
    total = total + leading + sign * factorial / (2 * _to_the(x, order + 1))
    for k, bernoulli in enumerate(BERNOULLI, start=1):
        size = bernoulli * math.factorial(2 * k + order - 1) / math.factorial(2 * k)
        total = total + sign * size / _to_the(x, 2 * k + order)
    return total


def _cotangent_derivative(x: Number, order: int) -> Number:
    """The derivative of pi * cot(pi * x) of the given order."""
    angle = (x - x.intrinsic("rint")) * math.pi
    cotangent = shared("cos", cos, angle) / shared("sin", sin, angle)
    return polynomial(cotangent, [float(c) for c in cotangent_derivative(order).coef]) * math.pi
