"""erf in single precision, the logarithm of the gamma function by the C library, and polygamma in double precision."""

from __future__ import annotations

import math

from tarazu.backend.native.math.exponential import exp_of_moderate
from tarazu.backend.native.math.functions import by_c_library, lane_by_lane, outlined
from tarazu.backend.native.math.logarithm import log
from tarazu.backend.native.math.number import Number, choose, polynomial
from tarazu.backend.native.math.trigonometry import cos, sin
from tarazu.base.formulas.polygamma import SERIES_FROM, TINY, add_series, cotangent_derivative, recurrence_term

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


def lgamma(x: Number) -> Number:
    """log |gamma(x)| by the C library: lgamma_r where there is one, as lgamma stores the sign in a global variable."""
    if x.target is None or "windows" in x.target.triple:
        return by_c_library("lgamma")(x)
    sign = x.function.emit("ptr", "alloca i32")

    def one(y: Number) -> Number:
        return y.like(y.function.call("double", "lgamma_r", y.value, sign))
    return lane_by_lane(one, x)


def polygamma(x: Number, order: int) -> Number:
    """The derivative of digamma of that order: recurrence upwards, then the asymptotic series; reflection below 0.5."""
    reflected = x < 0.5
    value = _upper_polygamma(choose(reflected, 1 - x, x), order)
    mirrored = (-value if order % 2 else value) - _cotangent_derivative(x, order)
    value = choose(reflected, mirrored, value)
    pole = reflected & x.intrinsic("floor").equals(x)
    value = choose(pole, math.inf if order % 2 else math.nan, value)
    near_zero = recurrence_term(x, order)
    return choose(abs(x) < TINY, near_zero, value)


def _upper_polygamma(x: Number, order: int) -> Number:
    """For x of at least 0.5."""
    first = float(SERIES_FROM + order)
    with x.function.loop(0, int(first), carried=[x.value, x.constant(0).value]) as loop:
        moved, total = (x.like(value) for value in loop.values)
        low = moved < first
        total = total + choose(low, recurrence_term(moved, order), 0)
        loop.next = [choose(low, moved + 1, moved).value, total.value]
    x, total = (x.like(value) for value in loop.results)
    return add_series(total, x, order, lambda y: outlined("log", log, y))


def _cotangent_derivative(x: Number, order: int) -> Number:
    """The derivative of pi * cot(pi * x) of the given order."""
    angle = (x - x.intrinsic("rint")) * math.pi
    cotangent = outlined("cos", cos, angle) / outlined("sin", sin, angle)
    return polynomial(cotangent, [float(c) for c in cotangent_derivative(order).coef]) * math.pi
