"""Sine and cosine in double precision.

Arguments are reduced to r = x - n pi / 2 by Cody and Waite's method (1980) with pi / 2 in four parts, n times the first
three of which is exact for n below 2^20; beyond, the C library is asked. sin(r) = r + r^3 S(r^2) and
cos(r) = 1 - r^2 / 2 + r^4 C(r^2), as in fdlibm (Sun Microsystems, 1993). The coefficients are minimax ones by Remez's
algorithm at 50 digits.
"""

from __future__ import annotations

import math

from tarazu.backend.native.math.c_library import by_c_library
from tarazu.backend.native.math.functions import in_doubt
from tarazu.backend.native.math.number import Number, choose, polynomial

HALF_PI = (1.57079632673412561417, 6.07710050630396597660e-11, 2.02226624871116645580e-21, 8.47842766036889956997e-32)
_LARGEST = 2.0**20
_SIN = (-0.1666666666666664, 0.008333333333323575, -0.000198412698300642, 2.7557313621771576e-06,
        -2.505072963515091e-08, 1.5894416117286944e-10)
_COS = (0.04166666666666665, -0.0013888888888882785, 2.480158729457783e-05, -2.7557315719792157e-07,
        2.0875894650411363e-09, -1.1367797640996548e-11)


def _reduce(x: Number) -> tuple[Number, Number, Number]:
    """The bits of n, and r as the sum of two numbers."""
    shifted = x.times_plus(2 / math.pi, x.format.magic)
    n = shifted - x.format.magic
    high = n * -HALF_PI[0] + x
    low = n * -HALF_PI[3]
    for part in HALF_PI[1:3]:
        high, lost = _two_sum(high, n * -part)
        low = low + lost
    total = high + low
    return shifted.bits(), total, low - (total - high)


def _two_sum(a: Number, b: Number) -> tuple[Number, Number]:
    """The rounded sum and what the rounding took (Knuth, 1969)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _sine_and_cosine(x: Number) -> tuple[Number, Number, Number]:
    """The bits of n, sin(r) and cos(r)."""
    bits, r, low = _reduce(x)
    z = r * r
    half = z * 0.5
    sine = r + (low + (z * r * polynomial(z, _SIN) - half * low))
    one_less = 1 - half
    cosine = one_less + (((1 - one_less) - half) + (z * z * polynomial(z, _COS) - r * low))
    return bits, sine, cosine


def _quadrant(x: Number, ahead: int) -> Number:
    """sin(x + ahead pi / 2)."""
    bits, sine, cosine = _sine_and_cosine(x)
    turned = bits + ahead
    value = choose((turned & 1).differs(0), cosine, sine)
    return (value.bits() ^ (turned & 2) << 62).as_float()


def with_large(name: str, x: Number, value: Number) -> Number:
    """`value`, or that of the C library where some argument is too large to be reduced."""
    return in_doubt(value, abs(x).test("ugt", _LARGEST), lambda: by_c_library(name)(x))


def sin(x: Number) -> Number:
    return with_large("sin", x, choose(x.equals(0), x, _quadrant(x, 0)))


def cos(x: Number) -> Number:
    return with_large("cos", x, _quadrant(x, 1))
