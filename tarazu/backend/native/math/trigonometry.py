"""Sines, tangents and their inverses: for double precision, and for single precision computed in double registers.

Arguments are reduced to r = x - n pi / 2 by the method of Cody and Waite (1980). For double precision pi / 2 has four
parts, n times the first three of which is exact for n below 2^20, and what sums lose is kept (Knuth's two-sum, 1969);
for single precision two parts do. Larger arguments are left to the C library.

sin(r) = r + r^3 S(r^2) and cos(r) = 1 - r^2 / 2 + r^4 C(r^2), as in fdlibm (Sun Microsystems, 1993); for single
precision with fewer terms, S to 36 bits and C to 32. atan(q) = q + q^3 A(q^2) for |q| <= tan(pi / 8), to 39 bits. The
coefficients are minimax ones by Remez's algorithm at 50 digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from tarazu.backend.native.math.functions import by_c_library, with_slow_path
from tarazu.backend.native.math.number import Number, choose, polynomial

_HALF_PI = (1.57079632673412561417, 6.07710050630396597660e-11, 2.02226624871116645580e-21, 8.47842766036889956997e-32)
_HALF_PI_REST = 6.077100506506192e-11  # after the first part
_LARGEST = 2.0**20  # that is reduced here
_DOUBLE_SIN = (-0.1666666666666664, 0.008333333333323575, -0.000198412698300642, 2.7557313621771576e-06,
               -2.505072963515091e-08, 1.5894416117286944e-10)
_DOUBLE_COS = (0.04166666666666665, -0.0013888888888882785, 2.480158729457783e-05, -2.7557315719792157e-07,
               2.0875894650411363e-09, -1.1367797640996548e-11)
_SINGLE_SIN = (-0.16666666644040354, 0.008333329305093229, -0.00019839253543006837, 2.7172731621211923e-06)
_SINGLE_COS = (0.041666654579757975, -0.0013887649460420433, 2.4463166044042756e-05)
_SINGLE_ATAN = (-0.3333333330861973, 0.199999952256144, -0.14285441497574541, 0.11104094900187096,
                -0.08996085472042763, 0.06982429604179416, -0.03769769185227741)


class Reduced(NamedTuple):
    """The sine and cosine of r, where x = n pi / 2 + r; n in the lowest bits of `n_bits`."""

    n_bits: Number
    sine: Number
    cosine: Number


def _double(x: Number) -> Reduced:
    """The reduction of x, and sine and cosine, with the accuracy of double precision."""
    n_bits, r, low = _reduce(x)
    z = r * r
    half = z * 0.5
    sine = r + (low + (z * r * polynomial(z, _DOUBLE_SIN) - half * low))
    one_less = 1 - half
    cosine = one_less + (((1 - one_less) - half) + (z * z * polynomial(z, _DOUBLE_COS) - r * low))
    return Reduced(n_bits, sine, cosine)


def _reduce(x: Number) -> tuple[Number, Number, Number]:
    """The bits of n, and r as the sum of two numbers."""
    shifted = x.times_plus(2 / math.pi, x.format.magic)
    n = shifted - x.format.magic
    high = n * -_HALF_PI[0] + x
    low = n * -_HALF_PI[3]
    for part in _HALF_PI[1:3]:
        high, lost = _two_sum(high, n * -part)
        low = low + lost
    total = high + low
    return shifted.bits(), total, low - (total - high)


def _two_sum(a: Number, b: Number) -> tuple[Number, Number]:
    """The rounded sum and its rounding error (Knuth, 1969)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _single(x: Number) -> Reduced:
    """The reduction of x, and sine and cosine, with the accuracy of single precision, in double registers."""
    shifted = x.times_plus(2 / math.pi, x.format.magic)
    n = shifted - x.format.magic
    r = n.times_plus(-_HALF_PI_REST, n.times_plus(-_HALF_PI[0], x))
    z = r * r
    sine = (r * z).times_plus(polynomial(z, _SINGLE_SIN), r)
    cosine = (z * z).times_plus(polynomial(z, _SINGLE_COS), z.times_plus(-0.5, 1))
    return Reduced(shifted.bits(), sine, cosine)


def _sine(reduced: Reduced, quarters: int) -> Number:
    """sin(x + quarters pi / 2)."""
    n = reduced.n_bits + quarters
    value = choose((n & 1).differs(0), reduced.cosine, reduced.sine)
    return (value.bits() ^ (n & 2) << 62).as_float()


def _with_large(name: str, x: Number, value: Number) -> Number:
    """`value`, or that of the C library where some argument is too large to be reduced here."""
    return with_slow_path(value, abs(x).test("ugt", _LARGEST), lambda: by_c_library(name)(x))


def _sin(reduce: Callable[[Number], Reduced]) -> Callable[[Number], Number]:
    return lambda x: _with_large("sin", x, choose(x.equals(0), x, _sine(reduce(x), 0)))


def _cos(reduce: Callable[[Number], Reduced]) -> Callable[[Number], Number]:
    return lambda x: _with_large("cos", x, _sine(reduce(x), 1))


sin, cos = _sin(_double), _cos(_double)

# For arguments of single precision in double registers

single_sin, single_cos = _sin(_single), _cos(_single)


def single_tan(x: Number) -> Number:
    """sin(r) / cos(r) for even n, -cos(r) / sin(r) for odd n."""
    n_bits, sine, cosine = _single(x)
    odd = (n_bits & 1).differs(0)
    value = choose(odd, -cosine, sine) / choose(odd, sine, cosine)
    return _with_large("tan", x, choose(x.equals(0), x, value))


def single_atan2(y: Number, x: Number) -> Number:
    """The angle of the point (x, y): atan of the smaller by the larger coordinate, turned into the right octant.

    Quotients above tan(pi / 8) become (q - 1) / (q + 1) by atan(q) = pi / 4 + atan((q - 1) / (q + 1)).
    """
    a, b = abs(x), abs(y)
    steep = b > a
    large, small = choose(steep, b, a), choose(steep, a, b)
    infinite = small.equals(math.inf) & large.equals(math.inf)
    middle = small > large * math.tan(math.pi / 8)
    numerator = choose(infinite, 0, choose(middle, small - large, small))
    denominator = choose(infinite | large.equals(0), 1, choose(middle, small + large, large))
    q = numerator / denominator
    z = q * q
    base = choose(middle | infinite, q.constant(math.pi / 4), q.constant(0))
    angle = (q * z).times_plus(polynomial(z, _SINGLE_ATAN), q) + base
    angle = choose(steep, math.pi / 2 - angle, angle)
    return choose(x.bits() < 0, math.pi - angle, angle).copysign(y)


def single_atan(x: Number) -> Number:
    """The angle of the point (1, x)."""
    return single_atan2(x, x.constant(1))


def single_asin(x: Number) -> Number:
    """The angle of the point (sqrt(1 - x^2), x)."""
    return single_atan2(x, ((1 - x) * (x + 1)).sqrt())


def single_acos(x: Number) -> Number:
    """The angle of the point (x, sqrt(1 - x^2))."""
    return single_atan2(((1 - x) * (x + 1)).sqrt(), x)
