"""The parts of complex numbers. Real numbers pass as complex ones whose imaginary part is 0."""

from __future__ import annotations

from tarazu.base.dtypes import COMPLEX_PARTS
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise.arithmetic import add, square
from tarazu.ops.elementwise.conversion import stop_gradient
from tarazu.ops.elementwise.trigonometric import atan2
from tarazu.ops.promote import as_float, as_value
from tarazu.ops.typing import ArrayLike, Tensor


def real(x: ArrayLike) -> Tensor:
    """The real part, of the float dtype of half the width; of real numbers, themselves.

    >>> import tarazu as tz
    >>> tz.real(tz.tensor(3 + 4j))
    Tensor(3., dtype=float32)
    """
    x = as_value(x)
    return bind(ops.CAST, x, dtype=COMPLEX_PARTS[x.dtype]) if x.dtype in COMPLEX_PARTS else x


def imag(x: ArrayLike) -> Tensor:
    """The imaginary part, of the float dtype of half the width; of real numbers 0 in their dtype.

    >>> import tarazu as tz
    >>> tz.imag(tz.tensor(3 + 4j))
    Tensor(4., dtype=float32)
    """
    x = as_value(x)
    return bind(ops.IMAG, x) if x.dtype in COMPLEX_PARTS else bind(ops.BROADCAST, as_value(0, x.dtype), shape=x.shape)


def conj(x: ArrayLike) -> Tensor:
    """The complex conjugate, whose imaginary part has the other sign; of a real number, itself.

    >>> import tarazu as tz
    >>> tz.conj(tz.tensor(3 + 4j))
    Tensor(3.-4.j, dtype=complex64)
    """
    x = as_value(x)
    return bind(ops.CONJ, x) if x.dtype in COMPLEX_PARTS else x


def angle(x: ArrayLike) -> Tensor:
    """The angle of a complex number in radians, from -pi to pi; of real numbers 0, or pi below 0, without a gradient.

    >>> import tarazu as tz
    >>> f"{tz.angle(1j):.4f}", f"{tz.angle(-2.0):.4f}"
    ('1.5708', '3.1416')
    """
    x = as_float(x)
    return atan2(imag(x), real(x) if x.dtype in COMPLEX_PARTS else stop_gradient(x))


def abs_square(x: ArrayLike) -> Tensor:
    """The square of the absolute value, a real number: x * x of real numbers, real(x)^2 + imag(x)^2 of complex ones."""
    x = as_value(x)
    return add(square(real(x)), square(imag(x))) if x.dtype in COMPLEX_PARTS else square(x)
