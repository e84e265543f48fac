"""What every backend computes the polygamma functions by: a recurrence upwards, an asymptotic series, and reflection.

Bernardo ("Algorithm AS 103: Psi (Digamma) Function", 1976) does so for digamma; numbers in parentheses are formulas of
Abramowitz and Stegun (1964). What is called `x` here is an array of NumPy or JAX, or a register of native code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)  # B_2k, k = 1 to 8
SERIES_FROM = 16  # plus the order: from here on the series is right to double precision
TINY = 1e-150  # nearer to 0 only the term of the pole counts


class Arithmetic(Protocol):
    """A type with arithmetic operators, between two of its values and with floats."""

    def __add__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __rtruediv__(self, other: Any, /) -> Any: ...
    def __pow__(self, other: Any, /) -> Any: ...


Real = TypeVar("Real", bound=Arithmetic)


def recurrence_term(x: Real, order: int) -> Real:
    """polygamma(x) - polygamma(x + 1) of that order (6.4.6)."""
    return (-1) ** (order + 1) * float(math.factorial(order)) / x ** (order + 1)


def add_series(total: Real, x: Real, order: int, log: Callable[[Real], Real]) -> Real:
    """`total` + polygamma(x) of that order, by its asymptotic series, for x >= SERIES_FROM + order (6.3.18, 6.4.11).

    Only the series of order 0 has a logarithm.
    """
    sign = (-1) ** (order + 1)
    leading = log(x) if order == 0 else sign * math.factorial(order - 1) / x**order
    total = total + leading + sign * float(math.factorial(order)) / (2 * x ** (order + 1))
    for k, bernoulli in enumerate(BERNOULLI, start=1):
        size = bernoulli * math.factorial(2 * k + order - 1) / math.factorial(2 * k)
        total = total + sign * size / x ** (2 * k + order)
    return total


def cotangent_derivative(order: int) -> np.polynomial.Polynomial:
    """The derivative of cot(pi x) of that order, as a polynomial in c = cot(pi x), by c' = -pi (1 + c^2).

    It is the term that the reflection formula (6.4.7) subtracts.
    """
    derivative = np.polynomial.Polynomial([0.0, 1.0])
    for _ in range(order):
        derivative = -np.pi * derivative.deriv() * np.polynomial.Polynomial([1.0, 0.0, 1.0])
    return derivative
