"""Sines, tangents and their inverses in single precision, computed in double registers.

Formulas are those of mathematics_trigonometry.py with fewer terms: sin(r) = r + r^3 S(r^2) to 36 bits and
cos(r) = 1 - r^2 / 2 + r^4 C(r^2) to 32; atan(q) = q + q^3 A(q^2) for |q| <= tan(pi / 8), to 39. The coefficients are
minimax ones by Remez's algorithm at 50 digits.
"""

from __future__ import annotations

import math

from tarazu.backend.native.math.number import Number, choose, polynomial
from tarazu.backend.native.math.trigonometry import HALF_PI, with_large

_REST = 6.077100506506192e-11  # of pi / 2 after HALF_PI[0]
_SIN = (-0.16666666644040354, 0.008333329305093229, -0.00019839253543006837, 2.7172731621211923e-06)
_COS = (0.041666654579757975, -0.0013887649460420433, 2.4463166044042756e-05)
_ATAN = (-0.3333333330861973, 0.199999952256144, -0.14285441497574541, 0.11104094900187096, -0.08996085472042763,
         0.06982429604179416, -0.03769769185227741)


def _sine_and_cosine(x: Number) -> tuple[Number, Number, Number]:
    """The bits of n, sin(r) and cos(r), where x = n pi / 2 + r."""
    shifted = x.times_plus(2 / math.pi, x.format.magic)
    n = shifted - x.format.magic
    r = n.times_plus(-_REST, n.times_plus(-HALF_PI[0], x))
    z = r * r
    sine = (r * z).times_plus(polynomial(z, _SIN), r)
    cosine = (z * z).times_plus(polynomial(z, _COS), z.times_plus(-0.5, 1))
    return shifted.bits(), sine, cosine


def _quadrant(x: Number, ahead: int) -> Number:
    """sin(x + ahead pi / 2)."""
    bits, sine, cosine = _sine_and_cosine(x)
    turned = bits + ahead
    value = choose((turned & 1).differs(0), cosine, sine)
    return (value.bits() ^ (turned & 2) << 62).as_float()


def sin(x: Number) -> Number:
    return with_large("sin", x, choose(x.equals(0), x, _quadrant(x, 0)))


def cos(x: Number) -> Number:
    return with_large("cos", x, _quadrant(x, 1))


def tan(x: Number) -> Number:
    bits, sine, cosine = _sine_and_cosine(x)
    odd = (bits & 1).differs(0)
    value = choose(odd, -cosine, sine) / choose(odd, sine, cosine)
    return with_large("tan", x, choose(x.equals(0), x, value))


def atan2(y: Number, x: Number) -> Number:
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
    angle = (q * z).times_plus(polynomial(z, _ATAN), q) + base
    angle = choose(steep, math.pi / 2 - angle, angle)
    return choose(x.bits() < 0, math.pi - angle, angle).copysign(y)


def atan(x: Number) -> Number:
    return atan2(x, x.constant(1))


def asin(x: Number) -> Number:
    return atan2(x, ((1 - x) * (x + 1)).sqrt())


def acos(x: Number) -> Number:
    return atan2(((1 - x) * (x + 1)).sqrt(), x)
