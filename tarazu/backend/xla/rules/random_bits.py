"""Philox 4x32-10, bit for bit what `tarazu/backend/numpy/philox.py` gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from tarazu.base.formulas.philox import MULTIPLIERS, ROUNDS, WEYL
from tarazu.ir import op as ops
from tarazu.ir.op import Op


def _product(factor: int, words: Array) -> tuple[Array, Array]:
    """The upper and the lower word of the products."""
    wide = words.astype(jnp.uint64) * jnp.uint64(factor)
    return (wide >> jnp.uint64(32)).astype(jnp.uint32), wide.astype(jnp.uint32)


def philox(key: tuple[Array, Array], counter: tuple[Array, Array, Array, Array]) -> tuple[Array, ...]:
    """The four words of each block, all uint32."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        (first_upper, first_lower), (second_upper, second_lower) = map(_product, MULTIPLIERS, (c0, c2))
        c0, c1, c2, c3 = second_upper ^ c1 ^ k0, second_lower, first_upper ^ c3 ^ k1, first_lower
        k0, k1 = k0 + jnp.uint32(WEYL[0]), k1 + jnp.uint32(WEYL[1])
    return c0, c1, c2, c3


def random_bits(state: Array, shape: tuple[int, ...]) -> Array:
    size = math.prod(shape)
    blocks = -(-size // 4)
    number = lax.iota(jnp.uint64, blocks)
    draw = (jnp.full(blocks, state[i]) for i in (2, 3))
    counter = number.astype(jnp.uint32), (number >> jnp.uint64(32)).astype(jnp.uint32), *draw
    words = jnp.stack(philox((state[0], state[1]), counter), axis=-1)
    return lax.reshape(lax.slice(lax.reshape(words, (4 * blocks,)), (0,), (size,)), tuple(shape))


ROWS: dict[Op, Callable[..., Any]] = {ops.RANDOM_BITS: random_bits}
