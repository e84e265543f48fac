"""Operators that make arrays: constants, ranges, windows, random numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.interop.onnx.reading.bounds import require_fair
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, dtype_of, integers, known, number
from tarazu.ops.create import eye, full
from tarazu.ops.elementwise import less, logical_not, multiply, where
from tarazu.ops.promote import as_value, cast
from tarazu.runtime.random.choice import categorical
from tarazu.runtime.random.distributions import bernoulli, normal, uniform
from tarazu.runtime.random.generator import Generator
from tarazu.runtime.tensor.tensor import Tensor


@operator("ConstantOfShape")
def constant_of_shape(shape: Any, value: np.ndarray | None = None) -> Tensor:
    """A tensor of one value."""
    fill = np.zeros(1, np.float32) if value is None else value
    require_fair(*integers(shape))
    return full(integers(shape), fill.reshape(()), dtype=dtypes.as_dtype(fill.dtype))


@operator("Range")
def range_(start: Any, limit: Any, delta: Any) -> np.ndarray:
    """Numbers from start to limit in steps."""
    first, end, step = known(start).reshape(()), known(limit).reshape(()), known(delta).reshape(())
    count = max(math.ceil((float(end) - float(first)) / float(step)), 0)
    require_fair(count)
    return np.asarray(first + np.arange(count, dtype=first.dtype) * step, first.dtype)


@operator("EyeLike")
def eye_like(x: Array, dtype: int | None = None, k: int = 0) -> Tensor:
    """Ones on a diagonal of a matrix of that shape."""
    return eye(*x.shape, k=k, dtype=dtypes.as_dtype(x.dtype) if dtype is None else dtype_of(dtype))


def _cosines(size: Any, periodic: int, output_datatype: int, weights: Sequence[float]) -> np.ndarray:
    count = int(number(size))
    require_fair(count)
    angle = 2 * math.pi * np.arange(count) / max(count if periodic else count - 1, 1)
    total = sum(weight * np.cos(i * angle) * (-1) ** i for i, weight in enumerate(weights))
    return np.asarray(total, dtype_of(output_datatype).numpy)


@operator("HannWindow")
def hann(size: Any, output_datatype: int = 1, periodic: int = 1) -> np.ndarray:
    """A Hann window."""
    return _cosines(size, periodic, output_datatype, (0.5, 0.5))


@operator("HammingWindow")
def hamming(size: Any, output_datatype: int = 1, periodic: int = 1) -> np.ndarray:
    """A Hamming window."""
    return _cosines(size, periodic, output_datatype, (25 / 46, 21 / 46))


@operator("BlackmanWindow")
def blackman(size: Any, output_datatype: int = 1, periodic: int = 1) -> np.ndarray:
    """A Blackman window."""
    return _cosines(size, periodic, output_datatype, (0.42, 0.5, 0.08))


@operator("MelWeightMatrix")
def mel_weights(bins: Any, length: Any, rate: Any, low: Any, high: Any, output_datatype: int = 1) -> np.ndarray:
    """The share of each frequency of a spectrum in each of the bins of the mel scale."""
    count, size, rate, low, high = (number(x) for x in (bins, length, rate, low, high))
    require_fair(size // 2 + 1, count)
    ends = 2595 * np.log10(1 + np.array([low, high]) / 700)
    mels = np.arange(count + 2) * ((ends[1] - ends[0]) / (count + 2)) + ends[0]
    points = np.floor((size + 1) * (700 * (10 ** (mels / 2595) - 1)) / rate).astype(int)
    weights = np.zeros((size // 2 + 1, count), dtype_of(output_datatype).numpy)
    for column, (left, middle, right) in enumerate(zip(points, points[1:], points[2:], strict=False)):
        if left == middle:
            weights[middle, column] = 1
        else:
            rising = np.arange(left, middle + 1)
            weights[rising, column] = (rising - left) / (middle - left)
        if right != middle:
            falling = np.arange(middle, right)
            weights[falling, column] = (right - falling) / (right - middle)
    return weights


# Random numbers ---------------------------------------------------------------------------------------------------

def _generator(seed: float | None) -> Generator | None:
    """The generator for a seed of ONNX; without one the default generator."""
    return None if seed is None else Generator(int(seed))


def _type(dtype: int | None, x: Array | None = None) -> DType:
    return dtype_of(dtype) if dtype is not None else dtypes.float32 if x is None else dtypes.as_dtype(x.dtype)


@operator("RandomNormal", random=True)
def random_normal(shape: Sequence[int] = (), dtype: int | None = None, mean: float = 0.0, scale: float = 1.0,
                  seed: float | None = None) -> Tensor:
    """Normally distributed numbers."""
    require_fair(*shape)
    return normal(shape, mean, scale, dtype=_type(dtype), generator=_generator(seed))


@operator("RandomUniform", random=True)
def random_uniform(shape: Sequence[int] = (), dtype: int | None = None, low: float = 0.0, high: float = 1.0,
                   seed: float | None = None) -> Tensor:
    """Uniformly distributed numbers."""
    require_fair(*shape)
    return uniform(shape, low, high, dtype=_type(dtype), generator=_generator(seed))


@operator("RandomNormalLike", random=True)
def random_normal_like(x: Array, dtype: int | None = None, mean: float = 0.0, scale: float = 1.0,
                       seed: float | None = None) -> Tensor:
    """Normally distributed numbers in the shape of `x`."""
    return normal(x.shape, mean, scale, dtype=_type(dtype, x), generator=_generator(seed))


@operator("RandomUniformLike", random=True)
def random_uniform_like(x: Array, dtype: int | None = None, low: float = 0.0, high: float = 1.0,
                        seed: float | None = None) -> Tensor:
    """Uniformly distributed numbers in the shape of `x`."""
    return uniform(x.shape, low, high, dtype=_type(dtype, x), generator=_generator(seed))


@operator("Bernoulli", random=True)
def random_bernoulli(x: Array, dtype: int | None = None, seed: float | None = None) -> Tensor:
    """1 with the probabilities in `x`, else 0."""
    return cast(bernoulli(as_value(x), generator=_generator(seed)), _type(dtype, x))


@operator("Multinomial", random=True)
def multinomial(x: Array, dtype: int = 6, sample_size: int = 1, seed: float | None = None) -> Tensor:
    """Classes drawn by their logarithmic probabilities, in the rows of `x`."""
    logits = as_value(x)[:, None, :]
    require_fair(*x.shape, sample_size)
    drawn = categorical(logits, (logits.shape[0], sample_size), generator=_generator(seed))
    return cast(drawn, dtype_of(dtype))


@operator("Dropout", since=1, random=True)
def dropout(x: Array, ratio: Any = 0.5, training_mode: Any = None, seed: float | None = None, is_test: int = 1,
            outputs: int = 1) -> tuple[Tensor, ...]:
    """`x`; where training is an input that holds, with elements replaced by 0."""
    x = as_value(x)
    rate = 0.5 if ratio is None else float(number(ratio))
    if training_mode is None or not bool(number(training_mode)) or rate == 0:
        return (x, full(x.shape, True)) if outputs > 1 else (x,)
    dropped = less(uniform(x.shape, generator=_generator(seed)), rate)
    y = where(dropped, as_value(np.zeros((), x.dtype.numpy)), multiply(x, 1 / (1 - rate)))
    return y, logical_not(dropped)
