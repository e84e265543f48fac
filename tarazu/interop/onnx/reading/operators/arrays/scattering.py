"""Operators that put elements into arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.interop.onnx.reading.operators.arrays.indices import places, rows_key
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, known
from tarazu.ops import shape as shapes
from tarazu.ops.create import arange
from tarazu.ops.elementwise import add, remainder
from tarazu.ops.indexing.index import scatter_add, scatter_set
from tarazu.ops.promote import as_value, cast
from tarazu.runtime.tensor.tensor import Tensor

JOINED: dict[str, Callable[..., None]] = {"mul": np.multiply.at, "max": np.maximum.at, "min": np.minimum.at}


@operator("Scatter", "ScatterElements")
def scatter_elements(data: Array, indices: Array, updates: Array, axis: int = 0, reduction: str = "none") -> Tensor:
    """`data` with elements replaced by, or joined with, updates at indices along an axis."""
    chosen = as_value(indices)
    return put(data, places(chosen, axis % len(data.shape)), updates, reduction)


@operator("ScatterND")
def scatter_nd(data: Array, indices: Array, updates: Array, reduction: str = "none") -> Tensor:
    """`data` with slices replaced by, or joined with, updates, each at the indices in a row."""
    return put(data, rows_key(as_value(indices), 0), updates, reduction)


def put(data: Array, key: tuple[Any, ...], updates: Array, reduction: str) -> Tensor:
    """`data` with updates at the indices of a key for its first axes."""
    data, updates = as_value(data), as_value(updates)
    if reduction in ("none", "add"):
        scatter = scatter_set if reduction == "none" else scatter_add
        return scatter(data, cast(updates, data.dtype), key, tuple(range(len(key))))
    if reduction not in JOINED:
        raise ArgumentError(f"a scatter with reduction={reduction!r}", expected='"none", "add", "mul", "max" or "min"',
                            fix="export the model again")
    joined = known(data).copy()
    JOINED[reduction](joined, tuple(known(part) for part in key), known(updates))
    return as_value(joined)


@operator("TensorScatter")
def tensor_scatter(cache: Array, update: Array, write_indices: Any = None, axis: int = -2,
                   mode: str = "linear") -> Tensor:
    """A cache with an update along an axis, from the step that is written next in each sample; it may go round."""
    cache, update = as_value(cache), as_value(update)
    axis %= len(cache.shape)
    moved, rows = shapes.moveaxis(cache, axis, 1), shapes.moveaxis(update, axis, 1)
    batch, steps = rows.shape[:2]
    first = as_value(np.zeros(batch, np.int64) if write_indices is None else write_indices)
    at = add(shapes.expand_dims(first, 1), arange(steps))
    at = remainder(at, moved.shape[1]) if mode == "circular" else at
    written = scatter_set(moved, rows, (shapes.expand_dims(arange(batch), 1), at), (0, 1))
    return shapes.moveaxis(written, 1, axis)
