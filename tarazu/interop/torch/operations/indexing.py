"""ATen's elements by position: embeddings, gathering and scattering."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base.dtypes import bool_
from tarazu.interop.imported import Operation
from tarazu.ops.create import one_hot
from tarazu.ops.elementwise import astype, equal, stop_gradient, where
from tarazu.ops.indexing import scatter as ops
from tarazu.ops.indexing.index import getitem, scatter_add, setitem, take, take_along_axis
from tarazu.ops.indexing.searching import isin, nonzero, searchsorted
from tarazu.ops.networks.embedding import embedding
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import cumulative_sum
from tarazu.ops.shape import broadcast_to, expand_dims, moveaxis, reshape, stack
from tarazu.ops.statistics.counts import bucketize
from tarazu.ops.typing import ArrayLike, Tensor

Indices = Sequence[Tensor | None]
REDUCTIONS = {"sum": "sum", "prod": "prod", "mean": "mean", "amax": "amax", "amin": "amin", "add": "sum",
              "multiply": "prod"}


def _embedding(table: Tensor, indices: Tensor, padding: int = -1, by_frequency: bool = False, sparse: bool = False
               ) -> Tensor:
    found = embedding(indices, table)
    if padding < 0:
        return found
    return where(expand_dims(equal(indices, padding), -1), stop_gradient(found), found)  # that row learns nothing


def _key(indices: Indices) -> tuple[slice | Tensor, ...]:
    return tuple(slice(None) if index is None else index for index in indices)


def _index(x: Tensor, indices: Indices) -> Tensor:
    return getitem(x, _key(indices))


def _index_put(x: Tensor, indices: Indices, values: Tensor, accumulate: bool = False) -> Tensor:
    values = astype(values, x.dtype, copy=False)
    axes = tuple(axis for axis, index in enumerate(indices) if index is not None)
    given = [index for index in indices if index is not None]
    if len(given) == 1 and given[0].dtype is bool_ and not values.shape:
        return _set_where(x, given[0], axes[0], values, accumulate)
    if not accumulate:
        return setitem(x, _key(indices), values)
    shape = _shape_of(x, indices)
    count = len(as_value(sum(given)).shape)
    updates = broadcast_to(values, shape)
    if axes[0] and axes == tuple(range(axes[0], axes[-1] + 1)):  # torch leaves the axes of indices side by side there
        updates = moveaxis(updates, tuple(range(axes[0], axes[0] + count)), tuple(range(count)))
    return scatter_add(x, updates, given, axes)


def _set_where(x: Tensor, mask: Tensor, axis: int, value: Tensor, accumulate: bool) -> Tensor:
    """One number for all elements of a mask, whose count need not be known."""
    wide = reshape(mask, tuple(mask.shape) + (1,) * (len(x.shape) - axis - len(mask.shape)))
    return where(wide, x + value if accumulate else value, x)


def _shape_of(x: Tensor, indices: Indices) -> tuple[int, ...]:
    return tuple(_index(stop_gradient(x), indices).shape)


def _gather(x: Tensor, dim: int, index: Tensor, sparse: bool = False) -> Tensor:
    """torch's index may be shorter than `x` along the other axes."""
    if not x.shape:
        return x if not index.shape else broadcast_to(x, index.shape)
    axis = dim % len(x.shape)
    return take_along_axis(_cut(x, index, axis), index, axis)


def _cut(x: Tensor, index: Tensor, axis: int) -> Tensor:
    key = tuple(slice(None) if i == axis else slice(0, size) for i, size in enumerate(index.shape))
    return x if tuple(x.shape) == tuple(index.shape) else getitem(x, key)


def _scatter(x: Tensor, dim: int, index: Tensor, values: ArrayLike, reduce: str | None = None) -> Tensor:
    updates = astype(broadcast_to(as_value(values), index.shape) if not as_value(values).shape
                     else _front(as_value(values), index), x.dtype, copy=False)
    if reduce is None:
        return ops.scatter(x, dim, index, updates)
    return ops.scatter_reduce(x, dim, index, updates, REDUCTIONS[reduce])


def _front(values: Tensor, index: Tensor) -> Tensor:
    """torch reads as many elements of the source as there are indices."""
    if tuple(values.shape) == tuple(index.shape):
        return values
    return getitem(values, tuple(slice(0, size) for size in index.shape))


def _scatter_reduce(x: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, include_self: bool = True
                    ) -> Tensor:
    return ops.scatter_reduce(x, dim, index, _front(source, index), REDUCTIONS[reduce], include_self=include_self)


def _masked_scatter(x: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The elements of the mask replaced by those of the source, in order."""
    mask = broadcast_to(mask, x.shape)
    order = cumulative_sum(astype(reshape(mask, (-1,)), "int64"), 0) - 1
    values = take(reshape(source, (-1,)), where(reshape(mask, (-1,)), order, 0))
    return where(mask, reshape(values, x.shape), x)


def _index_select(x: Tensor, dim: int, index: Tensor) -> Tensor:
    return take(x, index, axis=dim) if x.shape else x


def _index_add(x: Tensor, dim: int, index: Tensor, source: Tensor, alpha: float = 1) -> Tensor:
    return ops.index_add(x, dim, index, source, alpha=alpha)


def _index_fill(x: Tensor, dim: int, index: Tensor, value: ArrayLike) -> Tensor:
    return ops.index_fill(x, dim, index, value)


def _nonzero(x: Tensor) -> Tensor:
    return stack(nonzero(x), -1)


def _searchsorted(ordered: Tensor, values: Tensor, out_int32: bool = False, right: bool = False,
                  side: str | None = None, sorter: Tensor | None = None) -> Tensor:
    return searchsorted(ordered, values, side=side or ("right" if right else "left"), sorter=sorter)


def _take(x: Tensor, index: Tensor) -> Tensor:
    return take(reshape(x, (math.prod(x.shape),)), index)


TABLE: dict[str, Operation] = {
    "embedding": _embedding, "index.Tensor": _index, "index_put": _index_put, "_unsafe_index": _index,
    "_unsafe_index_put": _index_put, "index_select": _index_select, "index_add": _index_add,
    "index_copy": ops.index_copy, "index_fill.int_Scalar": _index_fill, "index_fill.int_Tensor": _index_fill,
    "gather": _gather, "scatter": _scatter,
    "scatter_add": lambda x, dim, index, source: _scatter_reduce(x, dim, index, source, "sum"),
    "scatter_reduce.two": _scatter_reduce, "masked_scatter": _masked_scatter,
    "nonzero": _nonzero, "isin.Tensor_Tensor": lambda x, values, assume_unique=False, invert=False: isin(
        x, values, invert=invert),
    "bucketize.Tensor": lambda x, boundaries, out_int32=False, right=False: bucketize(x, boundaries, right=right),
    "searchsorted.Tensor": _searchsorted, "take": _take,
    "one_hot": lambda x, count=-1: one_hot(x, count, dtype="int64"),
}
