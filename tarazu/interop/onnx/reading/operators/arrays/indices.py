"""Operators that pick elements: by index, by size, by whether they count."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.base.errors import ArgumentError
from tarazu.interop.onnx.reading.bounds import require_fair
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, integers, known, number
from tarazu.ops import shape as shapes
from tarazu.ops.create import arange
from tarazu.ops.elementwise import add, equal, less, where
from tarazu.ops.indexing.index import take, take_along_axis
from tarazu.ops.indexing.sorting import argsort
from tarazu.ops.promote import as_value, cast
from tarazu.ops.reduce import argmax, argmin
from tarazu.runtime.tensor.tensor import Tensor


@operator("Gather")
def gather(data: Array, indices: Array, axis: int = 0) -> Tensor:
    """Slices of `data` along an axis."""
    return take(data, indices, axis)


@operator("GatherElements")
def gather_elements(data: Array, indices: Array, axis: int = 0) -> Tensor:
    """Elements of `data`, each by its index along an axis; elsewhere the place is its own."""
    data, chosen = as_value(data), as_value(indices)
    axis %= len(data.shape)
    same = all(n == m for i, (n, m) in enumerate(zip(data.shape, chosen.shape, strict=True)) if i != axis)
    return take_along_axis(data, chosen, axis) if same else data[places(chosen, axis)]


def places(indices: Tensor, axis: int) -> tuple[Tensor, ...]:
    """A key: the indices along one axis, along the others the place of each index itself."""
    rank = len(indices.shape)
    return tuple(indices if i == axis else shapes.reshape(arange(size), (-1,) + (1,) * (rank - i - 1))
                 for i, size in enumerate(indices.shape))


@operator("GatherND")
def gather_nd(data: Array, indices: Array, batch_dims: int = 0) -> Tensor:
    """Slices of `data`, each at the indices in a row."""
    data, chosen = as_value(data), as_value(indices)
    return data[rows_key(chosen, batch_dims)]


def rows_key(indices: Tensor, batch_axes: int) -> tuple[Tensor, ...]:
    """A key for the indices in the last axis, after as many axes that both have."""
    rank = len(indices.shape) - 1
    batches = [shapes.reshape(arange(indices.shape[i]), (-1,) + (1,) * (rank - i - 1)) for i in range(batch_axes)]
    return (*batches, *(indices[..., i] for i in range(indices.shape[-1])))


@operator("TopK")
def top_k(x: Array, k: Any, axis: int = -1, largest: int = 1, sorted: int = 1) -> tuple[Tensor, Tensor]:
    """The `k` largest or smallest elements along an axis, and where they are."""
    x = as_value(x)
    axis %= len(x.shape)
    count = int(number(k)) if not isinstance(k, int) else k
    if not 0 <= count <= x.shape[axis]:
        raise ArgumentError(f"the largest {count} of {x.shape[axis]} elements", expected="as many as there are at most",
                            fix="pass larger inputs, or export the model again")
    order = shapes.slice_axis(argsort(x, axis=axis, descending=bool(largest)), axis, 0, count)
    return take_along_axis(x, order, axis), cast(order, dtypes.int64)


@operator("NonZero")
def non_zero(x: Array) -> np.ndarray:
    """The indices of all elements that are not 0, a row per axis."""
    return np.array(np.nonzero(np.atleast_1d(known(x))), np.int64)


@operator("Compress")
def compress(x: Array, condition: Array, axis: int | None = None) -> Tensor:
    """The slices for which the condition holds."""
    x = shapes.flatten(x) if axis is None else as_value(x)
    return take(x, np.flatnonzero(known(condition)), axis or 0)


@operator("Unique")
def unique(x: Array, axis: int | None = None, sorted: int = 1) -> tuple[np.ndarray, ...]:
    """The distinct elements or slices, where each comes first, which each element is, and how often they come."""
    values, first, inverse, counts = np.unique(known(x), return_index=True, return_inverse=True, return_counts=True,
                                               axis=axis)
    inverse = inverse.reshape(-1)
    if not sorted:
        order = np.argsort(first)
        values = np.take(values, order, axis or 0)
        first, counts, inverse = first[order], counts[order], np.argsort(order)[inverse]
    return values, first.astype(np.int64), inverse.astype(np.int64), counts.astype(np.int64)


@operator("OneHot")
def one_hot(indices: Array, depth: Any, values: Array, axis: int = -1) -> Tensor:
    """A new axis with the second value where the index is, elsewhere the first."""
    size, chosen, values = int(number(depth)), as_value(indices), as_value(values)
    require_fair(*chosen.shape, size)
    chosen = cast(chosen, dtypes.int64)
    chosen = where(less(chosen, 0), add(chosen, size), chosen)
    axis %= len(chosen.shape) + 1
    along = shapes.reshape(arange(size), (-1,) + (1,) * (len(chosen.shape) - axis))
    return where(equal(shapes.expand_dims(chosen, axis), along), values[1], values[0])


def _first_or_last(pick: Any, x: Array, axis: int, keepdims: int, select_last_index: int) -> Tensor:
    if not select_last_index:
        return cast(pick(x, axis, keepdims=bool(keepdims)), dtypes.int64)
    size = x.shape[axis]
    return size - 1 - cast(pick(shapes.flip(x, axis), axis, keepdims=bool(keepdims)), dtypes.int64)


@operator("ArgMax")
def arg_max(x: Array, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Tensor:
    """Where the largest element along an axis is."""
    return _first_or_last(argmax, x, axis, keepdims, select_last_index)


@operator("ArgMin")
def arg_min(x: Array, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Tensor:
    """Where the smallest element along an axis is."""
    return _first_or_last(argmin, x, axis, keepdims, select_last_index)


@operator("Hardmax", since=13)
def hardmax(x: Array, axis: int = -1) -> Tensor:
    """1 where the first largest element along an axis is, elsewhere 0."""
    x = as_value(x)
    axis %= len(x.shape)
    along = shapes.reshape(arange(x.shape[axis]), (-1,) + (1,) * (len(x.shape) - axis - 1))
    return cast(equal(argmax(x, axis, keepdims=True), along), x.dtype)


@operator("ai.onnx.ml:ArrayFeatureExtractor")
def array_feature_extractor(x: Array, y: Array) -> Tensor:
    """Columns of `x`."""
    return take(x, integers(y), -1)
