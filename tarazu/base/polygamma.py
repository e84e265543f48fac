"""What every backend computes polygamma from: an asymptotic series, and the derivatives of the cotangent."""

from __future__ import annotations

import numpy as np

# B_2k, k = 1 to 8, of the asymptotic series (Abramowitz and Stegun, 1964, 6.4.11), and where it may start.
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
SERIES_FROM = 16
TINY = 1e-150  # nearer to 0 only the term of the pole counts


def cotangent_derivative(order: int) -> np.polynomial.Polynomial:
    """The derivative of cot(pi x) of that order, as a polynomial in the cotangent: c' = -pi (1 + c^2)."""
    derivative = np.polynomial.Polynomial([0.0, 1.0])
    for _ in range(order):
        derivative = -np.pi * derivative.deriv() * np.polynomial.Polynomial([1.0, 0.0, 1.0])
    return derivative
