"""ATen's reductions, running results, softmax and sorting; norms of vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base.dtypes import DType
from tarazu.interop.imported import Operation
from tarazu.ops import reduce as ops
from tarazu.ops.elementwise import abs as magnitude
from tarazu.ops.elementwise import astype, not_equal, pow, sqrt, square
from tarazu.ops.indexing import sorting
from tarazu.ops.indexing.index import take_along_axis
from tarazu.ops.networks.softmax import log_softmax, softmax
from tarazu.ops.shape import squeeze
from tarazu.ops.statistics.running import cummax, cummin, logcumsumexp
from tarazu.ops.typing import Tensor

Dims = int | Sequence[int] | None


def _axes(dims: Dims) -> int | tuple[int, ...] | None:
    """No axes mean all of them, as in torch."""
    return dims if isinstance(dims, int) else (tuple(dims) or None) if dims is not None else None


def _cast(x: Tensor, dtype: DType | None) -> Tensor:
    return x if dtype is None else astype(x, dtype, copy=False)


def _plain(function: Operation) -> Operation:
    """A reduction with torch's arguments."""
    def reduced(x: Tensor, dims: Dims = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
        return function(_cast(x, dtype), _axes(dims), keepdims=keepdim)

    return reduced


def _with_place(extreme: Operation, place: Operation) -> Operation:
    """The extreme along an axis and where the first one is, which alone takes the gradient."""
    def reduced(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
        if not x.shape:
            return x, place(x)
        places = place(x, dim, keepdims=True)
        values = take_along_axis(x, places, dim)
        return (values, places) if keepdim else (squeeze(values, dim), squeeze(places, dim))

    return reduced


def _place(function: Operation) -> Operation:
    def found(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return function(x, dim, keepdims=keepdim)

    return found


def _correction(correction: float | bool | None) -> float:
    return 1 if correction is None else float(correction)


def _variance(x: Tensor, dims: Dims = None, correction: float | None = None, keepdim: bool = False) -> Tensor:
    return ops.var(x, _axes(dims), correction=_correction(correction), keepdims=keepdim)


def _deviation(x: Tensor, dims: Dims = None, correction: float | None = None, keepdim: bool = False) -> Tensor:
    return ops.std(x, _axes(dims), correction=_correction(correction), keepdims=keepdim)


def _variance_and_mean(x: Tensor, dims: Dims = None, correction: float | None = None, keepdim: bool = False
                       ) -> tuple[Tensor, Tensor]:
    return _variance(x, dims, correction, keepdim), ops.mean(x, _axes(dims), keepdims=keepdim)


def _running(function: Operation) -> Operation:
    def summed(x: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
        return function(_cast(x, dtype), dim) if x.shape else _cast(x, dtype)

    return summed


def _vector_norm(x: Tensor, order: float = 2, dims: Dims = None, keepdim: bool = False, dtype: DType | None = None
                 ) -> Tensor:
    x, axes = _cast(x, dtype), _axes(dims)
    if order == 2:
        return sqrt(ops.sum(square(x), axes, keepdims=keepdim))
    if abs(order) == math.inf:
        return (ops.max if order > 0 else ops.min)(magnitude(x), axes, keepdims=keepdim)
    if order == 0:
        return ops.sum(astype(not_equal(x, 0), x.dtype), axes, keepdims=keepdim)
    total = ops.sum(magnitude(x) if order == 1 else pow(magnitude(x), order), axes, keepdims=keepdim)
    return total if order == 1 else pow(total, 1 / order)


def _softmax(function: Operation) -> Operation:
    def softened(x: Tensor, dim: int, dtype: DType | bool | None = None) -> Tensor:
        return function(_cast(x, dtype if isinstance(dtype, DType) else None), dim)

    return softened


def _topk(x: Tensor, k: int, dim: int = -1, largest: bool = True, is_sorted: bool = True) -> tuple[Tensor, Tensor]:
    if largest:
        return sorting.topk(x, k, axis=dim)
    places = sorting.topk(-x, k, axis=dim)[1]
    return take_along_axis(x, places, dim), places


def _sort(x: Tensor, dim: int = -1, descending: bool = False) -> tuple[Tensor, Tensor]:
    places = sorting.argsort(x, axis=dim, descending=descending)
    return take_along_axis(x, places, dim), places


def _kth(x: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The k-th smallest, from 1, and where it is."""
    place = (slice(None),) * (dim % len(x.shape))
    rank = slice(k - 1, k) if keepdim else k - 1
    values, places = _sort(x, dim)
    return values[(*place, rank)], places[(*place, rank)]


def _median(x: Tensor, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Of two in the middle the smaller, as in torch."""
    return _kth(x, (x.shape[dim] + 1) // 2, dim, keepdim)


def _stable_sort(x: Tensor, stable: bool | None = None, dim: int = -1, descending: bool = False
                 ) -> tuple[Tensor, Tensor]:
    return _sort(x, dim, descending)


def _argsort(x: Tensor, dim: int = -1, descending: bool = False) -> Tensor:
    return sorting.argsort(x, axis=dim, descending=descending)


TABLE: dict[str, Operation] = {
    "sum": lambda x, dtype=None: ops.sum(_cast(x, dtype)), "sum.dim_IntList": _plain(ops.sum),
    "mean": lambda x, dtype=None: ops.mean(_cast(x, dtype)), "mean.dim": _plain(ops.mean),
    "prod": lambda x, dtype=None: ops.prod(_cast(x, dtype)), "prod.dim_int": _plain(ops.prod),
    "amax": _plain(ops.max), "amin": _plain(ops.min), "max": ops.max, "min": ops.min,
    "max.dim": _with_place(ops.max, ops.argmax), "min.dim": _with_place(ops.min, ops.argmin),
    "argmax": _place(ops.argmax), "argmin": _place(ops.argmin),
    "any": ops.any, "any.dim": _plain(ops.any), "any.dims": _plain(ops.any), "all": ops.all, "all.dim": _plain(ops.all),
    "all.dims": _plain(ops.all), "logsumexp": _plain(ops.logsumexp),
    "var.correction": _variance, "std.correction": _deviation, "var_mean.correction": _variance_and_mean,
    "var.dim": _variance, "std.dim": _deviation,
    "var": lambda x, unbiased=True: _variance(x, None, unbiased),
    "std": lambda x, unbiased=True: _deviation(x, None, unbiased),
    "cumsum": _running(ops.cumulative_sum), "cumprod": _running(ops.cumulative_prod),
    "logcumsumexp": _running(logcumsumexp), "cummax": cummax, "cummin": cummin,
    "linalg_vector_norm": _vector_norm,
    "softmax.int": _softmax(softmax), "_softmax": _softmax(softmax), "log_softmax.int": _softmax(log_softmax),
    "_log_softmax": _softmax(log_softmax),
    "topk": _topk, "kthvalue": _kth, "median.dim": _median,
    "sort": _sort, "sort.stable": _stable_sort, "argsort": _argsort,
}
