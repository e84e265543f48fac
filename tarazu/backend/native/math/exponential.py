"""exp, expm1, sigmoid and the hyperbolic functions, for float and double registers.

exp(x) = 2^n exp(r) with n = round(x / ln 2), where |r| <= ln(2) / 2 and exp(r) = 1 + r + r^2 q(r). The coefficients of
q are minimax ones by Remez's algorithm at 50 digits. ln 2 has two parts, such that n times the first is exact (Cody and
Waite, "Software Manual for the Elementary Functions", 1980).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tarazu.backend.native.llvm.values import constant
from tarazu.backend.native.math.number import Number, choose, polynomial


class Constants(NamedTuple):
    """The numbers of one format: the parts of ln 2, coefficients and bounds."""

    ln2_high: float
    ln2_low: float
    coefficients: tuple[float, ...]  # of q
    wide_coefficients: tuple[float, ...]  # of q for r from 0 to ln 2
    least: float  # exp of less is 0
    most: float  # exp of more is infinite


CONSTANTS = {
    "float": Constants(0.693359375, -2.12194440e-4,
                       (0.5, 0.166666668, 0.0416662234, 0.0083332841, 0.00139497829, 0.000199089063),
                       (0.499999967, 0.166667564, 0.0416584817, 0.00836748842, 0.00131757267, 0.000269717399),
                       -104.0, 89.0),
    "double": Constants(0.693147180369123816490, 1.90821492927058770002e-10,
                        (0.5, 0.16666666666666677, 0.041666666666666706, 0.008333333333320654, 0.001388888888886503,
                         0.00019841269888893468, 2.4801587364139665e-05, 2.7557241163699e-06, 2.7557239699366884e-07,
                         2.511017896004794e-08, 2.0925386342781837e-09),
                        (0.5, 0.16666666666666674, 0.04166666666666375, 0.00833333333339111, 0.0013888888882576118,
                         0.00019841270266570099, 2.4801568563170078e-05, 2.7557874937035966e-06, 2.75461534220398e-07,
                         2.5201669911107066e-08, 1.9605126145445714e-09, 2.2160355562725753e-10),
                        -746.0, 710.0),
}


class Reduced(NamedTuple):
    """x = n ln 2 + r: n as a float, n in the low bits of `shifted`, and r."""

    n: Number
    shifted: Number
    r: Number


def reduce(x: Number) -> Reduced:
    """The reduction of x with |r| <= ln(2) / 2; |x| is so small that n fits into half of the fraction."""
    return _reduced(x, x.times_plus(1 / math.log(2), x.format.magic))


def _reduce_down(x: Number) -> Reduced:
    """The reduction of x with r from 0 to ln 2."""
    return _reduced(x, x.times_plus(1 / math.log(2), -0.5) + x.format.magic)


def _reduced(x: Number, shifted: Number) -> Reduced:
    """The parts of x, given n in the low bits of `shifted`."""
    constants = CONSTANTS[x.element]
    n = shifted - x.format.magic
    r = n.times_plus(-constants.ln2_low, n.times_plus(-constants.ln2_high, x))
    return Reduced(n, shifted.bits(), r)


def _expm1_of_reduced(r: Number) -> Number:
    """exp(r) - 1 = r + r^2 q(r)."""
    return (r * r).times_plus(polynomial(r, CONSTANTS[r.element].coefficients), r)


def _exp_of_reduced(r: Number) -> Number:
    """exp(r), little worse than rounded once: what the sum 1 + r loses is added to the smaller term."""
    large = r + 1
    return large + (r * r).times_plus(polynomial(r, CONSTANTS[r.element].coefficients), r - (large - 1))


def power_of_two(reduced: Reduced) -> Number:
    """2^n where it is a normal number."""
    layout = reduced.n.format
    return (reduced.shifted + (layout.bias - layout.magic_bits) << layout.fraction_bits).as_float()


def _scale(x: Number, reduced: Reduced) -> Number:
    """x 2^n, also where that is subnormal or infinite: two products, each with a power of two for half of n."""
    layout = x.format
    target, size = x.target, x.lanes * layout.bytes
    if target and target.is_x86 and target.vector_bytes == 64 and size in (16, 32, 64):
        return _scale_avx512(x, reduced.n)
    biased = reduced.shifted + (2 * layout.bias - layout.magic_bits)
    first = biased >> 1
    return x * (first << layout.fraction_bits).as_float() * (biased - first << layout.fraction_bits).as_float()


def _scale_avx512(x: Number, n: Number) -> Number:
    """x 2^n by one instruction of AVX-512, vscalef."""
    width, kind = 8 * x.lanes * x.format.bytes, "ps" if x.element == "float" else "pd"
    function, mask = x.function, f"i{max(x.lanes, 8)}"
    arguments = [x.value, n.value, x.constant(0).value, constant(mask, -1)]
    if width == 512:
        arguments.append(constant("i32", 4))  # rounding as set
    return x.like(function.call(x.value.type, f"llvm.x86.avx512.mask.scalef.{kind}.{width}", *arguments))


def exp(x: Number) -> Number:
    """exp(x), also where that is subnormal, 0 or infinite."""
    constants = CONSTANTS[x.element]
    reduced = reduce(x.up_to(constants.most).at_least(constants.least))
    return _scale(_exp_of_reduced(reduced.r), reduced)


def exp_of_moderate(x: Number) -> Number:
    """exp where its value is a normal number."""
    reduced = reduce(x)
    return (_expm1_of_reduced(reduced.r) + 1) * power_of_two(reduced)


def expm1(x: Number) -> Number:
    """exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1)."""
    constants = CONSTANTS[x.element]
    least = -float(x.format.fraction_bits + 3)  # from here on the value is -1
    reduced = reduce(x.up_to(constants.most).at_least(least))
    half = (reduced.shifted - (x.format.magic_bits - x.format.bias + 1) << x.format.fraction_bits).as_float()
    value = (half.times_plus(_expm1_of_reduced(reduced.r), half - 0.5)) * 2  # 2^n itself may be infinite
    return choose(abs(x) < 2.0 ** -(x.format.fraction_bits + 2), x, value)


def sigmoid(x: Number) -> Number:
    """1 / (1 + exp(-x)), by exp(-|x|), which does not overflow."""
    small = exp(-abs(x))
    below, denominator = x < 0, small + 1
    lost = small - (denominator - 1)
    value = choose(below, small, 1) / denominator
    inverse = choose(below, 1 - value, value)
    return (value * lost).times_plus(-inverse, value)


def tanh(x: Number) -> Number:
    """E / (E + 2) with E = exp(2 |x|) - 1 = 2^n (exp(r) - 1) + (2^n - 1), r from 0 to ln 2 so that nothing cancels."""
    constants = CONSTANTS[x.element]
    bound = 0.7 * (x.format.fraction_bits + 3)  # from half of it on the value is 1
    reduced = _reduce_down((abs(x) * 2).up_to(bound))
    power, r = power_of_two(reduced), reduced.r
    less_one = power.times_plus((r * r).times_plus(polynomial(r, constants.wide_coefficients), r), power - 1)
    denominator = less_one + 2
    lost = choose(less_one < 2, less_one - (denominator - 2), 0)
    value = less_one / denominator
    return (value * lost).times_plus((value - 1) * 0.5, value).copysign(x)


def sinh(x: Number) -> Number:
    """(E + E / (E + 1)) / 2 with E = exp(|x|) - 1; in double for arguments of single precision."""
    less_one = expm1(abs(x).up_to(100.0))
    return ((less_one + less_one / (less_one + 1)) * 0.5).copysign(x)


def cosh(x: Number) -> Number:
    """(e + 1 / e) / 2 with e = exp(|x|); in double for arguments of single precision."""
    power = exp(abs(x).up_to(100.0))
    return (power + 1 / power) * 0.5
