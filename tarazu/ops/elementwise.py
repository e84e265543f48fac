"""Element by element: arithmetic, comparison, logic, the functions of mathematics. Shapes broadcast as in NumPy.

>>> import tarazu as tz
>>> tz.maximum(tz.tensor([1.0, 5.0]), 3)
Tensor([3., 5.], dtype=float32)
"""

from __future__ import annotations

import math
from typing import Any

from tarazu.base import dtypes
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import DTypeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind, state
from tarazu.ir.op import Op
from tarazu.ops.complex import imag, real
from tarazu.ops.promote import as_float, as_number, as_value, same_dtype

Operand = Any


def _arithmetic(op: Op, x: Operand, y: Operand) -> Any:
    x, y = same_dtype(x, y)
    if x.dtype is dtypes.bool_:
        x, y = as_number(x), as_number(y)
    return bind(op, x, y)


def _float_pair(op: Op, x: Operand, y: Operand) -> Any:
    x, y = same_dtype(x, y)
    return bind(op, as_float(x), as_float(y))


def _number(op: Op, x: Operand) -> Any:
    return bind(op, as_number(as_value(x)))


def _float(op: Op, x: Operand) -> Any:
    return bind(op, as_float(x))


def _rounding(op: Op, x: Operand) -> Any:
    x = as_value(x)
    return bind(op, x) if x.dtype.is_inexact else as_number(x)


def add(x: Operand, y: Operand) -> Any:
    """x + y; True counts as 1."""
    return _arithmetic(ops.ADD, x, y)


def subtract(x: Operand, y: Operand) -> Any:
    """x - y."""
    return _arithmetic(ops.SUB, x, y)


def multiply(x: Operand, y: Operand) -> Any:
    """x * y."""
    return _arithmetic(ops.MUL, x, y)


def divide(x: Operand, y: Operand) -> Any:
    """x / y; integers become float32 first, and 1 / 0 is inf."""
    return _float_pair(ops.DIV, x, y)


def floor_divide(x: Operand, y: Operand) -> Any:
    """The largest whole number not above x / y."""
    return _arithmetic(ops.FLOOR_DIVIDE, x, y)


def remainder(x: Operand, y: Operand) -> Any:
    """x - y * floor(x / y): what is left after dividing, with the sign of `y`."""
    return _arithmetic(ops.REMAINDER, x, y)


def pow(x: Operand, y: Operand) -> Any:
    """x to the power of y."""
    return _arithmetic(ops.POW, x, y)


def negative(x: Operand) -> Any:
    """-x."""
    return _number(ops.NEG, x)


def positive(x: Operand) -> Any:
    """+x, which is `x` itself."""
    return as_number(as_value(x))


def abs(x: Operand) -> Any:
    """The absolute value; of a complex number its magnitude."""
    return _number(ops.ABS, x)


def sign(x: Operand) -> Any:
    """-1, 0 or 1 by the sign of each element."""
    return _number(ops.SIGN, x)


def floor(x: Operand) -> Any:
    """The largest whole number not above each element."""
    return _rounding(ops.FLOOR, x)


def ceil(x: Operand) -> Any:
    """The smallest whole number not below each element."""
    return _rounding(ops.CEIL, x)


def round(x: Operand) -> Any:
    """The nearest whole number; halves go to the even neighbor."""
    return _rounding(ops.ROUND, x)


def trunc(x: Operand) -> Any:
    """Each element without its fraction."""
    return _rounding(ops.TRUNC, x)


def sqrt(x: Operand) -> Any:
    """The square root; nan below 0."""
    return _float(ops.SQRT, x)


def square(x: Operand) -> Any:
    """x * x."""
    x = as_value(x)
    return multiply(x, x)


def exp(x: Operand) -> Any:
    """e to the power of each element."""
    return _float(ops.EXP, x)


def expm1(x: Operand) -> Any:
    """exp(x) - 1, precise near 0."""
    return _float(ops.EXPM1, x)


def log(x: Operand) -> Any:
    """The natural logarithm; -inf at 0, nan below."""
    return _float(ops.LOG, x)


def log1p(x: Operand) -> Any:
    """log(1 + x), precise near 0."""
    return _float(ops.LOG1P, x)


def log2(x: Operand) -> Any:
    """The logarithm to base 2; of whole powers of 2 it is exact."""
    return _logarithm(x, 2.0)


