"""Reductions, running sums and products, and sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from tarazu.backend.xla.precision import in_single
from tarazu.backend.xla.rules.elementwise import broadcast_to
from tarazu.backend.xla.rules.shape import counting
from tarazu.ir import op as ops
from tarazu.ir.op import Op

Axes = tuple[int, ...]


def _reduction(function: Callable[..., Array]) -> Callable[..., Array]:
    def row(x: Array, axes: Axes) -> Array:
        return function(x, axis=axes) if axes else x
    return in_single(row)


def total(x: Array, axis: Axes) -> Array:
    return jnp.sum(x, axis=axis, dtype=x.dtype)


def product(x: Array, axis: Axes) -> Array:
    return jnp.prod(x, axis=axis, dtype=x.dtype)


def sort(x: Array, axis: int) -> list[Array]:
    along = [1] * x.ndim
    along[axis] = x.shape[axis]
    order = broadcast_to(lax.reshape(counting(x.shape[axis]), along), x.shape)
    values, order = lax.sort((x, order), dimension=axis, is_stable=True, num_keys=1)
    return [values, order.astype(jnp.int64)]


ROWS: dict[Op, Callable[..., Any]] = {
    ops.SUM: _reduction(total),
    ops.PROD: _reduction(product),
    ops.MAX: _reduction(jnp.max),
    ops.MIN: _reduction(jnp.min),
    ops.ANY_TRUE: _reduction(jnp.any),
    ops.ALL_TRUE: _reduction(jnp.all),
    ops.ARGMAX: lambda x, axis: lax.argmax(x, axis, jnp.int64),
    ops.ARGMIN: lambda x, axis: lax.argmin(x, axis, jnp.int64),
    ops.CUMSUM: in_single(lambda x, axis: lax.cumsum(x, axis)),
    ops.CUMPROD: in_single(lambda x, axis: lax.cumprod(x, axis)),
    ops.SORT: sort,
}
