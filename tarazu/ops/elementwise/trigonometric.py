"""Trigonometric and hyperbolic functions and their inverses, of real and complex numbers.

Integers become float32 first. Angles are in radians. The inverse functions of real numbers are nan where no real number
is the result.
"""

from __future__ import annotations

import math

from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise.arithmetic import multiply
from tarazu.ops.promote import as_float, same_float_dtype
from tarazu.ops.typing import ArrayLike, Tensor


def sin(x: ArrayLike) -> Tensor:
    """The sine of an angle in radians.

    >>> import tarazu as tz
    >>> tz.sin(tz.tensor([0.0, tz.pi / 2]))
    Tensor([0., 1.], dtype=float32)
    """
    return bind(ops.SIN, as_float(x))


def cos(x: ArrayLike) -> Tensor:
    """The cosine of an angle in radians.

    >>> import tarazu as tz
    >>> tz.cos(tz.tensor([0.0, tz.pi]))
    Tensor([ 1., -1.], dtype=float32)
    """
    return bind(ops.COS, as_float(x))


def tan(x: ArrayLike) -> Tensor:
    """The tangent of an angle in radians.

    >>> import tarazu as tz
    >>> f"{tz.tan(tz.pi / 4):.4f}"
    '1.0000'
    """
    return bind(ops.TAN, as_float(x))


def asin(x: ArrayLike) -> Tensor:
    """The inverse sine, an angle in radians from -pi/2 to pi/2; nan outside of -1 to 1.

    >>> import tarazu as tz
    >>> f"{tz.asin(1):.4f}", f"{tz.asin(2):.4f}"
    ('1.5708', 'nan')
    """
    return bind(ops.ASIN, as_float(x))


def acos(x: ArrayLike) -> Tensor:
    """The inverse cosine, an angle in radians from 0 to pi; nan outside of -1 to 1.

    >>> import tarazu as tz
    >>> f"{tz.acos(-1):.4f}", f"{tz.acos(2):.4f}"
    ('3.1416', 'nan')
    """
    return bind(ops.ACOS, as_float(x))


def atan(x: ArrayLike) -> Tensor:
    """The inverse tangent, an angle in radians from -pi/2 to pi/2.

    >>> import tarazu as tz
    >>> f"{tz.atan(1):.4f}", f"{tz.atan(tz.inf):.4f}"
    ('0.7854', '1.5708')
    """
    return bind(ops.ATAN, as_float(x))


def atan2(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The angle, in radians from -pi to pi, of the point whose height is `x` and whose width is `y`.

    ShapeError where `x` and `y` do not broadcast, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.atan2(1.0, -1.0):.4f}", f"{tz.atan(1.0 / -1.0):.4f}"
    ('2.3562', '-0.7854')
    """
    return bind(ops.ATAN2, *same_float_dtype(x, y))


def sinh(x: ArrayLike) -> Tensor:
    """The hyperbolic sine, (exp(x) - exp(-x)) / 2.

    >>> import tarazu as tz
    >>> f"{tz.sinh(1):.4f}"
    '1.1752'
    """
    return bind(ops.SINH, as_float(x))


def cosh(x: ArrayLike) -> Tensor:
    """The hyperbolic cosine, (exp(x) + exp(-x)) / 2.

    >>> import tarazu as tz
    >>> f"{tz.cosh(1):.4f}"
    '1.5431'
    """
    return bind(ops.COSH, as_float(x))


def tanh(x: ArrayLike) -> Tensor:
    """The hyperbolic tangent, sinh(x) / cosh(x), between -1 and 1.

    >>> import tarazu as tz
    >>> tz.tanh(tz.tensor([0.0, 100.0])), f"{tz.tanh(1):.4f}"
    (Tensor([0., 1.], dtype=float32), '0.7616')
    """
    return bind(ops.TANH, as_float(x))


def asinh(x: ArrayLike) -> Tensor:
    """The inverse hyperbolic sine.

    >>> import tarazu as tz
    >>> f"{tz.asinh(tz.sinh(2)):.4f}"
    '2.0000'
    """
    return bind(ops.ASINH, as_float(x))


def acosh(x: ArrayLike) -> Tensor:
    """The inverse hyperbolic cosine, not below 0; nan below 1.

    >>> import tarazu as tz
    >>> f"{tz.acosh(tz.cosh(2)):.4f}", f"{tz.acosh(0):.4f}"
    ('2.0000', 'nan')
    """
    return bind(ops.ACOSH, as_float(x))


def atanh(x: ArrayLike) -> Tensor:
    """The inverse hyperbolic tangent; inf at 1, nan outside of -1 to 1.

    >>> import tarazu as tz
    >>> tz.atanh(tz.tensor([0.0, 1.0, 2.0]))
    Tensor([ 0., inf, nan], dtype=float32)
    """
    return bind(ops.ATANH, as_float(x))


def deg2rad(x: ArrayLike) -> Tensor:
    """Degrees as radians; integers become float32 first.

    >>> import tarazu as tz
    >>> f"{tz.deg2rad(180):.4f}"
    '3.1416'
    """
    return multiply(as_float(x), math.pi / 180)


def rad2deg(x: ArrayLike) -> Tensor:
    """Radians as degrees; integers become float32 first.

    >>> import tarazu as tz
    >>> tz.rad2deg(tz.tensor(tz.pi))
    Tensor(180., dtype=float32)
    """
    return multiply(as_float(x), 180 / math.pi)