def log10(x: Operand) -> Any:
    """The logarithm to base 10; of whole powers of 10 it is exact."""
    return _logarithm(x, 10.0)


def _logarithm(x: Operand, base: float) -> Any:
    x = as_float(x)
    found = divide(log(x), math.log(base))
    if x.dtype.kind == "complex":
        return found
    value = stop_gradient(found)  # floor(log2(x)) counts digits, so it must not be a rounding error below
    nearest = round(value)
    is_missed = logical_and(equal(pow(base, nearest), x), not_equal(nearest, value))
    return add(found, where(is_missed, subtract(nearest, value), 0))


def logaddexp(x: Operand, y: Operand) -> Any:
    """log(exp(x) + exp(y)) without overflow."""
    x, y = map(as_float, same_dtype(x, y))
    distance = where(logical_and(equal(x, y), isinf(x)), 0, subtract(x, y))
    is_larger = greater(distance, 0)  # smooth on each side, so that derivatives of every order hold at 0 too
    return add(where(is_larger, x, y), log1p(exp(where(is_larger, negative(distance), distance))))


def sin(x: Operand) -> Any:
    """The sine of an angle in radians."""
    return _float(ops.SIN, x)


def cos(x: Operand) -> Any:
    """The cosine of an angle in radians."""
    return _float(ops.COS, x)


def tan(x: Operand) -> Any:
    """The tangent of an angle in radians."""
    return _float(ops.TAN, x)


def asin(x: Operand) -> Any:
    """The inverse sine, in radians."""
    return _float(ops.ASIN, x)


def acos(x: Operand) -> Any:
    """The inverse cosine, in radians."""
    return _float(ops.ACOS, x)


def atan(x: Operand) -> Any:
    """The inverse tangent, in radians."""
    return _float(ops.ATAN, x)


def atan2(x: Operand, y: Operand) -> Any:
    """The angle, in radians, of the point whose height is `x` and whose width is `y`."""
    return _float_pair(ops.ATAN2, x, y)


def sinh(x: Operand) -> Any:
    """The hyperbolic sine."""
    return _float(ops.SINH, x)


def cosh(x: Operand) -> Any:
    """The hyperbolic cosine."""
    return _float(ops.COSH, x)


def tanh(x: Operand) -> Any:
    """The hyperbolic tangent."""
    return _float(ops.TANH, x)


def asinh(x: Operand) -> Any:
    """The inverse hyperbolic sine."""
    return _float(ops.ASINH, x)


def acosh(x: Operand) -> Any:
    """The inverse hyperbolic cosine."""
    return _float(ops.ACOSH, x)


def atanh(x: Operand) -> Any:
    """The inverse hyperbolic tangent."""
    return _float(ops.ATANH, x)


def sigmoid(x: Operand) -> Any:
    """1 / (1 + exp(-x)), the logistic function."""
    return _float(ops.SIGMOID, x)


