"""Comparison, logic, and the choice between two values by a condition.

Shapes broadcast; ShapeError where they do not.
"""

from __future__ import annotations

import math

from tarazu.base import dtypes
from tarazu.base.checks import flag
from tarazu.base.errors import DTypeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise.arithmetic import abs, add, multiply, subtract
from tarazu.ops.elementwise.complex import imag, real
from tarazu.ops.promote import as_value, cast, same_dtype, single
from tarazu.ops.typing import ArrayLike, Tensor


def equal(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x == y: whether two elements are equal; nan equals nothing. ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.equal(tz.tensor([1.0, tz.nan]), tz.tensor([1.0, tz.nan]))
    Tensor([ True, False], dtype=bool)
    """
    return bind(ops.EQUAL, *same_dtype(x, y))


def not_equal(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x != y: whether two elements differ; nan differs from everything. ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.not_equal(tz.tensor([1, 2, 3]), 2)
    Tensor([ True, False,  True], dtype=bool)
    """
    return bind(ops.NOT_EQUAL, *same_dtype(x, y))


def less(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x < y; False if either is nan. ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.less(tz.tensor([1, 2, 3]), 2)
    Tensor([ True, False, False], dtype=bool)
    """
    return bind(ops.LESS, *same_dtype(x, y))


def less_equal(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x <= y; False if either is nan. ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.less_equal(tz.tensor([1, 2, 3]), 2)
    Tensor([ True,  True, False], dtype=bool)
    """
    return bind(ops.LESS_EQUAL, *same_dtype(x, y))


def greater(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x > y; False if either is nan. ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.greater(tz.tensor([1, 2, 3]), 2)
    Tensor([False, False,  True], dtype=bool)
    """
    return bind(ops.GREATER, *same_dtype(x, y))


def greater_equal(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x >= y; False if either is nan. ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.greater_equal(tz.tensor([1, 2, 3]), 2)
    Tensor([False,  True,  True], dtype=bool)
    """
    return bind(ops.GREATER_EQUAL, *same_dtype(x, y))


def isnan(x: ArrayLike) -> Tensor:
    """Whether each element is nan; a complex number is if one of its parts is.

    >>> import tarazu as tz
    >>> tz.isnan(tz.tensor([1.0, tz.inf, tz.nan]))
    Tensor([False, False,  True], dtype=bool)
    """
    x = as_value(x)
    return not_equal(x, x)


def isinf(x: ArrayLike) -> Tensor:
    """Whether each element is infinite, of either sign.

    >>> import tarazu as tz
    >>> tz.isinf(tz.tensor([1.0, -tz.inf, tz.nan]))
    Tensor([False,  True, False], dtype=bool)
    """
    return equal(abs(x), math.inf)


def isfinite(x: ArrayLike) -> Tensor:
    """Whether each element is neither infinite nor nan.

    >>> import tarazu as tz
    >>> tz.isfinite(tz.tensor([1.0, -tz.inf, tz.nan]))
    Tensor([ True, False, False], dtype=bool)
    """
    x = as_value(x)
    if x.dtype.kind != "complex":
        return less(abs(x), math.inf)
    return logical_and(isfinite(real(x)), isfinite(imag(x)))  # the magnitude of finite parts may overflow


def isclose(x: ArrayLike, y: ArrayLike, rtol: float = 1e-5, atol: float = 1e-8, *, equal_nan: bool = False) -> Tensor:
    """Whether two elements are equal, or |x - y| <= atol + rtol * |y|; two nan are only with `equal_nan`.

    Integers are compared in float64, half precision in float32. ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.isclose(tz.tensor([1.0, 1.0, tz.inf]), tz.tensor([1.000001, 1.1, tz.inf]))
    Tensor([ True, False,  True], dtype=bool)
    """
    x, y = (single(value) if value.dtype.is_inexact else cast(value, dtypes.float64) for value in same_dtype(x, y))
    is_near = less_equal(abs(subtract(x, y)), add(multiply(abs(y), rtol), atol))
    close = logical_or(equal(x, y), logical_and(is_near, isfinite(y)))
    return logical_or(close, logical_and(isnan(x), isnan(y))) if flag("equal_nan", equal_nan) else close


# Logic ----------------------------------------------------------------------------------------------------------

def truth(x: ArrayLike) -> Tensor:
    """Whether each element is true (not 0)."""
    x = as_value(x)
    return x if x.dtype is dtypes.bool_ else not_equal(x, 0)


def logical_and(x: ArrayLike, y: ArrayLike) -> Tensor:
    """Whether both elements are true (not 0). ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.logical_and(tz.tensor([0, 1, 2]), True)
    Tensor([False,  True,  True], dtype=bool)
    """
    return bind(ops.AND, truth(x), truth(y))


def logical_or(x: ArrayLike, y: ArrayLike) -> Tensor:
    """Whether one element at least is true (not 0). ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.logical_or(tz.tensor([True, False]), tz.tensor([False, False]))
    Tensor([ True, False], dtype=bool)
    """
    return bind(ops.OR, truth(x), truth(y))


def logical_xor(x: ArrayLike, y: ArrayLike) -> Tensor:
    """Whether exactly one element is true (not 0). ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.logical_xor(tz.tensor([True, False]), True)
    Tensor([False,  True], dtype=bool)
    """
    return bind(ops.XOR, truth(x), truth(y))


def logical_not(x: ArrayLike) -> Tensor:
    """Whether each element is false (0).

    >>> import tarazu as tz
    >>> tz.logical_not(tz.tensor([0, 1, 2]))
    Tensor([ True, False, False], dtype=bool)
    """
    return bind(ops.NOT, truth(x))


def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike) -> Tensor:
    """The element of `x` where `condition` is True, that of `y` elsewhere; the three broadcast to one shape.

    Both sides are computed. The gradient of the side that is not taken is 0, or nan where its derivative is not finite:
    choose a safe argument for it, as here. ShapeError where the three do not broadcast, DTypeError for a condition that
    is not boolean.

    >>> import tarazu as tz
    >>> x = tz.tensor([-1.0, 4.0])
    >>> tz.where(x > 0, tz.sqrt(tz.where(x > 0, x, 1)), 0)
    Tensor([0., 2.], dtype=float32)
    """
    condition = as_value(condition)
    if condition.dtype is not dtypes.bool_:
        raise DTypeError(f"where: a condition of {condition.dtype}", expected="a condition of bool",
                         fix="compare it with something: tz.where(x > 0, x, y)")
    return bind(ops.WHERE, condition, *same_dtype(x, y))
