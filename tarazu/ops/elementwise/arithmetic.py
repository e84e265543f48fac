"""Arithmetic of numbers: sums, products, powers, signs, rounding and bounds.

Shapes broadcast as in NumPy; ShapeError where they do not. Operands of two dtypes are promoted to one first, and Python
numbers give way to tensors; DTypeError for int64 with uint64, which no integer type can hold.
"""

from __future__ import annotations

import builtins

from tarazu.base import dtypes
from tarazu.base.checks import whole_number
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind, state
from tarazu.ir.op import Op
from tarazu.ops.promote import as_float, as_number, as_value, cast, same_dtype
from tarazu.ops.typing import ArrayLike, Tensor


def _arithmetic(op: Op, x: ArrayLike, y: ArrayLike) -> Tensor:
    x, y = same_dtype(x, y)
    if x.dtype is dtypes.bool_:
        x, y = as_number(x), as_number(y)
    return state.interpreter.bind(op, (x, y), {})  # faster than by `bind`


def _rounding(op: Op, x: ArrayLike) -> Tensor:
    x = as_value(x)
    return bind(op, x) if x.dtype.is_inexact else as_number(x)


def add(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x + y; True counts as 1. ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.add(tz.tensor([[1], [2]]), tz.tensor([10, 20]))
    Tensor([[11, 21],
            [12, 22]], dtype=int64)
    """
    return _arithmetic(ops.ADD, x, y)


def subtract(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x - y; True counts as 1. ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.subtract(tz.tensor([1.0, 5.0]), 3)
    Tensor([-2.,  2.], dtype=float32)
    """
    return _arithmetic(ops.SUB, x, y)


def multiply(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x * y; True counts as 1. ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.multiply(tz.tensor([2, 3]), tz.tensor([True, False]))
    Tensor([2, 0], dtype=int64)
    """
    return _arithmetic(ops.MUL, x, y)


def divide(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x / y; integers become float32 first, 1 / 0 is inf and 0 / 0 nan. ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.divide(tz.tensor([1, 1, 0]), tz.tensor([2, 0, 0]))
    Tensor([0.5, inf, nan], dtype=float32)
    """
    x, y = same_dtype(x, y)
    return bind(ops.DIV, as_float(x), as_float(y))  # faster than by `same_float_dtype`


def floor_divide(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x // y, the largest whole number not above x / y; integers divided by 0 give 0.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.floor_divide(tz.tensor([7, -7]), 2)
    Tensor([ 3, -4], dtype=int64)
    """
    return _arithmetic(ops.FLOOR_DIVIDE, x, y)


def remainder(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x % y, which is x - y * floor(x / y) and has the sign of `y`; integers divided by 0 give 0.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.remainder(tz.tensor([7, -7]), 3)
    Tensor([1, 2], dtype=int64)
    """
    return _arithmetic(ops.REMAINDER, x, y)


def pow(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x ** y, `x` to the power of `y`.

    ShapeError where `x` and `y` do not broadcast, ArgumentError for an integer to a negative integer power.

    >>> import tarazu as tz
    >>> tz.pow(tz.tensor([1.0, 2.0, 3.0]), 2)
    Tensor([1., 4., 9.], dtype=float32)
    """
    return _arithmetic(ops.POW, x, y)


def negative(x: ArrayLike) -> Tensor:
    """-x; True counts as 1.

    >>> import tarazu as tz
    >>> tz.negative(tz.tensor([1, -2]))
    Tensor([-1,  2], dtype=int64)
    """
    return bind(ops.NEG, as_number(as_value(x)))


def positive(x: ArrayLike) -> Tensor:
    """+x, which is `x` itself; booleans become integers.

    >>> import tarazu as tz
    >>> tz.positive(tz.tensor([True, False]))
    Tensor([1, 0], dtype=int64)
    """
    return as_number(as_value(x))


def abs(x: ArrayLike) -> Tensor:
    """The absolute value; of a complex number its magnitude, a real number.

    >>> import tarazu as tz
    >>> tz.abs(tz.tensor([-2, 3])), tz.abs(tz.tensor(3 + 4j))
    (Tensor([2, 3], dtype=int64), Tensor(5., dtype=float32))
    """
    return bind(ops.ABS, as_number(as_value(x)))


def sign(x: ArrayLike) -> Tensor:
    """-1, 0 or 1 by the sign of each element, nan for nan; of a complex number x / abs(x).

    >>> import tarazu as tz
    >>> tz.sign(tz.tensor([-2.5, 0.0, 3.0]))
    Tensor([-1.,  0.,  1.], dtype=float32)
    """
    return bind(ops.SIGN, as_number(as_value(x)))


def square(x: ArrayLike) -> Tensor:
    """x * x.

    >>> import tarazu as tz
    >>> tz.square(tz.tensor([-2, 3]))
    Tensor([4, 9], dtype=int64)
    """
    x = as_value(x)
    return multiply(x, x)


def reciprocal(x: ArrayLike) -> Tensor:
    """1 / x; integers become float32 first.

    >>> import tarazu as tz
    >>> tz.reciprocal(tz.tensor([2.0, 0.0]))
    Tensor([0.5, inf], dtype=float32)
    """
    return divide(1, as_float(x))


def sqrt(x: ArrayLike) -> Tensor:
    """The square root; nan for real numbers below 0. Integers become float32 first.

    >>> import tarazu as tz
    >>> tz.sqrt(tz.tensor([9, -1]))
    Tensor([ 3., nan], dtype=float32)
    """
    return bind(ops.SQRT, as_float(x))


def rsqrt(x: ArrayLike) -> Tensor:
    """1 / sqrt(x); inf at 0, nan for real numbers below. Integers become float32 first.

    >>> import tarazu as tz
    >>> tz.rsqrt(tz.tensor([4.0, 0.25]))
    Tensor([0.5, 2. ], dtype=float32)
    """
    return reciprocal(sqrt(x))


# Rounding -------------------------------------------------------------------------------------------------------

def floor(x: ArrayLike) -> Tensor:
    """The largest whole number not above each element, in the dtype of `x`; DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.floor(tz.tensor([1.5, -1.5]))
    Tensor([ 1., -2.], dtype=float32)
    """
    return _rounding(ops.FLOOR, x)


def ceil(x: ArrayLike) -> Tensor:
    """The smallest whole number not below each element, in the dtype of `x`; DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.ceil(tz.tensor([1.5, -1.5]))
    Tensor([ 2., -1.], dtype=float32)
    """
    return _rounding(ops.CEIL, x)


def round(x: ArrayLike, decimals: int = 0) -> Tensor:
    """The nearest number with so many decimals, in the dtype of `x`; halves go to the even neighbor.

    Fewer than 0 decimals round to tens, hundreds and so on, integers, too. As in NumPy, `x` is multiplied by the power
    of ten, rounded and divided by it again. ArgumentError for `decimals` that are no whole number.

    >>> import tarazu as tz
    >>> tz.round(tz.tensor([0.5, 1.5, 1.6]))
    Tensor([0., 2., 2.], dtype=float32)
    >>> tz.round(tz.tensor([1234, 1250, 1266]), -2)
    Tensor([1200, 1200, 1300], dtype=int64)
    """
    places = whole_number(f"round: decimals={decimals!r}", decimals)
    x = as_value(x)
    if places == 0 or (places > 0 and not x.dtype.is_inexact):
        return _rounding(ops.ROUND, x)
    if not x.dtype.is_inexact:
        return cast(round(cast(as_number(x), dtypes.float64), places), as_number(x).dtype)
    power = 10.0 ** builtins.abs(places)
    return divide(bind(ops.ROUND, multiply(x, power)), power) if places > 0 else multiply(
        bind(ops.ROUND, divide(x, power)), power)


def trunc(x: ArrayLike) -> Tensor:
    """Each element without its fraction, in the dtype of `x`; DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.trunc(tz.tensor([1.5, -1.5]))
    Tensor([ 1., -1.], dtype=float32)
    """
    return _rounding(ops.TRUNC, x)


# Bounds ---------------------------------------------------------------------------------------------------------

def maximum(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The larger of two elements; nan if either is.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.maximum(tz.tensor([1.0, 5.0, tz.nan]), 3)
    Tensor([ 3.,  5., nan], dtype=float32)
    """
    return bind(ops.MAXIMUM, *same_dtype(x, y))


def minimum(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The smaller of two elements; nan if either is.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.minimum(tz.tensor([1.0, 5.0, tz.nan]), 3)
    Tensor([ 1.,  3., nan], dtype=float32)
    """
    return bind(ops.MINIMUM, *same_dtype(x, y))


def clip(x: ArrayLike, min: ArrayLike | None = None, max: ArrayLike | None = None) -> Tensor:
    """Each element, but not below `min` and not above `max`, which broadcast; None leaves that side open.

    Where `min` is above `max` the result is `max`. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.clip(tz.tensor([-2, 3, 8]), 0, 5)
    Tensor([0, 3, 5], dtype=int64)
    """
    x = as_value(x)
    if min is not None:
        x = maximum(x, min)
    return x if max is None else minimum(x, max)
