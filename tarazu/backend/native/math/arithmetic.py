"""Elementwise arithmetic, comparisons and bits, by NumPy's rules in the cases where processors differ or trap."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tarazu.backend.native.math.functions import in_doubt, lane_by_lane, shared
from tarazu.backend.native.math.number import Number, choose
from tarazu.base.dtypes import DType


class Call(NamedTuple):
    """A primitive applied to registers; `dtype` is that of the result."""

    inputs: list[Number]
    input_dtypes: list[DType]
    attributes: dict[str, Any]
    dtype: DType

    @property
    def is_float(self) -> bool:
        return self.input_dtypes[0].is_float

    @property
    def is_signed(self) -> bool:
        return self.input_dtypes[0].kind == "int"


def absolute(call: Call) -> Number:
    return abs(call.inputs[0]) if call.is_float or call.is_signed else call.inputs[0]


def sign(call: Call) -> Number:
    x = call.inputs[0]
    if not call.is_float and not call.is_signed:
        return x.differs(0).to("zext", x.element)
    unsigned = choose(x > 0, x.constant(1), x if call.is_float else x.constant(0))
    result = choose(x < 0, x.constant(-1), unsigned)
    return choose(x.equals(0), x.constant(0), result) if call.is_float else result


def maximum(call: Call) -> Number:
    """The larger; NaN where either is NaN."""
    return _extreme(call, "ogt", "sgt" if call.is_signed else "ugt")


def minimum(call: Call) -> Number:
    """The smaller; NaN where either is NaN."""
    return _extreme(call, "olt", "slt" if call.is_signed else "ult")


def _extreme(call: Call, of_floats: str, of_integers: str) -> Number:
    x, y = call.inputs
    if x.element == "i1":
        return x | y if of_floats == "ogt" else x & y
    if not call.is_float:
        return choose(x.test(of_integers, y), x, y)
    if _is_known_number(y):
        x, y = y, x
    beyond = choose(x.test(of_floats, y), x, y)  # one instruction on x86; a NaN in y stays
    return beyond if _is_known_number(x) else choose(x.is_nan(), x, beyond)


def _is_known_number(x: Number) -> bool:
    number = x.value.number
    return number is not None and not math.isnan(number)


def compare(of_floats: str, of_integers: str) -> Any:
    """The row of a comparison; of signed integers where `of_integers` lacks the sign."""
    def row(call: Call) -> Number:
        x, y = call.inputs
        if call.is_float:
            return x.test(of_floats, y)
        signless = of_integers in ("eq", "ne")
        return x.test(of_integers if signless else f"{'s' if call.is_signed else 'u'}{of_integers}", y)
    return row


def shift_left(call: Call) -> Number:
    """0 for shifts by the width and more, and by negative numbers."""
    x, by = call.inputs
    width = 8 * call.dtype.itemsize
    fits = by.test("ult", width)
    return choose(fits, x << choose(fits, by, 0), 0)


def shift_right(call: Call) -> Number:
    """Only the sign is left of shifts by the width and more, and by negative numbers."""
    x, by = call.inputs
    width = 8 * call.dtype.itemsize
    fits = by.test("ult", width)
    if call.is_signed:
        return x.apply("ashr", choose(fits, by, width - 1))
    return choose(fits, x >> choose(fits, by, 0), 0)


def floor_divide(call: Call) -> Number:
    """The largest whole number not above the quotient; 0 for integers over 0."""
    x, y = call.inputs
    if call.is_float:
        return shared("floor_divide", _float_floor_divide, x, y)
    return _whole_division(call)[0]


def remainder(call: Call) -> Number:
    """With the sign of the divisor; 0 for integers over 0."""
    x, y = call.inputs
    if call.is_float:
        return shared("remainder", _float_remainder, x, y)
    return _whole_division(call)[1]


def _whole_division(call: Call) -> tuple[Number, Number]:
    """Quotient and remainder of integers, rounded down, without the two divisions that trap."""
    x, y = call.inputs
    by_zero = y.equals(0)
    if not call.is_signed:
        divisor = choose(by_zero, 1, y)
        return (choose(by_zero, 0, x.apply("udiv", divisor)), choose(by_zero, 0, x.apply("urem", divisor)))
    smallest = -(1 << (8 * call.input_dtypes[0].itemsize - 1))
    wraps = x.equals(smallest) & y.equals(-1)  # to the smallest again: as if divided by 1
    divisor = choose(by_zero | wraps, 1, y)
    quotient = x.apply("sdiv", divisor)
    rest = x - quotient * divisor
    too_high = rest.differs(0) & ((rest ^ divisor) < 0)
    return (choose(by_zero, 0, choose(too_high, quotient - 1, quotient)), choose(too_high, rest + divisor, rest))


def _truncated_remainder(x: Number, y: Number) -> Number:
    """With the sign of x, exactly: C's fmod."""
    if x.element == "double":
        return _by_fmod(x, y)
    a, b = abs(x.to("fpext", "double")), abs(y.to("fpext", "double"))
    quotient = (a / b).intrinsic("floor")
    # Exact, as quotients below 2^29 leave room for the 24 bits of b, which may be infinite where the quotient is 0.
    rest = choose(quotient.equals(0), a, a - quotient * b)
    rest = choose(rest < 0, rest + b, rest)  # where the quotient was rounded up
    usual = rest.to("fptrunc", "float").copysign(x)
    return in_doubt(usual, quotient.test("uge", 2.0**29), lambda: _by_fmod(x, y))


def _by_fmod(x: Number, y: Number) -> Number:
    name = "fmodf" if x.element == "float" else "fmod"
    return lane_by_lane(lambda a, b: a.like(a.function.call(a.element, name, a.value, b.value)), x, y)


def _float_remainder(x: Number, y: Number) -> Number:
    rest = _truncated_remainder(x, y)
    moved = choose((rest < 0) ^ (y < 0), rest + y, rest)
    return choose(rest.equals(0), rest.constant(0).copysign(y), moved)


def _float_floor_divide(x: Number, y: Number) -> Number:
    """By the remainder, so that rounding does not lift a quotient just below a whole number onto it."""
    rest = _truncated_remainder(x, y)
    quotient = x / y
    whole = (x - rest) / y
    whole = choose(rest.differs(0) & ((rest < 0) ^ (y < 0)), whole - 1, whole)
    near = whole.intrinsic("floor")
    near = choose((whole - near) > 0.5, near + 1, near)
    near = choose(whole.equals(0), near.constant(0).copysign(quotient), near)
    infinite = abs(x).equals(float("inf")) | abs(y).equals(float("inf"))
    near = choose(infinite, quotient.intrinsic("floor"), near)
    return choose(y.equals(0), quotient, near)


def known_integer_power(x: Number, exponent: int) -> Number:
    """By squaring; for an exponent of at least 1."""
    if exponent == 1:
        return x
    half = known_integer_power(x, exponent // 2)
    return half * half * x if exponent % 2 else half * half


def integer_power(x: Number, exponent: Number) -> Number:
    """By squaring, with wraparound; nothing is promised of negative exponents."""
    function, width = x.function, int(x.element[1:])
    start = [x.constant(1).value, x.value, exponent.value]
    with function.loop(0, width, carried=start) as loop:
        result, base, rest = (x.like(value) for value in loop.values)
        result = choose((rest & 1).differs(0), result * base, result)
        loop.next = [result.value, (base * base).value, (rest >> 1).value]
    return x.like(loop.results[0])
