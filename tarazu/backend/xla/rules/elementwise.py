"""Elementwise primitives. `jax.lax` does not broadcast, and `jax.numpy` does as the user's settings of JAX allow; so
each row here broadcasts by itself."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from tarazu.backend.xla.precision import in_single
from tarazu.backend.xla.rules import special
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.op import Op

Row = Callable[..., Any]


def broadcast_to(x: Array, shape: tuple[int, ...]) -> Array:
    """`x` with its axes aligned at the right of `shape`."""
    if x.shape == shape:
        return x
    kept = tuple(range(len(shape) - x.ndim, len(shape)))
    return lax.broadcast_in_dim(x, shape, kept)


def broadcasting(row: Row) -> Row:
    @functools.wraps(row)
    def run(*arrays: Array) -> Array:
        shape = jnp.broadcast_shapes(*(x.shape for x in arrays))
        return row(*(broadcast_to(x, shape) for x in arrays))
    return run


def _arithmetic(row: Row) -> Row:
    return in_single(broadcasting(row))


def absolute(x: Array) -> Array:
    return x if jnp.issubdtype(x.dtype, jnp.unsignedinteger) else lax.abs(x)


def sign(x: Array) -> Array:
    return jnp.where(x == 0, jnp.zeros_like(x), lax.sign(x))  # XLA keeps the sign of a zero


def by_parts(row: Row) -> Row:
    """A function of real numbers, of the two parts of a complex one."""
    def run(x: Array) -> Array:
        if jnp.iscomplexobj(x):
            return lax.complex(row(lax.real(x)), row(lax.imag(x)))
        return row(x)
    return run


def trunc(x: Array) -> Array:
    return lax.select(x < 0, lax.ceil(x), lax.floor(x))


def shift_right(x: Array, y: Array) -> Array:
    is_unsigned = jnp.issubdtype(x.dtype, jnp.unsignedinteger)
    return (lax.shift_right_logical if is_unsigned else lax.shift_right_arithmetic)(x, y)


def cast(x: Array, dtype: DType) -> Array:
    if dtype.kind == "bool":
        return x != 0
    if dtype.kind != "complex" and jnp.iscomplexobj(x):
        x = lax.real(x)
    if dtype.kind == "uint" and jnp.issubdtype(x.dtype, jnp.floating):
        x = x.astype(jnp.int64)  # negative numbers wrap, as in NumPy; XLA makes 0 of them
    return x.astype(dtype.numpy)


def bitcast(x: Array, dtype: DType) -> Array:
    """XLA has no complex numbers here; the bits of complex64 are those of two words, the real part the lower one."""
    if jnp.iscomplexobj(x):
        if dtype.kind == "complex":
            return x
        real, imag = (lax.bitcast_convert_type(part, jnp.uint32).astype(jnp.uint64)
                      for part in (lax.real(x), lax.imag(x)))
        x = real | imag << 32
    if dtype.kind != "complex":
        return lax.bitcast_convert_type(x, dtype.numpy)
    words = lax.bitcast_convert_type(x, jnp.uint64)
    return lax.complex(*(lax.bitcast_convert_type(word.astype(jnp.uint32), jnp.float32)
                         for word in (words, words >> 32)))


_IN_LAX: dict[Op, Row] = {
    ops.NEG: lax.neg, ops.FLOOR: lax.floor, ops.CEIL: lax.ceil, ops.SQRT: lax.sqrt, ops.EXP: lax.exp, ops.LOG: lax.log,
    ops.LOG1P: lax.log1p, ops.SIN: lax.sin, ops.COS: lax.cos, ops.TAN: lax.tan, ops.ASIN: lax.asin,
    ops.ACOS: lax.acos, ops.ATAN: lax.atan, ops.SINH: lax.sinh, ops.COSH: lax.cosh, ops.TANH: lax.tanh,
    ops.ASINH: lax.asinh, ops.ACOSH: lax.acosh, ops.ATANH: lax.atanh, ops.SIGMOID: lax.logistic, ops.ERF: lax.erf,
    ops.NOT: lax.bitwise_not, ops.CONJ: lax.conj, ops.IMAG: lax.imag, ops.ADD: lax.add, ops.SUB: lax.sub,
    ops.MUL: lax.mul, ops.DIV: lax.div, ops.ATAN2: lax.atan2, ops.MAXIMUM: lax.max, ops.MINIMUM: lax.min,
    ops.EQUAL: lax.eq, ops.NOT_EQUAL: lax.ne, ops.LESS: lax.lt, ops.LESS_EQUAL: lax.le, ops.GREATER: lax.gt,
    ops.GREATER_EQUAL: lax.ge, ops.AND: lax.bitwise_and, ops.OR: lax.bitwise_or, ops.XOR: lax.bitwise_xor,
    ops.SHIFT_LEFT: lax.shift_left, ops.EXPM1: lax.expm1, ops.LGAMMA: lax.lgamma,
}
_WRITTEN_HERE: dict[Op, Row] = {
    ops.ABS: absolute,
    ops.SIGN: sign,
    ops.ROUND: by_parts(lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)),
    ops.TRUNC: trunc,
    ops.FLOOR_DIVIDE: special.floor_divide,
    ops.REMAINDER: special.remainder,
    ops.POW: special.power,
    ops.SHIFT_RIGHT: shift_right,
}
ROWS: dict[Op, Row] = {
    **{op: _arithmetic(row) for op, row in (_IN_LAX | _WRITTEN_HERE).items()},
    ops.POLYGAMMA: special.polygamma,
    ops.WHERE: broadcasting(lax.select),
    ops.CAST: cast,
    ops.BITCAST: bitcast,
    ops.STOP_GRADIENT: lambda x: x,
}
