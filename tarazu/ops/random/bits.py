"""Random bits, and simple distributions made of them, as functions of a generator's state (uint32[4], see `advance`).

The bits are those of Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, 2011), so that every backend draws the same.
"""

from __future__ import annotations

import math

import numpy as np

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.types import Shape
from tarazu.ops.create import arange
from tarazu.ops.elementwise import (
    add,
    astype,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    cos,
    equal,
    less,
    log1p,
    multiply,
    remainder,
    sin,
    sqrt,
    where,
)
from tarazu.ops.indexing.index import take
from tarazu.ops.indexing.sorting import argsort
from tarazu.ops.promote import as_value
from tarazu.ops.shape import concat, reshape, slice_axis
from tarazu.ops.typing import ArrayLike, Tensor

_NEXT = np.array([0, 0, 1, 0], np.uint32)
_NEXT_WITH_CARRY = np.array([0, 0, 1, 1], np.uint32)


def advance(state: Tensor) -> Tensor:
    """The state after one draw: words 2 and 3 are a 64-bit count of the draws, words 0 and 1 the key."""
    has_carry = equal(slice_axis(state, 0, 2, 3), np.array([0xFFFFFFFF], np.uint32))
    return add(state, where(has_carry, _NEXT_WITH_CARRY, _NEXT))


def bits(state: Tensor, shape: Shape) -> Tensor:
    """Uniform 32-bit words."""
    return bind(ops.RANDOM_BITS, state, shape=shape)


def wide_bits(state: Tensor, shape: Shape) -> Tensor:
    """Uniform 64-bit words, each made of two 32-bit words."""
    size = math.prod(shape)
    words = astype(bits(state, (2 * size,)), dtypes.uint64)
    return reshape(_joined(slice_axis(words, 0, 0, size), slice_axis(words, 0, size, 2 * size)), shape)


def _joined(high: Tensor, low: Tensor) -> Tensor:
    """64-bit words of two 32-bit words each, which come as uint64."""
    return bitwise_or(bitwise_left_shift(high, as_value(32, dtypes.uint64)), low)


def uniform(state: Tensor, shape: Shape, dtype: DType = dtypes.DEFAULT_FLOAT) -> Tensor:
    """Uniform on [0, 1): 24 random bits in float32 and shorter types, 53 in float64, so that 1 is never reached."""
    if dtype is dtypes.float64:
        words = bitwise_right_shift(wide_bits(state, shape), as_value(11, dtypes.uint64))
        return multiply(astype(words, dtype), 2.0**-53)
    digits = {dtypes.float16: 11, dtypes.bfloat16: 8}.get(dtype, 24)
    words = bitwise_right_shift(bits(state, shape), as_value(32 - digits, dtypes.uint32))
    return astype(multiply(astype(words, dtypes.float32), 2.0**-digits), dtype)


def normal(state: Tensor, shape: Shape, dtype: DType = dtypes.DEFAULT_FLOAT) -> Tensor:
    """Standard normal, by the transform of Box and Muller (1958)."""
    size = math.prod(shape)
    half = -(-size // 2)
    exact = dtype if dtype is dtypes.float64 else dtypes.float32
    pairs = uniform(state, (2, half), exact)
    radius = sqrt(multiply(log1p(-pairs[0]), -2.0))
    angle = multiply(pairs[1], 2 * math.pi)
    numbers = concat([multiply(radius, cos(angle)), multiply(radius, sin(angle))])
    return astype(reshape(slice_axis(numbers, 0, 0, size), shape), dtype)


def randint(state: Tensor, low: int, high: int, shape: Shape) -> Tensor:
    """Whole numbers from `low` up to but not with `high`; ArgumentError unless low < high.

    The bias is below (high - low) / 2**64.
    """
    if low >= high:
        raise ArgumentError(f"randint from {low} up to {high}", expected="low < high",
                            fix="`high` itself is never drawn")
    span = as_value(high - low, dtypes.uint64)
    return add(astype(remainder(wide_bits(state, shape), span), dtypes.int64), low)


def bernoulli(state: Tensor, probability: ArrayLike, shape: Shape) -> Tensor:
    """True with the given probability, False otherwise."""
    return less(uniform(state, shape), probability)


def permutation(state: Tensor, size: int) -> Tensor:
    """The numbers from 0 to size - 1 in random order: the order of random 64-bit keys."""
    return argsort(wide_bits(state, (size,)))


def padded_permutation(state: Tensor, count: Tensor, size: int) -> Tensor:
    """The first `count` are those of `permutation(state, count)`; after them come the numbers up to size - 1.

    `count` is a scalar tensor of at most `size`, so that one graph serves for many numbers.
    """
    words = astype(bits(state, (2 * size,)), dtypes.uint64)
    numbers = arange(size)
    high, low = slice_axis(words, 0, 0, size), take(words, add(numbers, count))
    keys, last = _joined(high, low), as_value(2**64 - 1, dtypes.uint64)
    return argsort(where(less(numbers, count), keys, last))  # which is stable, so that equal keys stay in order
