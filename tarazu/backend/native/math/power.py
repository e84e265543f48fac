"""Powers: of single precision as exp(y log |x|) in double registers, by constant exponents, and of integers.

log(1 + f) = f - f^2 / 2 + f^3 p(f) to 35 bits, exp(r) = 1 + r + r^2 q(r) to 33; the coefficients are minimax ones by
Remez's algorithm at 50 digits.
"""

from __future__ import annotations

import math

from tarazu.backend.native.math.exponential import power_of_two, reduce
from tarazu.backend.native.math.logarithm import split, with_special_values
from tarazu.backend.native.math.number import Number, choose, polynomial

_LOG = (0.3333333398194815, -0.24999997892453432, 0.19999902458762822, -0.16666783975218852, 0.14290420160798706,
        -0.1250039872402378, 0.11012968213591949, -0.09898436195805091, 0.09975948806851898, -0.09978221789088576,
        0.05534800256887605)
_EXP = (0.5000000085775692, 0.16666666761925833, 0.041666223395368546, 0.008333284103416315, 0.0013949782923743266,
        0.00019908906328120827)
_LARGEST = 200.0  # exp of more is infinite in single precision, and of -200 it is 0


def power(x: Number, y: Number) -> Number:
    """x^y with the special cases of C's pow (ISO C, annex F)."""
    value = _power_of_magnitude(*(number.to("fpext", "double") for number in (abs(x), y))).to("fptrunc", "float")
    whole = y.intrinsic("floor").equals(y)
    half = y * 0.5
    odd = whole & half.intrinsic("floor").differs(half)
    value = choose(odd & (x.bits() < 0), -value, value)
    value = choose((x < 0) & ~whole & x.differs(-math.inf), math.nan, value)
    is_one = x.equals(1) | y.equals(0) | (x.equals(-1) & abs(y).equals(math.inf))
    return choose(is_one, 1, value)


def _power_of_magnitude(x: Number, y: Number) -> Number:
    """x^y for x of at least 0."""
    k, f = split(x)
    square = f * f
    logarithm = (square * f).times_plus(polynomial(f, _LOG), square.times_plus(-0.5, f))
    logarithm = with_special_values(x, k.times_plus(math.log(2), logarithm))
    reduced = reduce((logarithm * y).up_to(_LARGEST).at_least(-_LARGEST))
    r = reduced.r
    return ((r * r).times_plus(polynomial(r, _EXP), r) + 1) * power_of_two(reduced)


def constant_power(x: Number, exponent: float | None) -> Number | None:
    """x to one of the exponents that need no logarithm; None for others, and where the exponent is no constant."""
    if exponent == 0.5:
        return choose(x.equals(-math.inf), math.inf, (x + 0.0).sqrt())  # -0 becomes 0
    if exponent is None or exponent not in (-2, -1, 1, 2, 3):
        return None
    result = x
    for _ in range(int(abs(exponent)) - 1):
        result = result * x
    return result if exponent > 0 else 1 / result


def integer_power(x: Number, exponent: Number) -> Number:
    """By squaring, with wraparound, for exponents of at least 0; what negative ones give is not defined."""
    function, width = x.function, int(x.element[1:])
    start = [x.constant(1).value, x.value, exponent.value]
    with function.loop(0, width, carried=start) as loop:
        result, base, rest = (x.like(value) for value in loop.values)
        result = choose((rest & 1).differs(0), result * base, result)
        loop.next = [result.value, (base * base).value, (rest >> 1).value]
    return x.like(loop.results[0])
