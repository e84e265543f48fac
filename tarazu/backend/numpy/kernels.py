"""A NumPy function per primitive; program.py adds those of the control primitives, which run graphs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.backend.numpy import special
from tarazu.backend.numpy.convolution import convolution
from tarazu.backend.numpy.linalg import LINALG_KERNELS
from tarazu.backend.numpy.philox import random_bits
from tarazu.base.dtypes import DType
from tarazu.base.errors import ArgumentError, OutOfRangeError
from tarazu.ir import op as ops
from tarazu.ir.op import Op

Array = np.ndarray
Axes = tuple[int, ...]
LONG = 4096  # of more terms than these, sums of single precision are accumulated in double
SMALL = 1000  # up to so many elements the choice of a faster way takes longer than it gains
_add = np.add.reduce


def cast(x: Array, dtype: DType) -> Array:
    if x.dtype.kind == "c" and dtype.kind not in ("complex", "bool"):
        x = x.real
    return x.astype(dtype.numpy, copy=False)


def sigmoid(x: Array) -> Array:
    small = np.exp(-abs(x))  # which does not overflow
    return np.where(x < 0, small, 1) / (1 + small)


def power(x: Array, y: Array) -> Array:
    if y.dtype.kind == "i" and (y < 0).any():
        raise ArgumentError("pow: an integer to a negative power", expected="exponents of at least 0 for integers",
                            fix="make the base a float: x.astype(tz.float32) ** y")
    return np.power(x, y)


def slice_(x: Array, start: Axes, stop: Axes, step: Axes) -> Array:
    return x[tuple(map(slice, start, stop, step))]


def pad(x: Array, value: Array, low: Axes, high: Axes, interior: Axes) -> Array:
    stretched = [max(n + (n - 1) * gap, 0) for n, gap in zip(x.shape, interior, strict=True)]
    out = np.full([a + n + b for a, n, b in zip(low, stretched, high, strict=True)], value, x.dtype)
    out[tuple(slice(a, a + n, gap + 1) for a, n, gap in zip(low, stretched, interior, strict=True))] = x
    return out


def _indexed_first(x: Array, axes: Axes) -> Array:
    return np.moveaxis(x, axes, range(len(axes)))


def _in_range(kernel: Callable[..., Array]) -> Callable[..., Array]:
    @functools.wraps(kernel)
    def run(*inputs: Array, axes: Axes) -> Array:
        try:
            return kernel(*inputs, axes=axes)
        except IndexError as error:
            raise OutOfRangeError(f"{kernel.__name__}: {error}", expected="indices from -size to size - 1 of the axis",
                                  fix="check the largest index, such as labels against the number of classes") from None
    return run


@_in_range
def gather(x: Array, *indices: Array, axes: Axes) -> Array:
    return _indexed_first(x, axes)[indices]


@_in_range
def scatter_add(x: Array, updates: Array, *indices: Array, axes: Axes) -> Array:
    out = x.copy()
    np.add.at(_indexed_first(out, axes), indices, updates)
    return out


@_in_range
def scatter_set(x: Array, updates: Array, *indices: Array, axes: Axes) -> Array:
    out = x.copy()
    _indexed_first(out, axes)[indices] = updates
    return out


def reduction(ufunc: np.ufunc) -> Callable[..., Any]:
    def reduce(x: Array, axes: Axes) -> Any:
        return _over_slices(ufunc, x, axes) if _are_short(x, axes) else ufunc.reduce(x, axis=axes)
    return reduce


def _are_short(x: Array, axes: Axes) -> bool:
    """Whether reducing slice by slice is faster than NumPy's reduction, whose inner loop would be over a short axis."""
    return bool(axes) and x.size > SMALL and all(1 < x.shape[axis] <= 8 and axis < x.ndim - 1 for axis in axes)


