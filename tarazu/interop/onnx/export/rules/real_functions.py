"""Functions of numbers that ONNX lacks, or that onnxruntime has in float32 only, composed of those that it has."""

from __future__ import annotations

import math
from typing import Any

from tarazu.base.dtypes import bool_
from tarazu.interop.onnx.export.emitter import Emitter
from tarazu.interop.onnx.export.kernels import has
from tarazu.interop.onnx.export.values import Value


def _calculator(emit: Emitter, like: Value) -> Any:
    """Addition, subtraction, product and quotient of values and Python numbers."""
    def calculate(op_type: str, x: Any, y: Any) -> Value:
        return emit.map(op_type, *[v if isinstance(v, Value) else emit.scalar(v, like) for v in (x, y)])
    return calculate


def trunc(emit: Emitter, x: Value) -> Value:
    below = emit.compare("Less", x, emit.scalar(0, x))
    return emit.where(below, emit.map("Ceil", x), emit.map("Floor", x))


def expm1(emit: Emitter, x: Value) -> Value:
    """exp(x) - 1; near 0, where that has no digits left, 2 t / (1 - t) with t = tanh(x / 2)."""
    of = _calculator(emit, x)
    half = emit.map("Tanh", of("Mul", x, 0.5))
    near = of("Div", of("Mul", half, 2.0), of("Sub", 1.0, half))
    is_near = emit.compare("Less", emit.map("Abs", x), emit.scalar(1.0, x))
    return emit.where(is_near, near, of("Sub", emit.map("Exp", x), 1.0))


def log1p(emit: Emitter, x: Value) -> Value:
    """x log(u) / (u - 1) with u = 1 + x as it is rounded, which the digits that u lost do not disturb (Kahan)."""
    of = _calculator(emit, x)
    u = of("Add", x, 1.0)
    log = emit.map("Log", u)
    less = of("Sub", u, 1.0)
    corrected = of("Mul", log, of("Div", x, less))
    is_large = emit.compare("Greater", x, emit.scalar(1e4, x))  # where infinite ones are too
    is_none = emit.compare("Equal", less, emit.scalar(0.0, x))
    return emit.where(is_none, x, emit.where(is_large, log, corrected))


def tan(emit: Emitter, x: Value) -> Value:
    if has("Tan", x.dtype):
        return emit.map("Tan", x)
    return emit.map("Div", emit.map("Sin", x), emit.map("Cos", x))


def sinh(emit: Emitter, x: Value) -> Value:
    """(u + u / (u + 1)) / 2 with u = expm1(|x|) and the sign of x."""
    if has("Sinh", x.dtype):
        return emit.map("Sinh", x)
    of = _calculator(emit, x)
    u = expm1(emit, emit.map("Abs", x))
    is_large = emit.compare("Greater", u, emit.scalar(1e20, x))  # beside which u / (u + 1) is nothing
    total = emit.where(is_large, u, of("Add", u, of("Div", u, of("Add", u, 1.0))))
    return of("Mul", emit.map("Sign", x), of("Mul", total, 0.5))


def cosh(emit: Emitter, x: Value) -> Value:
    if has("Cosh", x.dtype):
        return emit.map("Cosh", x)
    of = _calculator(emit, x)
    return of("Mul", of("Add", emit.map("Exp", x), emit.map("Exp", emit.map("Neg", x))), 0.5)


def asinh(emit: Emitter, x: Value) -> Value:
    """sign(x) log1p(|x| + x x / (1 + sqrt(x x + 1)))."""
    of = _calculator(emit, x)
    size, square = emit.map("Abs", x), of("Mul", x, x)
    root = emit.map("Sqrt", of("Add", square, 1.0))
    inner = log1p(emit, of("Add", size, of("Div", square, of("Add", root, 1.0))))
    is_huge = emit.compare("Greater", size, emit.scalar(1e9, x))  # whose square may be infinite: log(2 |x|)
    huge = of("Add", emit.map("Log", size), math.log(2.0))
    return of("Mul", emit.map("Sign", x), emit.where(is_huge, huge, inner))


def acosh(emit: Emitter, x: Value) -> Value:
    """log1p(t + sqrt(2 t + t t)) with t = x - 1."""
    of = _calculator(emit, x)
    t = of("Sub", x, 1.0)
    inner = log1p(emit, of("Add", t, emit.map("Sqrt", of("Add", of("Mul", t, 2.0), of("Mul", t, t)))))
    is_huge = emit.compare("Greater", x, emit.scalar(1e9, x))
    return emit.where(is_huge, of("Add", emit.map("Log", x), math.log(2.0)), inner)


