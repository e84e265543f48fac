"""Floats as sign and magnitude: sign bits, neighbors, lengths without overflow. DTypeError for complex numbers."""

from __future__ import annotations

import math

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.base.errors import DTypeError
from tarazu.ir.type_rules.checks import require_kind
from tarazu.ir.types import TensorType
from tarazu.ops.elementwise.arithmetic import (
    abs,
    add,
    divide,
    maximum,
    multiply,
    negative,
    remainder,
    sqrt,
    square,
    subtract,
)
from tarazu.ops.elementwise.comparison import (
    equal,
    greater,
    isfinite,
    isinf,
    isnan,
    less,
    logical_and,
    logical_or,
    not_equal,
    where,
)
from tarazu.ops.elementwise.conversion import bitcast, stop_gradient
from tarazu.ops.promote import as_number, as_value, same_dtype, same_float_dtype
from tarazu.ops.typing import ArrayLike, Tensor

_BITS_OF = {2: dtypes.int16, 4: dtypes.int32, 8: dtypes.int64}


def hypot(x: ArrayLike, y: ArrayLike) -> Tensor:
    """sqrt(x * x + y * y), without overflow on the way.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.hypot(tz.tensor(3e30), 4e30)
    Tensor(5.e+30, dtype=float32)
    """
    x, y = same_float_dtype(x, y)
    require_kind("hypot", ("float",), TensorType(x.shape, x.dtype))
    larger = stop_gradient(maximum(abs(x), abs(y)))  # the result does not depend on the scale, so it has no gradient
    scale = where(logical_and(greater(larger, 0), less(larger, math.inf)), larger, 1)
    length = multiply(scale, sqrt(add(square(divide(x, scale)), square(divide(y, scale)))))
    return where(logical_or(isinf(x), isinf(y)), math.inf, length)


def signbit(x: ArrayLike) -> Tensor:
    """Whether the sign bit is set: below 0, and true of -0.0 and of a negative nan.

    DTypeError for booleans and complex numbers.

    >>> import tarazu as tz
    >>> tz.signbit(tz.tensor([-0.0, 1.0]))
    Tensor([ True, False], dtype=bool)
    """
    x = as_value(x)
    return less(x if x.dtype.is_integer else bitcast(x, _bits_dtype(x)), 0)


def _bits_dtype(x: Tensor) -> DType:
    """The integer dtype in which the bits of a float are read."""
    if not x.dtype.is_float:
        raise DTypeError(f"the sign and the neighbors of {x.dtype}", expected="a float dtype",
                         fix="cast it first: x.astype(tz.float32), or take tz.real(x)")
    return _BITS_OF[x.dtype.itemsize]


def copysign(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The magnitude of `x` with the sign of `y`; integers become float32 first. The gradient where `x` is 0 is 0.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.copysign(tz.tensor([1.0, -2.0]), -0.0)
    Tensor([-1., -2.], dtype=float32)
    """
    x, y = same_float_dtype(x, y)
    x = where(equal(x, 0), stop_gradient(x), x)
    return where(not_equal(signbit(x), signbit(y)), negative(x), x)


def fmod(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The remainder of x / y with the sign of `x`, as in C; `remainder` and % have that of `y`. Exact, also for floats.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.fmod(tz.tensor([-5.0, 5.0]), 3.0), tz.remainder(tz.tensor([-5.0, 5.0]), 3.0)
    (Tensor([-2.,  2.], dtype=float32), Tensor([1., 2.], dtype=float32))
    """
    x, y = (as_number(value) for value in same_dtype(x, y))
    if x.dtype.is_float:
        return copysign(remainder(abs(x), abs(y)), x)
    rest = remainder(x, y)  # with the sign of y
    has_other_sign = logical_and(not_equal(rest, 0), not_equal(less(x, 0), less(rest, 0)))
    return where(has_other_sign, subtract(rest, y), rest)


def nextafter(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The next number of the dtype after `x` in the direction of `y`; the gradient with respect to `x` is 1.

    Integers become float32 first. ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.nextafter(tz.tensor(1.0), 2.0).item() - 1 == tz.finfo(tz.float32).eps
    True
    """
    moving, y = same_float_dtype(x, y)
    x, y = stop_gradient(moving), stop_gradient(y)
    integer = _bits_dtype(x)
    one, minus_one = as_value(1, integer), as_value(-1, integer)
    is_outwards = equal(less(x, y), greater(x, 0))  # the bits of a float, read as an integer, count magnitudes
    neighbor = bitcast(add(bitcast(x, integer), where(is_outwards, one, minus_one)), x.dtype)
    neighbor = where(equal(x, 0), copysign(bitcast(one, x.dtype), y), neighbor)
    neighbor = where(logical_or(isnan(x), isnan(y)), math.nan, neighbor)
    neighbor = where(equal(x, y), y, neighbor)
    return where(isfinite(x), subtract(neighbor, subtract(x, moving)), neighbor)  # less 0, whose gradient is -1
