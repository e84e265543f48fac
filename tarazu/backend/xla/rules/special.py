"""Elementwise functions that XLA lacks, or whose special cases differ from NumPy's."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from tarazu.base.formulas.polygamma import SERIES_FROM, TINY, add_series, cotangent_derivative, recurrence_term


def floor_divide(x: Array, y: Array) -> Array:
    if jnp.issubdtype(x.dtype, jnp.integer):
        return _floor_divide_integers(x, y)
    rest = lax.rem(x, y)
    quotient = (x - rest) / y  # close to a whole number
    quotient = jnp.where((rest != 0) & ((y < 0) != (rest < 0)), quotient - 1, quotient)
    whole = lax.floor(quotient)
    whole = jnp.where(quotient - whole > 0.5, whole + 1, whole)
    whole = jnp.where(quotient == 0, jnp.copysign(jnp.zeros_like(x), x / y), whole)
    whole = jnp.where(y == 0, x / y, whole)
    return jnp.where(jnp.isinf(x) | jnp.isinf(y), lax.floor(x / y), whole)


def _floor_divide_integers(x: Array, y: Array) -> Array:
    safe = jnp.where(y == 0, jnp.ones_like(y), y)
    quotient = lax.div(x, safe)
    if jnp.issubdtype(x.dtype, jnp.signedinteger):
        is_above = (lax.rem(x, safe) != 0) & ((x < 0) != (y < 0))
        quotient = quotient - is_above.astype(x.dtype)
    return jnp.where(y == 0, jnp.zeros_like(x), quotient)


def remainder(x: Array, y: Array) -> Array:
    """The remainder, with the sign of the divisor; of integers divided by 0 it is 0."""
    if jnp.issubdtype(x.dtype, jnp.integer):
        safe = jnp.where(y == 0, jnp.ones_like(y), y)
        rest = lax.rem(x, safe)
        rest = jnp.where((rest != 0) & ((rest < 0) != (safe < 0)), rest + safe, rest)
        return jnp.where(y == 0, jnp.zeros_like(x), rest)
    rest = lax.rem(x, y)
    signed = jnp.where((rest < 0) != (y < 0), rest + y, rest)
    return jnp.where(rest == 0, jnp.copysign(jnp.zeros_like(x), y), signed)


def power(x: Array, y: Array) -> Array:
    """x ** y, of integers by squaring; with a negative exponent they give 1, as XLA cannot raise an error."""
    if not jnp.issubdtype(x.dtype, jnp.integer):
        return lax.pow(x, y)

    def step(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        result, base, exponent = state
        result = jnp.where(exponent & 1 == 1, result * base, result)
        return result, base * base, lax.shift_right_logical(exponent, jnp.ones_like(exponent))

    start = jnp.ones_like(x), x, lax.max(y, jnp.zeros_like(y))
    return lax.while_loop(lambda state: jnp.any(state[2] != 0), step, start)[0]


def polygamma(x: Array, order: int) -> Array:
    """The derivative of digamma of that order, in double precision: recurrence upwards, then the asymptotic series;
    reflection below 0.5."""
    wide = x.astype(jnp.float64)
    reflected = wide < 0.5
    value = _upper_polygamma(jnp.where(reflected, 1 - wide, wide), order)
    mirrored = (-1) ** order * value - _cotangent_derivative(jnp.where(reflected, wide, 0.25), order)
    value = jnp.where(reflected, mirrored, value)
    value = jnp.where(reflected & (wide == lax.floor(wide)), np.inf if order % 2 else np.nan, value)
    near_zero = lax.abs(wide) < TINY
    near_pole = recurrence_term(jnp.where(near_zero, wide, 1.0), order)
    return jnp.where(near_zero, near_pole, value).astype(x.dtype)


def _upper_polygamma(x: Array, order: int) -> Array:
    """polygamma of x from 0.5 on, with as many steps of the recurrence as the smallest x needs to reach the series."""
    total = jnp.zeros_like(x)
    for _ in range(SERIES_FROM + order):
        low = x < SERIES_FROM + order
        total = total + jnp.where(low, recurrence_term(x, order), 0.0)
        x = jnp.where(low, x + 1, x)
    return add_series(total, x, order, lax.log)


def _cotangent_derivative(x: Array, order: int) -> Array:
    """The derivative of pi * cot(pi * x) of the given order."""
    # cos / sin rather than 1 / tan: x = 0.5 gives 0 exactly enough, and whole periods are taken off first
    angle = np.pi * (x - jnp.round(x))
    cotangent = lax.cos(angle) / lax.sin(angle)
    value = jnp.zeros_like(x)
    for coefficient in reversed(cotangent_derivative(order).coef):
        value = value * cotangent + float(coefficient)
    return np.pi * value
