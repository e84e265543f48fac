"""Special functions of real numbers: the logistic function, the error function, and the gamma function's logarithm.

Integers become float32 first; DTypeError for complex numbers.
"""

from __future__ import annotations

from tarazu.base.checks import whole_number
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
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
