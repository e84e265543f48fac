"""Philox 4x32-10 by NumPy's integers of 64 bits: the definition that the other backends follow bit for bit."""

from __future__ import annotations

import numpy as np

from tarazu.base.philox import MULTIPLIERS, ROUNDS, WEYL, WORD

_LOW = np.uint64(WORD)  # of the 64 bits of a product
_FACTORS = np.uint64(MULTIPLIERS[0]), np.uint64(MULTIPLIERS[1])


def philox(key: tuple[int, int], counter: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The four words of each block; words are uint64 arrays that hold 32 bits."""
    c0, c1, c2, c3 = counter
    for round_ in range(ROUNDS):
        k0, k1 = (np.uint64((word + round_ * weyl) & WORD) for word, weyl in zip(key, WEYL, strict=True))
        first, second = _FACTORS[0] * c0, _FACTORS[1] * c2
        c0, c2 = (second >> np.uint64(32)) ^ c1 ^ k0, (first >> np.uint64(32)) ^ c3 ^ k1
        c1, c3 = second & _LOW, first & _LOW
    return c0, c1, c2, c3


def random_bits(state: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """uint32 words for draw number (state[2], state[3]) under the key (state[0], state[1]), block after block."""
    size = int(np.prod(shape, dtype=int))
    block = np.arange(-(-size // 4), dtype=np.uint64)
    key0, key1, draw_low, draw_high = (int(word) for word in state)
    counter = (block & _LOW, block >> np.uint64(32), np.full_like(block, draw_low), np.full_like(block, draw_high))
    words = np.stack(philox((key0, key1), counter), axis=-1).astype(np.uint32)
    return words.reshape(-1)[:size].reshape(shape)
