"""What products by tiles of AMX cost, in cycles: a row of the product of two tiles takes one, at the 1,024 operations
a cycle that Intel states. What else is here was not measured, as no such processor was at hand.
"""

from __future__ import annotations

import math

from tarazu.backend.native.kernels.amx.operations import COLUMNS, ROWS

BLOCK_ROWS, BLOCK_VECTORS = 2 * ROWS, 2  # of a block: four tiles of sums, two of each factor
_LATENCY = 52  # of a product of tiles; four that do not wait for each other take longer
_LOAD, _STORE = 8, 16  # a tile
SETUP = 250  # the shapes, in each call of a kernel


def longest_step(pairs: int) -> int:
    """The largest number of pairs that one product of tiles takes of each sum of so many, if all products take as
    many."""
    return max(step for step in range(1, COLUMNS + 1) if pairs % step == 0)


def block(rows: int, vectors: int, steps: int) -> float:
    """The sums of a block of so many rows, and vectors of 16 columns, in so many steps; they end in memory."""
    tiles = math.ceil(rows / ROWS) * vectors
    step = max(rows * vectors, _LATENCY, _LOAD * (math.ceil(rows / ROWS) + vectors))
    return steps * step + _LATENCY + tiles * _STORE