def _over_slices(ufunc: np.ufunc, x: Array, axes: Axes) -> Array:
    for axis in sorted(axes, reverse=True):
        x = functools.reduce(ufunc, np.moveaxis(x, axis, 0))
    return x


def _is_half(x: Array) -> bool:
    """Whether the elements are of half precision, in which sums of many of them would lose too much."""
    return x.dtype.itemsize == 2 and x.dtype.kind not in "iu"


def total(x: Array, axes: Axes) -> Any:
    if not axes:
        return x  # NumPy would turn -0.0 into 0.0
    if x.size <= SMALL and x.dtype.char in "fd":
        return _add(x, axis=axes)
    if x.dtype.char in "fd" and len(axes) > 1 and _are_short(x, axes):
        return _over_slices(np.add, x, axes)
    if x.dtype.char == "f":
        if x.shape[0] <= LONG or x.ndim - 1 in axes:  # NumPy adds pairwise along the last axis
            return np.add.reduce(x, axis=axes)
        return np.add.reduce(x, axis=axes, dtype=np.float64).astype(x.dtype)
    if _is_half(x):
        return np.add.reduce(x, axis=axes, dtype=np.float32).astype(x.dtype)
    return np.add.reduce(x, axis=axes, dtype=x.dtype)


def product(x: Array, axes: Axes) -> Any:
    if not axes:
        return x
    if _is_half(x):
        return np.multiply.reduce(x, axis=axes, dtype=np.float32).astype(x.dtype)
    return np.multiply.reduce(x, axis=axes, dtype=x.dtype)


def cumulative_sum(x: Array, axis: int) -> Array:
    wide = np.float64 if x.dtype.char == "f" else np.float32 if _is_half(x) else x.dtype
    return np.cumsum(x, axis, dtype=wide).astype(x.dtype, copy=False)


def cumulative_product(x: Array, axis: int) -> Array:
    return np.cumprod(x, axis, dtype=np.float32 if _is_half(x) else x.dtype).astype(x.dtype, copy=False)


def dot(x: Array, y: Array, contract: tuple[Axes, Axes], batch: tuple[Axes, Axes]) -> Array:
    if _is_half(x):
        return dot(x.astype(np.float32), y.astype(np.float32), contract, batch).astype(x.dtype)
    if x.ndim <= 2 and y.ndim <= 2 and not batch[0] and len(contract[0]) == len(contract[1]) == 1:
        return np.dot(x if contract[0][0] == x.ndim - 1 else x.T, y if contract[1][0] == 0 else y.T)
    if any([x.shape[i] for i in axes[0]] != [y.shape[i] for i in axes[1]] for axes in (contract, batch)):
        raise ValueError("contracted sizes differ")  # the reshapes below might hide it
    free = [[axis for axis in range(side.ndim) if axis not in c + b]
            for side, c, b in zip((x, y), contract, batch, strict=True)]
    sizes = [x.shape[axis] for axis in batch[0]]
    rows, columns = [x.shape[axis] for axis in free[0]], [y.shape[axis] for axis in free[1]]
    left = x.transpose((*batch[0], *free[0], *contract[0]))
    right = y.transpose((*batch[1], *contract[1], *free[1]))
    inner = math.prod(x.shape[axis] for axis in contract[0])
    matrices = left.reshape((*sizes, math.prod(rows), inner)), right.reshape((*sizes, inner, math.prod(columns)))
    return np.matmul(*matrices).reshape((*sizes, *rows, *columns))


def fft(x: Array, axes: Axes, kind: str) -> Array:
    return np.fft.fftn(x, axes=axes) if kind == "forward" else np.fft.ifftn(x, axes=axes, norm="forward")


def sort(x: Array, axis: int) -> tuple[Array, Array]:
    keys = x if x.dtype.kind != "V" else x.astype(np.float32)  # NumPy does not know where nan of bfloat16 belong
    order = np.argsort(keys, axis=axis, kind="stable")
    return np.take_along_axis(x, order, axis), order


