"""ATen's tensors from numbers, and random ones by Tarazu's generator."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.base.dtypes import DType, bool_, float32, int64
from tarazu.interop.imported import Operation
from tarazu.ops.create import arange, eye, full
from tarazu.ops.elementwise import astype, greater_equal, log
from tarazu.ops.typing import Tensor
from tarazu.runtime.random import distributions
from tarazu.runtime.random.choice import permutation


def _dtype_of(value: float) -> DType:
    return bool_ if isinstance(value, bool) else int64 if isinstance(value, int) else float32


def _arange(start: float, end: float, step: float = 1, dtype: DType | None = None) -> Tensor:
    if dtype is None:
        dtype = float32 if any(isinstance(x, float) for x in (start, end, step)) else int64
    return arange(start, end, step, dtype=dtype)


def _full(sizes: Sequence[int], value: float, dtype: DType | None = None) -> Tensor:
    return full(tuple(sizes), value, dtype=dtype or _dtype_of(value))


def _full_like(x: Tensor, value: float, dtype: DType | None = None) -> Tensor:
    return full(x.shape, value, dtype=dtype or x.dtype)


def _scalar(value: float, dtype: DType | None = None) -> Tensor:
    return _full((), value, dtype or float32)


def _constant(value: float) -> Operation:
    """Tensors of one number, whose shape is given."""
    return lambda sizes, *strides, dtype=None: _full(sizes, value, dtype or float32)


def _alike(value: float) -> Operation:
    return lambda x, dtype=None: _full_like(x, value, dtype)


def _uniform(sizes: Sequence[int], dtype: DType | None = None) -> Tensor:
    return distributions.uniform(tuple(sizes), dtype=dtype or float32)


def _normal(sizes: Sequence[int], dtype: DType | None = None) -> Tensor:
    return distributions.normal(tuple(sizes), dtype=dtype or float32)


def _dropout(x: Tensor, rate: float, training: bool | None = True) -> tuple[Tensor, Tensor]:
    """The thinned tensor and which elements are left."""
    if not training or rate == 0:
        return x, _full_like(x, True, bool_)
    if rate == 1:
        return x * 0, _full_like(x, False, bool_)
    kept = greater_equal(distributions.uniform(x.shape), rate)
    return x * kept / (1 - rate), kept


def _coins(x: Tensor, probability: float | None = None) -> Tensor:
    """1 or 0 in each place, by one probability or by those in `x`."""
    return astype(distributions.bernoulli(x if probability is None else probability, x.shape), x.dtype)


def _exponential(x: Tensor, rate: float = 1.0) -> Tensor:
    return -log(1 - distributions.uniform(x.shape, dtype=x.dtype)) / rate


TABLE: dict[str, Operation] = {
    "arange.start_step": _arange, "arange.start": _arange, "arange": lambda end, dtype=None: _arange(0, end, 1, dtype),
    "full": _full, "full_like": _full_like, "scalar_tensor": _scalar, "zeros": _constant(0), "ones": _constant(1),
    "empty": _constant(0), "empty_strided": _constant(0),
    "empty_permuted": _constant(0), "zeros_like": _alike(0), "ones_like": _alike(1),
    "empty_like": _alike(0), "new_zeros": lambda x, sizes, dtype=None: _full(sizes, 0, dtype or x.dtype),
    "new_ones": lambda x, sizes, dtype=None: _full(sizes, 1, dtype or x.dtype),
    "new_empty": lambda x, sizes, dtype=None: _full(sizes, 0, dtype or x.dtype),
    "new_full": lambda x, sizes, value, dtype=None: _full(sizes, value, dtype or x.dtype),
    "eye": lambda n, dtype=None: eye(n, dtype=dtype or float32),
    "eye.m": lambda n, m, dtype=None: eye(n, m, dtype=dtype or float32),
    "rand": _uniform, "randn": _normal, "rand_like": lambda x, dtype=None: _uniform(x.shape, dtype or x.dtype),
    "randn_like": lambda x, dtype=None: _normal(x.shape, dtype or x.dtype),
    "randperm": lambda n, dtype=None: permutation(n), "native_dropout": _dropout,
    "bernoulli": _coins, "exponential": _exponential,
    "uniform": lambda x, low=0.0, high=1.0: distributions.uniform(x.shape, low, high, dtype=x.dtype),
    "normal_functional": lambda x, mean=0.0, std=1.0: distributions.normal(x.shape, mean, std, dtype=x.dtype),
    "dropout": lambda x, rate, training: _dropout(x, rate, training)[0],
}
