"""Conversions of float16 and bfloat16, which are 16 bits in memory and float in registers.

They take integer arithmetic and additions of floats, but for float16 where the target converts it: LLVM's own half
types need instructions that not every processor has, and abort where those are missing. Subnormal numbers are handled
as in Giesen, "Half to float done quic" (2012): a float with a fixed exponent is added and taken off, so that the
rounding of the processor is the one of float16.
"""

from __future__ import annotations

from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import Value
from tarazu.backend.native.math.number import Number, choose
from tarazu.base import dtypes
from tarazu.base.dtypes import DType

_SHIFT = 23 - 10  # by how much the fraction of float16 is shorter
_REBIAS = (127 - 15) << 23
_SMALLEST_NORMAL = 113 << 23  # 2^-14, the smallest normal float16, as a float's bits
_OVERFLOW = (127 + 16) << 23  # 2^16
_HALF_BITS = 126 << 23  # 0.5, the float whose last fraction bit is worth 2^-24, the smallest float16


def load_half(function: Function, bits: Value, dtype: DType) -> Value:
    """The numbers of `dtype` with these bit patterns (i16) as floats."""
    return widen(Number(function, None, bits), dtype).value


def store_half(function: Function, value: Value, dtype: DType) -> Value:
    """The bit patterns (i16) of floats rounded to `dtype`."""
    return narrow(Number(function, None, value), dtype).value


def round_to_half(function: Function, target: Target, value: Value, dtype: DType) -> Value:
    """The nearest numbers that `dtype` has, still as float."""
    if dtype is not dtypes.bfloat16:
        return widen(narrow(Number(function, target, value), dtype), dtype).value
    x = Number(function, None, value)  # a way through 16 bits would take shuffles
    bits = choose(x.is_nan(), x.bits() | 0x400000, _rounded_up(x.bits()))
    return (bits & 0xFFFF0000).as_float().value


def round_result(function: Function, target: Target, value: Value, dtype: DType) -> Value:
    """The same of what arithmetic gives for numbers of `dtype`: no nan has more digits than those of `dtype`."""
    if dtype is not dtypes.bfloat16:
        return round_to_half(function, target, value, dtype)
    return (_rounded_up(Number(function, None, value).bits()) & 0xFFFF0000).as_float().value


def narrow_exactly(x: Number, dtype: DType) -> Number:
    """From float to bit patterns in i16, for numbers that `dtype` has."""
    return (x.bits() >> 16).to("trunc", "i16") if dtype is dtypes.bfloat16 else narrow(x, dtype)


def widen(bits: Number, dtype: DType) -> Number:
    """From bit patterns in i16 to float."""
    if _is_converted(bits, dtype):
        return bits.to("bitcast", "half").to("fpext", "float")
    wide = bits.to("zext", "i32")
    if dtype is dtypes.bfloat16:
        return (wide << 16).as_float()
    magnitude = (wide & 0x7FFF) << _SHIFT
    rebiased = magnitude + _REBIAS
    subnormal = ((magnitude + _SMALLEST_NORMAL).as_float() - 2.0**-14).bits()
    number = choose(magnitude < 1 << 23, subnormal, rebiased)
    number = choose(magnitude >= 31 << 23, magnitude + (2 * _REBIAS), number)  # inf and NaN: the largest exponent
    return (number | (wide & 0x8000) << 16).as_float()


def narrow(x: Number, dtype: DType) -> Number:
    """From float to bit patterns in i16, to the nearest number, of two equally near ones to the even one."""
    if _is_converted(x, dtype):
        return x.to("fptrunc", "half").to("bitcast", "i16")
    bits = x.bits()
    if dtype is dtypes.bfloat16:
        return choose(x.is_nan(), bits >> 16 | 0x40, _rounded_up(bits) >> 16).to("trunc", "i16")
    magnitude = bits & 0x7FFFFFFF
    half_less_one = (1 << (_SHIFT - 1)) - 1  # of the last bit that is kept
    normal = (magnitude - _REBIAS + half_less_one + (magnitude >> _SHIFT & 1)) >> _SHIFT
    subnormal = (magnitude.as_float() + 2.0**-1).bits() - _HALF_BITS
    small = choose(magnitude < _SMALLEST_NORMAL, subnormal, normal)
    infinite = choose(magnitude > 0x7F800000, bits.constant(0x7E00), bits.constant(0x7C00))
    half = choose(magnitude >= _OVERFLOW, infinite, small)
    return (half | bits >> 16 & 0x8000).to("trunc", "i16")


def _is_converted(x: Number, dtype: DType) -> bool:
    """Whether the target has an instruction for a conversion."""
    return dtype is dtypes.float16 and x.target is not None and x.target.has_float16


def _rounded_up(bits: Number) -> Number:
    """The bits of floats of which the upper half are those of the nearest bfloat16, of two the even one."""
    return bits + 0x7FFF + (bits >> 16 & 1)


def to_odd_float(x: Number) -> Number:
    """From double to float by rounding to odd, so that rounding again to fewer digits is right (Boldo and Melquiond,
    2008)."""
    near = x.to("fptrunc", "float")
    back, bits = near.to("fpext", "double"), near.bits()
    inward = choose(abs(back) > abs(x), bits - 1, bits)
    return choose(back.equals(x) | x.is_nan(), near, (inward | 1).as_float())
