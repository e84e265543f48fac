"""log, log1p and the inverse hyperbolic functions, for float and double registers.

x = 2^k m with m from sqrt(1/2) to sqrt(2) and log(x) = k ln 2 + log(1 + f), f = m - 1. In single precision
log(1 + f) = f - f^2 / 2 + f^3 p(f); in double f - f^2 / 2 + s (f^2 / 2 + s^2 R(s^2)) with s = f / (2 + f), as in fdlibm
(Sun Microsystems, 1993). The coefficients are minimax ones by Remez's algorithm at 50 digits. The inverse hyperbolic
functions are formulas of log1p, as in fdlibm.
"""

from __future__ import annotations

import math

from tarazu.backend.native.math.exponential import CONSTANTS
from tarazu.backend.native.math.number import Number, choose, polynomial

_SINGLE = (0.33333314, -0.249999837, 0.200021918, -0.166694943, 0.142170214, -0.123772293, 0.118893101, -0.118485502,
           0.06938305)
_DOUBLE = (0.6666666666666666, 0.40000000000004815, 0.28571428569356805, 0.22222222625985852, 0.18181776170502514,
           0.15387106128038597, 0.13249139443881408, 0.132645771478191)


def _root_bits(x: Number) -> int:
    """The bit pattern of sqrt(1/2)."""
    return 0x3F3504F3 if x.element == "float" else 0x3FE6A09E667F3BCD


def split(x: Number) -> tuple[Number, Number]:
    """k as a float, and f, for a normal number x = 2^k (1 + f)."""
    layout, root = x.format, _root_bits(x)
    moved = x.bits() + ((layout.bias << layout.fraction_bits) - root)
    f = ((moved & ((1 << layout.fraction_bits) - 1)) + root).as_float() - 1
    # The exponent becomes the fraction of a float in whose fraction the last bit is worth 1.
    one = (layout.bias + layout.fraction_bits) << layout.fraction_bits
    k = ((moved >> layout.fraction_bits) | one).as_float() - (2.0**layout.fraction_bits + layout.bias)
    return k, f


def _log_of_parts(k: Number, f: Number, correction: Number | None = None) -> Number:
    """k ln 2 + log(1 + f) + correction."""
    constants = CONSTANTS[f.element]
    low = k * constants.ln2_low if correction is None else k.times_plus(constants.ln2_low, correction)
    half_square = f * f * 0.5
    if f.element == "float":
        rest = (f * f * f).times_plus(polynomial(f, _SINGLE), low)
    else:
        s = f / (f + 2)
        z = s * s
        rest = s.times_plus(z.times_plus(polynomial(z, _DOUBLE), half_square), low)
    return k.times_plus(constants.ln2_high, f - (half_square - rest))


def with_special_values(x: Number, value: Number) -> Number:
    """`value`, but log(x) where that is not finite: for 0, infinity, negative numbers and NaN."""
    value = choose(x.test("olt", math.inf), value, x)
    value = choose(x.equals(0), -math.inf, value)
    return choose(x < 0, math.nan, value)


def log(x: Number) -> Number:
    """The natural logarithm; subnormal numbers are scaled up first."""
    layout = x.format
    subnormal = x < 2.0 ** (1 - layout.bias)
    scaled = choose(subnormal, x * 2.0**layout.fraction_bits, x)
    k, f = split(scaled)
    k = k - choose(subnormal, x.constant(layout.fraction_bits), x.constant(0))
    return with_special_values(x, _log_of_parts(k, f))


def log1p(x: Number) -> Number:
    """log(u) + c / u, where u is 1 + x rounded and c the rounding error (two-sum: Knuth, 1969)."""
    u = x + 1
    part = u - 1
    lost = (1 - (u - part)) + (x - part)
    k, f = split(u)
    value = with_special_values(u, _log_of_parts(k, f, lost / u))
    return choose(x.equals(0), x, value)


def asinh(x: Number) -> Number:
    """log1p(t + t^2 / (1 + sqrt(1 + t^2))) of t = |x|; in double for arguments of single precision."""
    t = abs(x)
    square = t * t
    value = log1p(t + square / ((square + 1).sqrt() + 1))
    return choose(t.equals(math.inf), x, value.copysign(x))


def acosh(x: Number) -> Number:
    """log1p(t + sqrt(2 t + t^2)) of t = x - 1; in double for arguments of single precision."""
    t = x - 1
    value = log1p(t + (t * (t + 2)).sqrt())
    return choose(x < 1, math.nan, value)


def atanh(x: Number) -> Number:
    """log1p(2 t / (1 - t)) / 2 of t = |x|; in double for arguments of single precision."""
    t = abs(x)
    return (log1p(t * 2 / (1 - t)) * 0.5).copysign(x)
