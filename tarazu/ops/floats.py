"""Functions that look at floats as sign and magnitude."""

from __future__ import annotations

import math
from typing import Any

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.base.errors import DTypeError
from tarazu.ops.elementwise import (
    abs,
    add,
    bitcast,
    divide,
    equal,
    greater,
    isinf,
    isnan,
    less,
    logical_and,
    logical_or,
    maximum,
    multiply,
    negative,
    not_equal,
    sqrt,
    square,
    stop_gradient,
    where,
)
from tarazu.ops.promote import as_float, as_value, same_dtype

_BITS_OF = {2: dtypes.int16, 4: dtypes.int32, 8: dtypes.int64}


def reciprocal(x: Any) -> Any:
    """1 / x.

    >>> import tarazu as tz
    >>> tz.reciprocal(tz.tensor([2.0, 0.0]))
    Tensor([0.5, inf], dtype=float32)
    """
    return divide(1, as_float(x))


def hypot(x: Any, y: Any) -> Any:
    """sqrt(x * x + y * y), without overflow on the way.

    >>> import tarazu as tz
    >>> tz.hypot(tz.tensor(3e30), 4e30)
    Tensor(5.e+30, dtype=float32)
    """
    x, y = map(as_float, same_dtype(x, y))
    larger = stop_gradient(maximum(abs(x), abs(y)))  # the result does not depend on the scale, so it has no gradient
    scale = where(logical_and(greater(larger, 0), less(larger, math.inf)), larger, 1)
    length = multiply(scale, sqrt(add(square(divide(x, scale)), square(divide(y, scale)))))
    return where(logical_or(isinf(x), isinf(y)), math.inf, length)


def signbit(x: Any) -> Any:
    """Whether the sign bit is set: below 0, and true of -0.0 and of a negative nan.

    >>> import tarazu as tz
    >>> tz.signbit(tz.tensor([-0.0, 1.0]))
    Tensor([ True, False], dtype=bool)
    """
    x = as_value(x)
    return less(x if x.dtype.is_integer else bitcast(x, _bits_dtype(x)), 0)


def _bits_dtype(x: Any) -> DType:
    """The integer dtype in which the bits of a float are read."""
    if not x.dtype.is_float:
        raise DTypeError(f"the sign and the neighbors of {x.dtype}", expected="a float dtype",
                         fix="cast it first: x.astype(tz.float32), or take tz.real(x)")
    return _BITS_OF[x.dtype.itemsize]


def copysign(x: Any, y: Any) -> Any:
    """The magnitude of `x` with the sign of `y`.

    >>> import tarazu as tz
    >>> tz.copysign(tz.tensor([1.0, -2.0]), -0.0)
    Tensor([-1., -2.], dtype=float32)
    """
    x, y = map(as_float, same_dtype(x, y))
    return where(not_equal(signbit(x), signbit(y)), negative(x), x)


def nextafter(x: Any, y: Any) -> Any:
    """The next number of the dtype after `x` on the way to `y`; no gradient flows through.

    >>> import tarazu as tz
    >>> tz.nextafter(tz.tensor(1.0), 2.0).item() - 1 == tz.finfo(tz.float32).eps
    True
    """
    x, y = map(stop_gradient, map(as_float, same_dtype(x, y)))
    whole = _bits_dtype(x)
    one, minus_one = as_value(1, whole), as_value(-1, whole)
    is_outwards = equal(less(x, y), greater(x, 0))  # the bits of a float, read as an integer, count magnitudes
    stepped = bitcast(add(bitcast(x, whole), where(is_outwards, one, minus_one)), x.dtype)
    stepped = where(equal(x, 0), copysign(bitcast(one, x.dtype), y), stepped)
    stepped = where(logical_or(isnan(x), isnan(y)), math.nan, stepped)
    return where(equal(x, y), y, stepped)
