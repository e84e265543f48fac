"""Gather and scatter. Indices that are out of range are clamped; negative ones count from the end."""

from __future__ import annotations

import math
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
IN_BOUNDS = lax.GatherScatterMode.PROMISE_IN_BOUNDS


def _clamped(index: Array, size: int) -> Array:
    """Indices from 0 to size - 1, in 32 bits where they suffice."""
    if jnp.issubdtype(index.dtype, jnp.unsignedinteger):
        largest = min(size - 1, int(jnp.iinfo(index.dtype).max))
        index = lax.min(index, jnp.full_like(index, largest))
    else:
        index = index.astype(jnp.promote_types(index.dtype, jnp.int32))
        index = lax.clamp(jnp.zeros((), index.dtype), jnp.where(index < 0, index + size, index),
                          jnp.asarray(size - 1, index.dtype))
    return index.astype(jnp.int32 if size < 2**31 else jnp.int64)


def _stacked(x: Array, indices: tuple[Array, ...], axes: Axes) -> Array:
    """The indices broadcast together and stacked along a new last axis."""
    shape = jnp.broadcast_shapes(*(index.shape for index in indices))
    clamped = [broadcast_to(_clamped(index, x.shape[axis]), shape) for index, axis in zip(indices, axes, strict=True)]
    return jnp.stack(clamped, -1) if clamped else jnp.zeros((0,), jnp.int32)


def gather(x: Array, *indices: Array, axes: Axes) -> Array:
    rest = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    lead = jnp.broadcast_shapes(*(index.shape for index in indices))
    if not math.prod((*lead, *rest)) or not x.size:  # XLA takes nothing from an empty axis
        return jnp.zeros((*lead, *rest), x.dtype)
    numbers = lax.GatherDimensionNumbers(
        offset_dims=tuple(range(len(lead), len(lead) + len(rest))), collapsed_slice_dims=tuple(sorted(axes)),
        start_index_map=tuple(axes))
    sizes = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    return lax.gather(x, _stacked(x, indices, axes), numbers, sizes, mode=IN_BOUNDS)


def _scatter_numbers(x: Array, positions: Array, axes: Axes) -> lax.ScatterDimensionNumbers:
    lead = positions.ndim - 1
    return lax.ScatterDimensionNumbers(
        update_window_dims=tuple(range(lead, lead + x.ndim - len(axes))), inserted_window_dims=tuple(sorted(axes)),
        scatter_dims_to_operand_dims=tuple(axes))


@in_single
def scatter_add(x: Array, updates: Array, *indices: Array, axes: Axes) -> Array:
    if not updates.size or not x.size:
        return x
    if x.dtype == jnp.bool_:
        counts = scatter_add(x.astype(jnp.int32), updates.astype(jnp.int32), *indices, axes=axes)
        return counts != 0
    if jnp.iscomplexobj(x):  # by parts: GPUs have no atomic addition of 128 bits
        return lax.complex(*(scatter_add(part(x), part(updates), *indices, axes=axes)
                             for part in (lax.real, lax.imag)))
    positions = _stacked(x, indices, axes)
    return lax.scatter_add(x, positions, updates, _scatter_numbers(x, positions, axes), mode=IN_BOUNDS)


def scatter_set(x: Array, updates: Array, *indices: Array, axes: Axes) -> Array:
    """Of several updates of one position the last one counts; XLA alone would take any."""
    if not updates.size or not x.size:
        return x
    positions = _stacked(x, indices, axes)
    if math.prod(positions.shape[:-1]) > 1:
        positions = _last_of_each(positions, tuple(x.shape[axis] for axis in axes))
    return lax.scatter(x, positions, updates, _scatter_numbers(x, positions, axes),
                       mode=lax.GatherScatterMode.FILL_OR_DROP)


def _last_of_each(positions: Array, sizes: tuple[int, ...]) -> Array:
    """`positions` where no later one is the same, and otherwise some that are out of range, which are dropped."""
    order = lax.reshape(counting(math.prod(positions.shape[:-1])), positions.shape[:-1])
    latest = jnp.full(sizes, -1, order.dtype)
    axes = tuple(range(len(sizes)))
    latest = lax.scatter_max(latest, positions, order, _scatter_numbers(latest, positions, axes), mode=IN_BOUNDS)
    is_latest = gather(latest, *(positions[..., axis] for axis in axes), axes=axes) == order
    return jnp.where(is_latest[..., None], positions, jnp.asarray(jnp.iinfo(positions.dtype).max, positions.dtype))


ROWS: dict[Op, Callable[..., Any]] = {
    ops.GATHER: gather,
    ops.SCATTER_ADD: scatter_add,
    ops.SCATTER_SET: scatter_set,
}
