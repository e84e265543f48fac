"""Matrices by which short correlations take fewer products: `result @ ((kernel @ k) * (data @ x))`.

They come from polynomials that are evaluated at a few points, multiplied there, and put together again (Toom, 1963;
Cook, 1966; for networks Winograd, "Arithmetic Complexity of Computations", 1980, and Lavin and Gray, "Fast Algorithms
for Convolutional Neural Networks", 2016).
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:  # else imported when there is a convolution
    from fractions import Fraction

Matrix: TypeAlias = "tuple[tuple[Fraction, ...], ...]"
POINTS = (0, 1, -1, 2, -2)  # and infinity; with more of them, numbers of a tile differ too much in size


class Correlation(NamedTuple):
    """The matrices for some outputs y[i] = sum(k[j] * x[i + j]) of one axis, with as many products as x has elements.

    >>> short_correlation(2, 3).kernel[1]
    (Fraction(1, 2), Fraction(1, 2), Fraction(1, 2))
    """

    data: Matrix  # (products, elements of x)
    kernel: Matrix  # (products, taps)
    result: Matrix  # (outputs, products)


@functools.cache
def short_correlation(outputs: int, taps: int) -> Correlation:
    """The matrices for so many outputs and taps, at most 7 together."""
    from fractions import Fraction

    points = POINTS[:outputs + taps - 2]
    scales = [math.prod(p - other for other in points if other != p) for p in points]
    data = [_coefficients([other for other in points if other != p], len(points) + 1) for p in points]
    kernel = [tuple([Fraction(p**j, scale) for j in range(taps)]) for p, scale in zip(points, scales, strict=True)]
    result = [(*[Fraction(p**i) for p in points], Fraction(i == outputs - 1)) for i in range(outputs)]
    return Correlation((*data, _coefficients(points, len(points) + 1)),
                       (*kernel, tuple([Fraction(j == taps - 1) for j in range(taps)])), tuple(result))


def _coefficients(roots: tuple[int, ...] | list[int], length: int) -> tuple[Fraction, ...]:
    """Those of the product of all (t - root), the constant one first, filled up with zeros."""
    from fractions import Fraction

    found = [Fraction(1)]
    for root in roots:
        found = [a - root * b for a, b in zip([Fraction(0), *found], [*found, Fraction(0)], strict=True)]
    return (*found, *[Fraction(0)] * (length - len(found)))
