"""Philox 4x32-10 by NumPy's integers of 64 bits: the definition that the other backends follow bit for bit."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base.formulas.philox import MULTIPLIERS, ROUNDS, WEYL, WORD

_LOW, _HALF = np.uint64(WORD), np.uint64(32)  # of the 64 bits of a product
_FACTORS = np.array(MULTIPLIERS, np.uint64)[:, None]
_WEYL_OF_ROUNDS = np.arange(ROUNDS, dtype=np.uint64)[:, None] * np.array(WEYL, np.uint64)


def philox(key: np.ndarray, counters: np.ndarray) -> np.ndarray:
    """The four words of each block for its counter, both of shape (4, blocks), in uint64 that hold 32 bits."""
    even, odd = counters[::2].copy(), counters[1::2].copy()  # two words at once: small arrays cost by the operation
    products = np.empty_like(even)
    swapped = products[::-1]
    for words in ((key + _WEYL_OF_ROUNDS) & _LOW)[:, :, None]:
        np.multiply(_FACTORS, even, out=products)
        np.right_shift(swapped, _HALF, out=even)
        even ^= odd
        even ^= words
        np.bitwise_and(swapped, _LOW, out=odd)
    return np.stack([even, odd], axis=1).reshape(4, -1)


def random_bits(state: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """uint32 words for draw number (state[2], state[3]) under the key (state[0], state[1]), block after block."""
    size = math.prod(shape)
    block = np.arange(-(-size // 4), dtype=np.uint64)
    counters = np.empty((4, len(block)), np.uint64)
    counters[0], counters[1], counters[2:] = block & _LOW, block >> _HALF, state[2:, None]
    words = philox(state[:2], counters).T.astype(np.uint32, order="C")
    return words.reshape(-1)[:size].reshape(shape)
