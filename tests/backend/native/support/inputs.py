"""Arrays for the parameters of a random graph, by what they are for; always the same ones for the same seed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tarazu.ir.types import TensorType


class Source(NamedTuple):
    """What the array for a parameter is for: "values", "small" ones, "index", "distinct", "below" a limit, "words"."""

    kind: str
    limit: int = 0


def draw(rng: np.random.Generator, type_: TensorType, source: Source) -> np.ndarray:
    """An array of that type."""
    shape, dtype, limit = type_.shape, type_.dtype.numpy, source.limit
    if source.kind == "values":
        return values(rng, shape, dtype)
    if source.kind == "small":
        return (values(rng, shape, dtype) / limit).astype(dtype)
    if source.kind == "index":
        low = -limit if dtype.kind == "i" and rng.random() < 0.7 else 0
        return np.asarray(rng.integers(low, max(limit, 1), shape)).astype(dtype)
    if source.kind == "distinct":
        return rng.permutation(limit)[:int(np.prod(shape))].reshape(shape).astype(dtype)
    if source.kind == "below":
        return np.asarray(rng.integers(0, limit + 1, shape)).astype(dtype)
    assert source.kind == "words"
    return rng.integers(0, 2**32, shape, np.uint32)


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Numbers of at most 4, half of the time multiples of 1/4, which have ties; integers of all sizes now and then."""
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind in "iu":
        info, small = np.iinfo(dtype), rng.random() < 0.8
        low, high = (max(info.min, -9), 9) if small else (info.min, info.max)
        return np.asarray(rng.integers(low, high, shape, dtype, endpoint=True))
    if dtype.kind == "c":
        return np.asarray(rng.uniform(-2, 2, shape) + 1j * rng.uniform(-2, 2, shape)).astype(dtype)
    whole = rng.random() < 0.5
    return np.asarray(rng.integers(-16, 17, shape) / 4 if whole else rng.uniform(-4, 4, shape)).astype(dtype)


def in_some_layout(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """The same values, but perhaps not in order in memory: views of transposed, stepped, reversed, repeated arrays."""
    way = rng.integers(0, 10) if array.ndim else 9
    if way == 0:
        return np.ascontiguousarray(array.T).T
    if way == 1:
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
        wide[..., 1::2] = array
        return wide[..., 1::2]
    if way == 2:
        return np.ascontiguousarray(array[::-1])[::-1]
    if way == 3:
        longer = np.concatenate([array[:1], array]) if len(array) else array
        return longer[1:] if len(array) else array  # starts in the middle of another array's memory
    return array
