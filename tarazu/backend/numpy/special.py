"""Functions that NumPy lacks: from Python's math module where that has them, element by element in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tarazu.base.formulas.polygamma import SERIES_FROM, TINY, add_series, cotangent_derivative, recurrence_term


def _elementwise(function: Callable[[float], float]) -> Callable[[np.ndarray], np.ndarray]:
    over_objects = np.frompyfunc(function, 1, 1)

    def apply(x: np.ndarray) -> np.ndarray:
        return np.asarray(over_objects(x.astype(np.float64))).astype(x.dtype)
    return apply


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # a pole, or too large
        return math.inf


erf = _elementwise(math.erf)
lgamma = _elementwise(_lgamma)

def polygamma(x: np.ndarray, order: int) -> np.ndarray:
    """The derivative of digamma of that order: recurrence upwards, then the asymptotic series; reflection below 0.5."""
    wide = x.astype(np.float64)
    reflected = wide < 0.5
    value = _upper_polygamma(np.where(reflected, 1 - wide, wide), order)
    if reflected.any():
        mirrored = (-1) ** order * value - _cotangent_derivative(np.where(reflected, wide, 0.25), order)
        value = np.where(reflected, mirrored, value)
        value = np.where(reflected & (wide == np.floor(wide)), np.inf if order % 2 else np.nan, value)
        near_zero = np.abs(wide) < TINY
        value = np.where(near_zero, recurrence_term(np.where(near_zero, wide, 1), order), value)
    return value.astype(x.dtype)


def _upper_polygamma(x: np.ndarray, order: int) -> np.ndarray:
    total = np.zeros_like(x)
    while np.any(low := x < SERIES_FROM + order):
        total = total + np.where(low, recurrence_term(x, order), 0.0)
        x = np.where(low, x + 1, x)
    return add_series(total, x, order, np.log)


def _cotangent_derivative(x: np.ndarray, order: int) -> np.ndarray:
    """The derivative of pi * cot(pi * x) of the given order."""
    # cos / sin rather than 1 / tan: x = 0.5 gives 0 exactly enough, and whole periods are taken off first
    angle = np.pi * (x - np.round(x))
    return np.pi * cotangent_derivative(order)(np.cos(angle) / np.sin(angle))


def expm1(x: np.ndarray) -> np.ndarray:
    """exp(x) - 1; of complex numbers by their parts, as NumPy misses special cases of the standard.

    (exp(a) cos(b) - 1) + i exp(a) sin(b), where exp(a) cos(b) - 1 = expm1(a) cos(b) - 2 sin(b / 2)^2.
    """
    if x.dtype.kind != "c":
        return np.expm1(x)
    a, b = x.real, x.imag
    value = np.empty_like(x)
    value.real = np.expm1(a) * np.cos(b) - 2 * np.sin(b / 2) ** 2 + 0.0  # -0 becomes 0
    value.imag = np.exp(a) * np.sin(b)
    is_plain = np.isfinite(a) & np.isfinite(b)
    return np.where(is_plain, value, np.exp(x) - 1)


def floor_divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The largest whole number not above x / y; for infinite ones the standard's special cases, which NumPy has not."""
    quotient = np.floor_divide(x, y)
    if x.dtype.kind in "biu":
        return quotient
    return np.where(np.isinf(x) | np.isinf(y), np.floor(x / y), quotient)
