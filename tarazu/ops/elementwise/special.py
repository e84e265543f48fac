"""Special functions of real numbers: the logistic, the error, the sinc and the logarithm of the gamma function.

Integers become float32 first; DTypeError for complex numbers.
"""

from __future__ import annotations

import math

from tarazu.base.checks import whole_number
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise.arithmetic import divide, multiply, square, subtract
from tarazu.ops.elementwise.comparison import less, where
from tarazu.ops.elementwise.trigonometric import sin
from tarazu.ops.promote import as_float
from tarazu.ops.typing import ArrayLike, Tensor


def sigmoid(x: ArrayLike) -> Tensor:
    """1 / (1 + exp(-x)), the logistic function, without overflow. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.sigmoid(tz.tensor([-1000.0, 0.0, 1000.0]))
    Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    return bind(ops.SIGMOID, as_float(x))


def erf(x: ArrayLike) -> Tensor:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.erf(1):.4f}"
    '0.8427'
    """
    return bind(ops.ERF, as_float(x))


def lgamma(x: ArrayLike) -> Tensor:
    """The logarithm of the absolute value of the gamma function, inf at 0 and below at whole numbers.

    DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.exp(tz.lgamma(5)):.2f}", f"{tz.lgamma(0)}"
    ('24.00', 'inf')
    """
    return bind(ops.LGAMMA, as_float(x))


def digamma(x: ArrayLike) -> Tensor:
    """The derivative of `lgamma`; -inf at 0, nan at whole numbers below. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.digamma(1):.4f}"
    '-0.5772'
    """
    return polygamma(0, x)


def polygamma(order: int, x: ArrayLike) -> Tensor:
    """The derivative of `digamma` of the given order, of which 0 is `digamma` itself.

    ArgumentError for an order below 0 or no whole number, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.polygamma(1, 1):.4f}", f"{tz.pi**2 / 6:.4f}"
    ('1.6449', '1.6449')
    """
    return bind(ops.POLYGAMMA, as_float(x), order=whole_number(f"polygamma: order {order!r}", order))


def sinc(x: ArrayLike) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0, with its derivatives there. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.sinc(0.5):.4f}", f"{tz.sinc(0.0):.4f}"
    ('0.6366', '1.0000')
    """
    angle = multiply(as_float(x), math.pi)
    is_small = less(square(angle), 0.1)
    small, large = where(is_small, square(angle), 0.0), where(is_small, 1.0, angle)
    series: Tensor | float = 1.0
    for order in range(7, 0, -1):  # the Taylor series by Horner's scheme, with all the digits of float64
        series = subtract(1, multiply(multiply(small, 1 / (2 * order * (2 * order + 1))), series))
    return where(is_small, series, divide(sin(large), large))