def atanh(emit: Emitter, x: Value) -> Value:
    """log1p(2 x / (1 - x)) / 2 of |x|, with the sign of x."""
    of = _calculator(emit, x)
    size = emit.map("Abs", x)
    inner = log1p(emit, of("Div", of("Mul", size, 2.0), of("Sub", 1.0, size)))
    return of("Mul", emit.map("Sign", x), of("Mul", inner, 0.5))


def atan2(emit: Emitter, y: Value, x: Value) -> Value:
    """The angle from atan(y / x), a half turn on for negative x; along the axes y / x may be nan, and signs count."""
    of = _calculator(emit, x)
    zero = emit.scalar(0.0, x)
    half_turn = of("Mul", _sign_with_zeros(emit, y), math.pi)
    plain = emit.map("Atan", emit.map("Div", y, x))
    negative = emit.compare("Less", _sign_with_zeros(emit, x), zero)
    angle = emit.where(negative, of("Add", plain, half_turn), plain)
    both_zero = emit.map("And", emit.compare("Equal", x, zero), emit.compare("Equal", y, zero))
    at_zero = emit.where(negative, half_turn, y)
    upright = emit.map("And", emit.compare("Equal", x, zero), emit.map("Not", emit.compare("Equal", y, zero)))
    quarter = of("Mul", half_turn, 0.5)
    angle = emit.where(upright, quarter, emit.where(both_zero, at_zero, angle))
    infinite = emit.map("And", _is_infinite(emit, x), _is_infinite(emit, y))
    diagonal = of("Mul", half_turn, emit.where(negative, emit.scalar(0.75, x), emit.scalar(0.25, x)))
    return emit.where(infinite, diagonal, angle)


def _is_infinite(emit: Emitter, x: Value) -> Value:
    return emit.compare("Equal", emit.map("Abs", x), emit.scalar(math.inf, x))


def _sign_with_zeros(emit: Emitter, x: Value) -> Value:
    """1 or -1, also of the two zeros: the sign of 1 / x."""
    zero, one = emit.scalar(0.0, x), emit.scalar(1.0, x)
    is_zero = emit.compare("Equal", x, zero)
    return emit.where(is_zero, emit.map("Sign", emit.map("Div", one, x)), emit.map("Sign", x))


def floor_divide(emit: Emitter, x: Value, y: Value) -> Value:
    """The quotient rounded down; integers by zero give 0."""
    if x.dtype.is_float:
        return _float_floor_divide(emit, x, y)
    zero, one = emit.scalar(0, x), emit.scalar(1, x)
    by_zero = emit.compare("Equal", y, zero)
    divisor = emit.where(by_zero, one, y)
    quotient = emit.map("Div", x, divisor)
    if x.dtype.kind == "int":
        rest = emit.map("Sub", x, emit.map("Mul", quotient, divisor))
        quotient = emit.where(_is_other_side(emit, rest, divisor), emit.map("Sub", quotient, one), quotient)
    return emit.where(by_zero, zero, quotient)


def _float_floor_divide(emit: Emitter, x: Value, y: Value) -> Value:
    """The whole number (x - x mod y) / y, which rounding x / y could miss; with infinities the quotient."""
    of = _calculator(emit, x)
    plain = emit.map("Div", x, y)
    exact = emit.map("Round", of("Div", of("Sub", x, remainder(emit, x, y)), y))
    is_plain = emit.map("Or", emit.map("IsNaN", exact, dtype=bool_), _is_infinite(emit, plain))
    is_plain = emit.map("Or", is_plain, _is_infinite(emit, y))
    return emit.where(is_plain, emit.map("Floor", plain), exact)


def remainder(emit: Emitter, x: Value, y: Value) -> Value:
    """x modulo y with the sign of y; integers by zero give 0."""
    zero = emit.scalar(0, x)
    if x.dtype.is_float:
        rest = emit.map("Mod", x, y, fmod=1)
        return emit.where(_is_other_side(emit, rest, y), emit.map("Add", rest, y), rest)
    by_zero = emit.compare("Equal", y, zero)
    rest = emit.map("Mod", x, emit.where(by_zero, emit.scalar(1, x), y))
    return emit.where(by_zero, zero, rest)


def _is_other_side(emit: Emitter, rest: Value, divisor: Value) -> Value:
    """Whether a remainder is not 0 and has the other sign than the divisor."""
    zero = emit.scalar(0, rest)
    differs = emit.map("Xor", emit.compare("Less", rest, zero), emit.compare("Less", divisor, zero))
    return emit.map("And", emit.map("Not", emit.compare("Equal", rest, zero)), differs)
