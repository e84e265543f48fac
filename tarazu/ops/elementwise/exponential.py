"""Powers of e and logarithms, of real and complex numbers; integers become float32 first."""

from __future__ import annotations

import math

from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise.arithmetic import add, divide, multiply, negative, pow, round, subtract
from tarazu.ops.elementwise.comparison import equal, greater, isinf, logical_and, not_equal, where
from tarazu.ops.elementwise.conversion import stop_gradient
from tarazu.ops.promote import as_float, same_float_dtype
from tarazu.ops.typing import ArrayLike, Tensor


def exp(x: ArrayLike) -> Tensor:
    """e to the power of each element.

    >>> import tarazu as tz
    >>> tz.exp(tz.tensor([0.0, -tz.inf])), f"{tz.exp(1):.4f}"
    (Tensor([1., 0.], dtype=float32), '2.7183')
    """
    return bind(ops.EXP, as_float(x))


def exp2(x: ArrayLike) -> Tensor:
    """2 to the power of each element; of whole numbers it is exact.

    >>> import tarazu as tz
    >>> tz.exp2(tz.tensor([-1.0, 0.0, 10.0]))
    Tensor([5.000e-01, 1.000e+00, 1.024e+03], dtype=float32)
    """
    return pow(2.0, as_float(x))


def expm1(x: ArrayLike) -> Tensor:
    """exp(x) - 1, precise near 0.

    >>> import tarazu as tz
    >>> f"{tz.expm1(1e-10):.2g}", f"{tz.exp(1e-10) - 1:.2g}"
    ('1e-10', '0')
    """
    return bind(ops.EXPM1, as_float(x))


def log(x: ArrayLike) -> Tensor:
    """The natural logarithm; of real numbers -inf at 0 and nan below.

    >>> import tarazu as tz
    >>> tz.log(tz.tensor([1.0, 0.0, -1.0]))
    Tensor([  0., -inf,  nan], dtype=float32)
    """
    return bind(ops.LOG, as_float(x))


def log1p(x: ArrayLike) -> Tensor:
    """log(1 + x), precise near 0.

    >>> import tarazu as tz
    >>> f"{tz.log1p(1e-10):.2g}", f"{tz.log(tz.tensor(1e-10) + 1):.2g}"
    ('1e-10', '0')
    """
    return bind(ops.LOG1P, as_float(x))


def log2(x: ArrayLike) -> Tensor:
    """The logarithm to base 2; of whole powers of 2 it is exact.

    >>> import tarazu as tz
    >>> tz.log2(tz.tensor([0.5, 8.0]))
    Tensor([-1.,  3.], dtype=float32)
    """
    return _logarithm(x, 2.0)


def log10(x: ArrayLike) -> Tensor:
    """The logarithm to base 10; of whole powers of 10 it is exact.

    >>> import tarazu as tz
    >>> tz.log10(tz.tensor([1.0, 1000.0]))
    Tensor([0., 3.], dtype=float32)
    """
    return _logarithm(x, 10.0)


def _logarithm(x: ArrayLike, base: float) -> Tensor:
    x = as_float(x)
    quotient = divide(log(x), math.log(base))
    if x.dtype.kind == "complex":
        return quotient
    value = stop_gradient(quotient)  # floor(log2(x)) counts digits, so it must not be a rounding error below
    nearest = round(value)
    is_missed = logical_and(equal(pow(base, nearest), x), not_equal(nearest, value))
    return add(quotient, where(is_missed, subtract(nearest, value), 0))


def logaddexp(x: ArrayLike, y: ArrayLike) -> Tensor:
    """log(exp(x) + exp(y)) without overflow.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.logaddexp(1000.0, 1000.0):.2f}"
    '1000.69'
    """
    x, y = same_float_dtype(x, y)
    distance = where(logical_and(equal(x, y), isinf(x)), 0, subtract(x, y))
    is_larger = greater(distance, 0)  # smooth on each side, so that derivatives of every order hold at 0 too
    return add(where(is_larger, x, y), log1p(exp(where(is_larger, negative(distance), distance))))


def logaddexp2(x: ArrayLike, y: ArrayLike) -> Tensor:
    """log2(2 ** x + 2 ** y) without overflow.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.logaddexp2(1000.0, 1000.0):.2f}"
    '1001.00'
    """
    return divide(logaddexp(multiply(x, math.log(2)), multiply(y, math.log(2))), math.log(2))
