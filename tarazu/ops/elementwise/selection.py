"""Elements replaced where a condition holds: by a mask, by being no finite number, by the sign, by a divisor of 0.

ShapeError where the operands do not broadcast.
"""

from __future__ import annotations

import math

from tarazu.base.dtypes import COMPLEX_PARTS, DType, as_dtype
from tarazu.base.errors import DTypeError
from tarazu.ops.dtype_functions import finfo, iinfo
from tarazu.ops.elementwise.arithmetic import add, divide, multiply, subtract
from tarazu.ops.elementwise.comparison import equal, greater, greater_equal, isnan, less, less_equal, logical_and, where
from tarazu.ops.elementwise.complex import imag, real
from tarazu.ops.promote import as_number, as_value, cast, same_float_dtype
from tarazu.ops.typing import ArrayLike, DTypeLike, Tensor


def masked_fill(x: ArrayLike, mask: ArrayLike, value: ArrayLike) -> Tensor:
    """`x` with `value` where `mask` is True, in the dtype of `x`; the three broadcast.

    ShapeError where they do not, DTypeError for a mask that is not boolean.

    >>> import tarazu as tz
    >>> scores = tz.tensor([1.0, 2.0, 3.0])
    >>> tz.masked_fill(scores, scores > 2, -tz.inf)
    Tensor([  1.,   2., -inf], dtype=float32)
    """
    x = as_value(x)
    return where(mask, cast(as_value(value, x.dtype), x.dtype), x)


def nan_to_num(x: ArrayLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """`x` with `nan` in place of nan, and the largest and smallest number of the dtype, or those given, for infinities.

    Of complex numbers each part; integers stay as they are.

    >>> import tarazu as tz
    >>> tz.nan_to_num(tz.tensor([1.0, tz.nan, -tz.inf]), neginf=-9.0)
    Tensor([ 1.,  0., -9.], dtype=float32)
    """
    x = as_value(x)
    if x.dtype in COMPLEX_PARTS:
        parts = [cast(nan_to_num(part, nan, posinf, neginf), x.dtype) for part in (real(x), imag(x))]
        return add(parts[0], multiply(parts[1], 1j))
    if not x.dtype.is_float:
        return x
    limits = finfo(x.dtype)
    x = where(isnan(x), nan, x)
    x = where(equal(x, math.inf), limits.max if posinf is None else posinf, x)
    return where(equal(x, -math.inf), limits.min if neginf is None else neginf, x)


def saturate_cast(x: ArrayLike, dtype: DTypeLike) -> Tensor:
    """`x` in another dtype, with the smallest or largest number of it for those beyond, where `astype` wraps around.

    nan becomes 0 where there is none. DTypeError for complex numbers and what is no dtype of real numbers.

    >>> import tarazu as tz
    >>> tz.saturate_cast(tz.tensor([-5.0, 7.9, 300.0]), "uint8")
    Tensor([  0,   7, 255], dtype=uint8)
    """
    x, target = as_number(as_value(x)), as_dtype(dtype)
    if x.dtype.kind == "complex" or not (target.is_float or target.is_integer):
        raise DTypeError(f"saturate_cast of {x.dtype} to {target}", expected="numbers, to a float or integer dtype",
                         fix="x.astype takes other dtypes")
    least, most = _limits(target)
    lowest, highest = _limits(x.dtype)
    is_inside = equal(x, x)
    if lowest < least:
        is_inside = logical_and(is_inside, greater_equal(x, least))
    if highest > most:
        is_inside = logical_and(is_inside, less(x, most) if x.dtype.is_float else less_equal(x, most))
    inside = cast(where(is_inside, x, as_value(0, x.dtype)), target)
    beyond = where(less(x, 0), as_value(least, target), where(greater(x, 0), as_value(most, target), inside))
    return where(is_inside, inside, beyond)


def _limits(dtype: DType) -> tuple[float, float]:
    limits = finfo(dtype) if dtype.is_float else iinfo(dtype)
    return limits.min, limits.max


def heaviside(x: ArrayLike, at_zero: ArrayLike) -> Tensor:
    """0 for numbers below 0, 1 above, `at_zero` for 0 and nan for nan; integers become float32 first.

    ShapeError where the two do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.heaviside(tz.tensor([-2.0, 0.0, 3.0]), 0.5)
    Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    x, at_zero = same_float_dtype(x, at_zero)
    step = where(greater(x, 0), 1.0, where(equal(x, 0), at_zero, x))
    return where(less(x, 0), 0.0, step)


def divide_no_nan(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x / y, and 0 where `y` is 0, where the gradients are 0 too; integers become float32 first.

    ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.divide_no_nan(tz.tensor([6.0, 5.0]), tz.tensor([3.0, 0.0]))
    Tensor([2., 0.], dtype=float32)
    """
    x, y = same_float_dtype(x, y)
    is_zero = equal(y, 0)
    return where(is_zero, 0.0, divide(x, where(is_zero, 1.0, y)))


def lerp(start: ArrayLike, end: ArrayLike, weight: ArrayLike) -> Tensor:
    """start + weight * (end - start): `start` exactly at weight 0, `end` at 1, and beyond them on the same line.

    Integers become float32 first. ShapeError where the three do not broadcast, DTypeError for a complex weight.

    >>> import tarazu as tz
    >>> tz.lerp(tz.tensor([0.0, 10.0]), tz.tensor([1.0, 20.0]), 0.25)
    Tensor([ 0.25, 12.5 ], dtype=float32)
    """
    start, end = same_float_dtype(start, end)
    start, weight = same_float_dtype(start, weight)
    distance = subtract(end, start)
    return where(less(weight, 0.5), add(start, multiply(distance, weight)),
                 subtract(end, multiply(distance, subtract(1, weight))))