KERNELS: dict[Op, Callable[..., Any]] = {
    ops.NEG: np.negative,
    ops.ABS: np.abs,
    ops.SIGN: np.sign,
    ops.FLOOR: np.floor,
    ops.CEIL: np.ceil,
    ops.ROUND: np.rint,
    ops.TRUNC: np.trunc,
    ops.SQRT: np.sqrt,
    ops.EXP: np.exp,
    ops.EXPM1: special.expm1,
    ops.LOG: np.log,
    ops.LOG1P: np.log1p,
    ops.SIN: np.sin,
    ops.COS: np.cos,
    ops.TAN: np.tan,
    ops.ASIN: np.arcsin,
    ops.ACOS: np.arccos,
    ops.ATAN: np.arctan,
    ops.SINH: np.sinh,
    ops.COSH: np.cosh,
    ops.TANH: np.tanh,
    ops.ASINH: np.arcsinh,
    ops.ACOSH: np.arccosh,
    ops.ATANH: np.arctanh,
    ops.SIGMOID: sigmoid,
    ops.ERF: special.erf,
    ops.LGAMMA: special.lgamma,
    ops.POLYGAMMA: special.polygamma,
    ops.NOT: np.invert,
    ops.CONJ: np.conjugate,
    ops.IMAG: np.imag,
    ops.ADD: np.add,
    ops.SUB: np.subtract,
    ops.MUL: np.multiply,
    ops.DIV: np.divide,
    ops.FLOOR_DIVIDE: special.floor_divide,
    ops.REMAINDER: np.remainder,
    ops.POW: power,
    ops.ATAN2: np.arctan2,
    ops.MAXIMUM: np.maximum,
    ops.MINIMUM: np.minimum,
    ops.EQUAL: np.equal,
    ops.NOT_EQUAL: np.not_equal,
    ops.LESS: np.less,
    ops.LESS_EQUAL: np.less_equal,
    ops.GREATER: np.greater,
    ops.GREATER_EQUAL: np.greater_equal,
    ops.AND: np.bitwise_and,
    ops.OR: np.bitwise_or,
    ops.XOR: np.bitwise_xor,
    ops.SHIFT_LEFT: np.left_shift,
    ops.SHIFT_RIGHT: np.right_shift,
    ops.WHERE: np.where,
    ops.CAST: cast,
    ops.BITCAST: lambda x, dtype: x.view(dtype.numpy),
    ops.STOP_GRADIENT: lambda x: x,
    ops.RESHAPE: lambda x, shape: x.reshape(shape),
    ops.TRANSPOSE: lambda x, permutation: x.transpose(permutation),
    ops.BROADCAST: lambda x, shape: np.broadcast_to(x, shape),
    ops.SLICE: slice_,
    ops.PAD: pad,
    ops.CONCAT: lambda *parts, axis: np.concatenate(parts, axis),
    ops.FLIP: lambda x, axes: np.flip(x, axes),
    ops.PLACE: lambda x, where: x,
    ops.IOTA: lambda size, dtype: np.arange(size).astype(dtype.numpy),
    ops.GATHER: gather,
    ops.SCATTER_ADD: scatter_add,
    ops.SCATTER_SET: scatter_set,
    ops.SUM: total,
    ops.PROD: product,
    ops.MAX: reduction(np.maximum),
    ops.MIN: reduction(np.minimum),
    ops.ANY_TRUE: reduction(np.logical_or),
    ops.ALL_TRUE: reduction(np.logical_and),
    ops.ARGMAX: lambda x, axis: np.argmax(x, axis),
    ops.ARGMIN: lambda x, axis: np.argmin(x, axis),
    ops.CUMSUM: cumulative_sum,
    ops.CUMPROD: cumulative_product,
    ops.DOT: dot,
    ops.CONV: convolution,
    ops.FFT: fft,
    ops.SORT: sort,
    ops.RANDOM_BITS: random_bits,
    **LINALG_KERNELS,
}
