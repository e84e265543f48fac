"""Elementwise arithmetic, comparisons and bits, by NumPy's rules in the cases where processors differ or trap."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from tarazu.backend.native.math.functions import lane_by_lane, outlined, with_slow_path
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
    """The magnitude; the smallest signed integer stays as it is."""
    return abs(call.inputs[0]) if call.is_float or call.is_signed else call.inputs[0]


def sign(call: Call) -> Number:
    """-1, 0 or 1; NaN for NaN."""
    x = call.inputs[0]
    if not call.is_float and not call.is_signed:
        return x.differs(0).to("zext", x.element)
    unsigned = choose(x > 0, x.constant(1), x if call.is_float else x.constant(0))
    result = choose(x < 0, x.constant(-1), unsigned)
    return choose(x.equals(0), x.constant(0), result) if call.is_float else result


def maximum(call: Call) -> Number:
    """The larger of both; NaN where either is NaN."""
    return _extreme(call, "ogt", "sgt" if call.is_signed else "ugt")


def minimum(call: Call) -> Number:
    """The smaller of both; NaN where either is NaN."""
    return _extreme(call, "olt", "slt" if call.is_signed else "ult")


def _extreme(call: Call, of_floats: str, of_integers: str) -> Number:
    x, y = call.inputs
    if x.element == "i1":
        return x | y if of_floats == "ogt" else x & y
    if not call.is_float:
        return choose(x.test(of_integers, y), x, y)
    if _is_constant_number(y):
        x, y = y, x
    extreme = choose(x.test(of_floats, y), x, y)  # one instruction on x86; NaN where y is NaN
    return extreme if _is_constant_number(x) else choose(x.is_nan(), x, extreme)


def _is_constant_number(x: Number) -> bool:
    """Whether `x` is a constant, and not NaN."""
    number = x.value.number
    return number is not None and not math.isnan(number)


def compare(of_floats: str, of_integers: str) -> Callable[[Call], Number]:
    """The row of a comparison by LLVM's predicates; `of_integers` lacks the letter s or u, which the dtype decides."""
    def row(call: Call) -> Number:
        x, y = call.inputs
        if call.is_float:
            return x.test(of_floats, y)
        signless = of_integers in ("eq", "ne")
        return x.test(of_integers if signless else f"{'s' if call.is_signed else 'u'}{of_integers}", y)
    return row


def shift_left(call: Call) -> Number:
    """x << y: 0 for shifts by the width and more, and by negative numbers."""
    x, by = call.inputs
    width = 8 * call.dtype.itemsize
    fits = by.test("ult", width)
    return choose(fits, x << choose(fits, by, 0), 0)


def shift_right(call: Call) -> Number:
    """x >> y: all bits are the sign after shifts by the width and more, and by negative numbers."""
    x, by = call.inputs
    width = 8 * call.dtype.itemsize
    fits = by.test("ult", width)
    if call.is_signed:
        return x.apply("ashr", choose(fits, by, width - 1))
    return choose(fits, x >> choose(fits, by, 0), 0)


def floor_divide(call: Call) -> Number:
    """The quotient rounded down; 0 for integers divided by 0."""
    x, y = call.inputs
    if call.is_float:
        return outlined("floor_divide", _float_floor_divide, x, y)
    return _divide_integers(call)[0]


def remainder(call: Call) -> Number:
    """What the division that rounds down leaves, with the sign of the divisor; 0 for integers divided by 0."""
    x, y = call.inputs
    if call.is_float:
        return outlined("remainder", _float_remainder, x, y)
    return _divide_integers(call)[1]


def _divide_integers(call: Call) -> tuple[Number, Number]:
    """Quotient, rounded down, and remainder of integers, without divisions that trap: by 0, of the smallest by -1."""
    x, y = call.inputs
    by_zero = y.equals(0)
    if not call.is_signed:
        divisor = choose(by_zero, 1, y)
        return (choose(by_zero, 0, x.apply("udiv", divisor)), choose(by_zero, 0, x.apply("urem", divisor)))
    smallest = -(1 << (8 * call.input_dtypes[0].itemsize - 1))
    wraps = x.equals(smallest) & y.equals(-1)  # to the smallest again, as when divided by 1
    divisor = choose(by_zero | wraps, 1, y)
    quotient = x.apply("sdiv", divisor)
    rest = x - quotient * divisor
    too_high = rest.differs(0) & ((rest ^ divisor) < 0)
    return (choose(by_zero, 0, choose(too_high, quotient - 1, quotient)), choose(too_high, rest + divisor, rest))


def _truncated_remainder(x: Number, y: Number) -> Number:
    """What the division that rounds towards 0 leaves, exactly, with the sign of x: C's fmod.

    For single precision in double registers; quotients from 2^29 on are left to the C library.
    """
    if x.element == "double":
        return _by_fmod(x, y)
    a, b = abs(x.to("fpext", "double")), abs(y.to("fpext", "double"))
    quotient = (a / b).intrinsic("floor")
    # Exact: quotients below 2^29 leave room for the 24 bits of b, which may be infinite where the quotient is 0.
    rest = choose(quotient.equals(0), a, a - quotient * b)
    rest = choose(rest < 0, rest + b, rest)  # where the quotient was rounded up
    fast = rest.to("fptrunc", "float").copysign(x)
    return with_slow_path(fast, quotient.test("uge", 2.0**29), lambda: _by_fmod(x, y))


def _by_fmod(x: Number, y: Number) -> Number:
    name = "fmodf" if x.element == "float" else "fmod"
    return lane_by_lane(lambda a, b: a.like(a.function.call(a.element, name, a.value, b.value)), x, y)


def _float_remainder(x: Number, y: Number) -> Number:
    rest = _truncated_remainder(x, y)
    moved = choose((rest < 0) ^ (y < 0), rest + y, rest)
    return choose(rest.equals(0), rest.constant(0).copysign(y), moved)


def _float_floor_divide(x: Number, y: Number) -> Number:
    """By way of the remainder, as Python does, so that a quotient just below an integer is not rounded up to it."""
    rest = _truncated_remainder(x, y)
    quotient = x / y
    whole = (x - rest) / y
    whole = choose(rest.differs(0) & ((rest < 0) ^ (y < 0)), whole - 1, whole)
    nearest = whole.intrinsic("floor")
    nearest = choose((whole - nearest) > 0.5, nearest + 1, nearest)
    nearest = choose(whole.equals(0), nearest.constant(0).copysign(quotient), nearest)
    infinite = abs(x).equals(math.inf) | abs(y).equals(math.inf)
    nearest = choose(infinite, quotient.intrinsic("floor"), nearest)
    return choose(y.equals(0), quotient, nearest)
