"""The mathematical functions of the native backend are within 2 units in the last place of the exact values.

float32 is judged by NumPy in float64, float64 by NumPy in the 80 bits of x86's long double.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from row_runs import Array, compiled

from tarazu.backend.native.llvm.target import Target, host
from tarazu.backend.native.math.formulas import SINGLE
from tarazu.backend.numpy.kernels import KERNELS, sigmoid
from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.op import Op

LIMIT = 2.0
TARGETS = [host(), host("avx2"), host("sse")]
TARGET_NAMES = ["host", "avx2", "sse"]


def _log_gamma(x: float) -> float:
    if math.isnan(x) or not (x <= 0 and x == math.floor(x)):
        return math.lgamma(x)
    return math.inf


def by_element(function: Callable[[float], float]) -> Callable[[Array], Array]:
    def apply(x: Array) -> Array:
        return np.frompyfunc(function, 1, 1)(x).astype(np.float64)
    return apply


# NumPy's kernels of wider numbers, but where these have no such functions or lose digits
EXACT_OF_TWO: dict[Op, Callable[..., Array]] = {ops.POW: np.power, ops.ATAN2: np.arctan2}
EXACT: dict[Op, Callable[..., Array]] = {
    **{op: KERNELS[op] for op in ops.ALL if op.name in ("sqrt", *SINGLE) and op not in EXACT_OF_TWO},
    ops.SIGMOID: sigmoid, ops.ERF: by_element(math.erf), ops.LGAMMA: by_element(_log_gamma)}
IN_LONG_DOUBLE = [op for op in EXACT if op not in (ops.ERF, ops.LGAMMA)]


def errors(got: Array, exact: Array, dtype: DType) -> Array:
    """In units of the last place of the exact values; infinite where a special value or the sign of 0 is wrong."""
    limits, wide = np.finfo(dtype.numpy), exact.dtype.type
    with np.errstate(all="ignore"):
        size = np.abs(exact)
        exponent = np.frexp(np.where((size > 0) & np.isfinite(size), size, wide(1)))[1] - 1
        unit = np.ldexp(wide(1), np.maximum(exponent - limits.nmant, limits.minexp - limits.nmant))
        found = (np.abs(got.astype(wide) - exact) / unit).astype(np.float64)
        rounded = exact.astype(dtype.numpy)
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    found = np.where(same & ~np.isfinite(rounded), 0, np.where(np.isnan(found), np.inf, found))
    return np.where((exact == 0) & (np.signbit(got) != np.signbit(rounded)), np.inf, found)


def assert_close(op: Op, dtype: DType, inputs: tuple[Array, ...], target: Target) -> None:
    wide = np.float64 if dtype is dtypes.float32 else np.longdouble
    with np.errstate(all="ignore"):
        exact = np.asarray({**EXACT, **EXACT_OF_TWO}[op](*(x.astype(wide) for x in inputs)))
    got = compiled(op, [dtype] * len(inputs), dtype, target=target)(*inputs)
    found = errors(got, exact, dtype)
    worst = int(np.argmax(found))
    place = [x[worst] for x in inputs]
    assert found[worst] <= LIMIT, f"{op.name}{place}: {got[worst]}, exact {exact[worst]}, {found[worst]:.2f} units off"


def patterns(start: int, step: int, stop: int = 2**32) -> Array:
    """float32 numbers by their bit patterns."""
    return np.arange(start, stop, step, dtype=np.int64).astype(np.uint32).view(np.float32)


@functools.cache
def sample(dtype: DType) -> Array:
    """Numbers of all sizes, more of them where functions bend."""
    draw = np.random.default_rng(4)
    if dtype is dtypes.float32:
        spread = patterns(0, 28_661)
    else:
        spread = draw.integers(0, 2**64, 50_000, np.uint64).view(np.float64)
    dense = [draw.normal(size=40_000) * scale for scale in (0.5, 3, 50)] + [1 + draw.normal(size=10_000) * 0.01]
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, -0.5, 1e-40, -1e-40]
    with np.errstate(all="ignore"):
        return np.concatenate([spread, *dense, special]).astype(dtype.numpy)


def sample_of_pairs() -> tuple[Array, Array]:
    draw = np.random.default_rng(5)
    any_bits = draw.integers(0, 2**32, (2, 50_000), np.uint32).view(np.float32)
    moderate = (draw.normal(size=(2, 80_000)) * [[2], [20]]).astype(np.float32)
    whole = np.stack([draw.normal(size=20_000) * 3, draw.integers(-30, 30, 20_000)]).astype(np.float32)
    near_one = np.stack([1 + draw.normal(size=20_000) * 1e-3, draw.normal(size=20_000) * 1e4]).astype(np.float32)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, 2, 3, -3, 1e-40], np.float32)
    grid = np.stack([x.ravel() for x in np.meshgrid(special, special)])
    with np.errstate(all="ignore"):
        first, second = np.concatenate([any_bits, moderate, whole, near_one, grid], axis=1)
    return first, second


@pytest.mark.parametrize("target", TARGETS, ids=TARGET_NAMES)
@pytest.mark.parametrize("op", EXACT, ids=lambda op: op.name)
def test_functions_of_float32(op: Op, target: Target) -> None:
    values = sample(dtypes.float32)
    assert_close(op, dtypes.float32, (values[::5] if op in (ops.ERF, ops.LGAMMA) else values,), target)


@pytest.mark.parametrize("target", TARGETS, ids=TARGET_NAMES)
@pytest.mark.parametrize("op", EXACT_OF_TWO, ids=lambda op: op.name)
def test_functions_of_two_float32(op: Op, target: Target) -> None:
    assert_close(op, dtypes.float32, sample_of_pairs(), target)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double here")
@pytest.mark.parametrize("target", TARGETS, ids=TARGET_NAMES)
@pytest.mark.parametrize("op", IN_LONG_DOUBLE, ids=lambda op: op.name)
def test_functions_of_float64(op: Op, target: Target) -> None:
    assert_close(op, dtypes.float64, (sample(dtypes.float64),), target)


@pytest.mark.parametrize("name", ["erf", "lgamma", "pow", "atan2"])
def test_functions_of_float64_that_are_the_c_librarys(name: str) -> None:
    op = getattr(ops, name.upper())
    exact = getattr(math, name)
    values = np.random.default_rng(6).gamma(2, 2, (2, 500)) if name in ("pow", "atan2") else (np.arange(1, 500) / 7,)
    got = compiled(op, [dtypes.float64] * len(values), dtypes.float64)(*values)
    np.testing.assert_allclose(got, [exact(*x) for x in zip(*values, strict=True)], rtol=1e-14, atol=1e-15)


def blocks(step: int) -> Iterator[Array]:
    size = 2**24 * step
    for start in range(0, 2**32, size):
        yield patterns(start, step, start + size)


@pytest.mark.long
@pytest.mark.parametrize("op", EXACT, ids=lambda op: op.name)
def test_every_float32(op: Op) -> None:
    for values in blocks(50 if op in (ops.ERF, ops.LGAMMA) else 1):
        assert_close(op, dtypes.float32, (values,), host())