def erf(x: Operand) -> Any:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x."""
    return _float(ops.ERF, x)


def lgamma(x: Operand) -> Any:
    """The logarithm of the absolute value of the gamma function."""
    return _float(ops.LGAMMA, x)


def polygamma(order: int, x: Operand) -> Any:
    """The derivative of digamma of the given order."""
    return bind(ops.POLYGAMMA, as_float(x), order=order)


def digamma(x: Operand) -> Any:
    """The derivative of lgamma."""
    return polygamma(0, x)


def maximum(x: Operand, y: Operand) -> Any:
    """The larger of two elements; nan if either is."""
    return bind(ops.MAXIMUM, *same_dtype(x, y))


def minimum(x: Operand, y: Operand) -> Any:
    """The smaller of two elements; nan if either is."""
    return bind(ops.MINIMUM, *same_dtype(x, y))


def clip(x: Operand, min: Operand = None, max: Operand = None) -> Any:
    """Each element, but not below `min` and not above `max`; None leaves that side open."""
    x = as_value(x)
    if min is not None:
        x = maximum(x, min)
    return x if max is None else minimum(x, max)


def equal(x: Operand, y: Operand) -> Any:
    """Whether two elements are equal; nan equals nothing."""
    return bind(ops.EQUAL, *same_dtype(x, y))


def not_equal(x: Operand, y: Operand) -> Any:
    """Whether two elements differ."""
    return bind(ops.NOT_EQUAL, *same_dtype(x, y))


def less(x: Operand, y: Operand) -> Any:
    """x < y."""
    return bind(ops.LESS, *same_dtype(x, y))


def less_equal(x: Operand, y: Operand) -> Any:
    """x <= y."""
    return bind(ops.LESS_EQUAL, *same_dtype(x, y))


def greater(x: Operand, y: Operand) -> Any:
    """x > y."""
    return bind(ops.GREATER, *same_dtype(x, y))


def greater_equal(x: Operand, y: Operand) -> Any:
    """x >= y."""
    return bind(ops.GREATER_EQUAL, *same_dtype(x, y))


def isnan(x: Operand) -> Any:
    """Whether each element is not a number."""
    x = as_value(x)
    return not_equal(x, x)


def isinf(x: Operand) -> Any:
    """Whether each element is infinite."""
    return equal(abs(x), math.inf)


def isfinite(x: Operand) -> Any:
    """Whether each element is neither infinite nor nan."""
    x = as_value(x)
    if x.dtype.kind != "complex":
        return less(abs(x), math.inf)
    return logical_and(isfinite(real(x)), isfinite(imag(x)))  # the magnitude of finite parts may overflow


def bitwise_and(x: Operand, y: Operand) -> Any:
    """x & y, bit by bit."""
    return bind(ops.AND, *same_dtype(x, y))


def bitwise_or(x: Operand, y: Operand) -> Any:
    """x | y, bit by bit."""
    return bind(ops.OR, *same_dtype(x, y))


def bitwise_xor(x: Operand, y: Operand) -> Any:
    """x ^ y, bit by bit."""
    return bind(ops.XOR, *same_dtype(x, y))


def bitwise_invert(x: Operand) -> Any:
    """~x: every bit turned round."""
    return bind(ops.NOT, as_value(x))


def bitwise_left_shift(x: Operand, y: Operand) -> Any:
    """x << y."""
    return bind(ops.SHIFT_LEFT, *same_dtype(x, y))


def bitwise_right_shift(x: Operand, y: Operand) -> Any:
    """x >> y; negative numbers stay negative."""
    return bind(ops.SHIFT_RIGHT, *same_dtype(x, y))


def truth(x: Operand) -> Any:
    """Whether each element is true (not 0)."""
    x = as_value(x)
    return x if x.dtype is dtypes.bool_ else not_equal(x, 0)


def logical_and(x: Operand, y: Operand) -> Any:
    """Whether both elements are true (not 0)."""
    return bind(ops.AND, truth(x), truth(y))


def logical_or(x: Operand, y: Operand) -> Any:
    """Whether one element at least is true (not 0)."""
    return bind(ops.OR, truth(x), truth(y))


def logical_xor(x: Operand, y: Operand) -> Any:
    """Whether exactly one element is true (not 0)."""
    return bind(ops.XOR, truth(x), truth(y))


def logical_not(x: Operand) -> Any:
    """Whether each element is false (0)."""
    return bind(ops.NOT, truth(x))


def where(condition: Operand, x: Operand, y: Operand) -> Any:
    """`x` where the condition holds, `y` elsewhere; both are computed."""
    condition = as_value(condition)
    if condition.dtype is not dtypes.bool_:
        raise DTypeError(f"where: a condition of {condition.dtype}", expected="a condition of bool",
                         fix="compare it with something: tz.where(x > 0, x, y)")
    return bind(ops.WHERE, condition, *same_dtype(x, y))


def astype(x: Operand, dtype: Any, *, copy: bool = True, device: Any = None) -> Any:
    """`x` with its elements converted to `dtype`; floats lose their fraction on the way to integers."""
    x, dtype = as_value(x), as_dtype(dtype)
    made = bind(ops.CAST, x, dtype=dtype) if copy or x.dtype is not dtype else x
    return made if device is None else state.interpreter.place(made, device)


def bitcast(x: Operand, dtype: Any) -> Any:
    """The bits of `x` read as elements of another dtype of the same width."""
    return bind(ops.BITCAST, as_value(x), dtype=as_dtype(dtype))


def stop_gradient(x: Operand) -> Any:
    """`x` as a constant: no gradient flows through."""
    return bind(ops.STOP_GRADIENT, as_value(x))
