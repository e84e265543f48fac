"""Layers that tell attention where steps stand: learned vectors, sines and cosines, rotations."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.layers.checks import require_sequences
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.create import arange
from tarazu.ops.elementwise import astype, cos, sin
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_float
from tarazu.ops.shape import concat, expand_dims, reshape, slice_axis, stack
from tarazu.runtime import random
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor


class PositionalEmbedding(LastAxisLayer):
    """Adds a learned vector to each step, so that attention can tell steps apart: (batch, time, dim) to the same.

    `weight` (length, dim) has a vector for each of at most `length` steps; they start normal with standard deviation
    0.02 (Devlin and others, "BERT", 2018). `dim` may be left out and is then taken from the first input. `start`, an
    option of the call, is the position of the first step, as in generation with a cache. ArgumentError for sizes below
    1, ShapeError for an input of more steps, other features or another number of axes.

    >>> import tarazu as tz
    >>> tz.nn.PositionalEmbedding(64)(tz.ones((2, 10, 32))).shape
    (2, 10, 32)
    """

    def __init__(self, length: int, dim: int | None = None) -> None:
        self._length = positive_int("length", length)
        super().__init__("dim", dim)

    def _make_parameters(self, size: int) -> None:
        self.weight = Parameter(random.normal((self._length, size), std=0.02))

    def _require_axes(self, x: Tensor) -> None:
        require_sequences(x)

    def forward(self, x: Tensor, *, start: int | Tensor = 0) -> Tensor:
        self._require_input(x)
        last = x.shape[1] + (start if isinstance(start, int) else 0)
        if last > self._length:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected=f"at most {self._length} steps",
                             fix=f"make the layer longer: tz.nn.PositionalEmbedding({last})")
        if isinstance(start, int):
            return x + slice_axis(self.weight, 0, start, last)
        return x + take(self.weight, start + arange(x.shape[1]), 0)


class SinusoidalEmbedding(Module):
    """Adds sines and cosines of the position to each step (Vaswani and others, 2017): (batch, time, dim) to the same.

    Feature 2i of step t gets sin(t / base ** (2i / dim)), feature 2i + 1 the cosine; there is nothing to learn, and no
    longest sequence. `start`, an option of the call, is the position of the first step. ArgumentError for a `base` of
    at most 1, ShapeError for an input that is no batch of sequences.

    >>> import tarazu as tz
    >>> steps = tz.nn.SinusoidalEmbedding()(tz.zeros((1, 2, 4)))[0]
    >>> [[round(x, 2) for x in step] for step in steps.tolist()]
    [[0.0, 1.0, 0.0, 1.0], [0.84, 0.54, 0.01, 1.0]]
    """

    def __init__(self, base: float = 10000.0) -> None:
        self._base = _checked_base(base)

    def forward(self, x: Tensor, *, start: int | Tensor = 0) -> Tensor:
        require_sequences(x)
        x = as_float(x)
        _, time, dim = x.shape
        angles = _angles(start, time, self._base, -(-dim // 2), dim)
        pairs = reshape(stack([sin(angles), cos(angles)], 2), (time, -1))
        return x + astype(slice_axis(pairs, 1, 0, dim), x.dtype, copy=False)


class RotaryEmbedding(Module):
    """Turns pairs of features by angles that grow with the position: (..., time, dim) to the same.

    Products of turned queries and keys depend on how far apart the steps are only (Su and others, 2021). Pair i of step
    t is turned by t / base ** (2i / dim); the pairs are features i and i + dim / 2, as in LLaMA, or with `interleaved`
    2i and 2i + 1, as in the paper. `start`, an option of the call, is the position of the first step.
    `MultiHeadAttention(rotary=...)` turns its queries and keys by one. ArgumentError for a `base` of at most 1,
    ShapeError for an odd number of features.

    >>> import tarazu as tz
    >>> steps = tz.nn.RotaryEmbedding()(tz.tensor([[1.0, 0.0], [1.0, 0.0]]))
    >>> [[round(x, 2) for x in step] for step in steps.tolist()]
    [[1.0, 0.0], [0.54, 0.84]]
    """

    def __init__(self, base: float = 10000.0, *, interleaved: bool = False) -> None:
        self._base, self._is_interleaved = _checked_base(base), interleaved

    def forward(self, x: Tensor, *, start: int | Tensor = 0) -> Tensor:
        x = as_float(x)
        if len(x.shape) < 2 or x.shape[-1] % 2:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected="shape (..., time, dim) with an even dim",
                             fix="make the number of features (of each head) even")
        time, dim = x.shape[-2:]
        angles = _angles(start, time, self._base, dim // 2, dim)
        turn = astype(cos(angles), x.dtype, copy=False), astype(sin(angles), x.dtype, copy=False)
        lead = len(x.shape) - 1
        if self._is_interleaved:
            pairs = reshape(x, (*x.shape[:-1], dim // 2, 2))
            return reshape(stack(_turned(pairs[..., 0], pairs[..., 1], *turn), -1), x.shape)
        half = slice_axis(x, lead, 0, dim // 2), slice_axis(x, lead, dim // 2, dim)
        return concat(_turned(*half, *turn), -1)


def _turned(first: Tensor, second: Tensor, cosine: Tensor, sine: Tensor) -> list[Tensor]:
    return [first * cosine - second * sine, second * cosine + first * sine]


def _angles(start: int | Tensor, time: int, base: float, pairs: int, dim: int) -> Tensor:
    """The angle of each pair at each step, (time, pairs), in float32."""
    steps = astype(start + arange(time), "float32")
    rates = np.exp(-math.log(base) * 2 * np.arange(pairs) / dim).astype(np.float32)
    return expand_dims(steps, 1) * asarray(rates)


def _checked_base(base: float) -> float:
    if not base > 1:
        raise ArgumentError(f"base={base!r}", expected="a number above 1", fix="leave it out for 10000")
    return float(base)
