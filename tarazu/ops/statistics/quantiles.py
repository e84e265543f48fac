"""What a sorted axis says: medians, quantiles, percentiles, the k-th smallest element."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tarazu.base import dtypes
from tarazu.base.checks import flag, whole_number
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.elementwise import (
    ceil,
    clip,
    divide,
    equal,
    floor,
    isnan,
    lerp,
    logical_not,
    maximum,
    multiply,
    round,
    subtract,
    where,
)
from tarazu.ops.indexing.index import take_along_axis
from tarazu.ops.indexing.sorting import argsort, sort
from tarazu.ops.promote import as_float, as_value, cast, rounded_like, single
from tarazu.ops.reduce import sum
from tarazu.ops.shape import broadcast_to, moveaxis, normalize_axes, normalize_axis, reshape, slice_axis, squeeze
from tarazu.ops.typing import ArrayLike, Axes, Tensor

# The positions of the two neighbors of a quantile, and its share of the way between them, by method
_METHODS: dict[str, Callable[[Tensor], tuple[Tensor, Tensor, Tensor | float]]] = {
    "linear": lambda position: (floor(position), ceil(position), subtract(position, floor(position))),
    "lower": lambda position: (floor(position), floor(position), 0.0),
    "higher": lambda position: (ceil(position), ceil(position), 0.0),
    "nearest": lambda position: (round(position), round(position), 0.0),
    "midpoint": lambda position: (floor(position), ceil(position), 0.5),
}


def median(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The median over `axis`: the middle element in order, the mean of the two in the middle of an even number.

    nan if one is; integers give float32. The result has the shape of `x` without those axes; with `keepdims` they stay,
    of size 1. ShapeError where there is no element, AxisError for an axis that `x` lacks, DTypeError for complex
    numbers.

    >>> import tarazu as tz
    >>> tz.median(tz.tensor([[1.0, 9.0, 2.0], [5.0, 3.0, 4.0]]), axis=1), tz.median(tz.tensor([1.0, 2.0, 9.0, 4.0]))
    (Tensor([2., 4.], dtype=float32), Tensor(3., dtype=float32))
    """
    return quantile(x, 0.5, axis, method="midpoint", keepdims=keepdims)


def nanmedian(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The median over `axis` of the elements that are not nan; nan where there is none. Errors as in `median`.

    >>> import tarazu as tz
    >>> tz.nanmedian(tz.tensor([1.0, tz.nan, 3.0]))
    Tensor(2., dtype=float32)
    """
    return nanquantile(x, 0.5, axis, method="midpoint", keepdims=keepdims)


def quantile(x: ArrayLike, q: ArrayLike, axis: Axes = None, *, method: str = "linear",
             keepdims: bool = False) -> Tensor:
    """The number below which a share `q`, from 0 to 1, of the elements over `axis` lies; nan if an element is.

    Between two elements `method` decides: "linear" interpolates, "lower", "higher" and "nearest" take one of them,
    "midpoint" their mean. The result has the shape of `q`, then that of `x` without the axes; with `keepdims` they
    stay, of size 1. Integers give float32. ArgumentError for another method or a q below 0 or above 1 (a tensor q is
    clipped), ShapeError where there is no element, AxisError for an axis that `x` lacks, DTypeError for complex
    numbers.

    >>> import tarazu as tz
    >>> tz.quantile(tz.tensor([0.0, 10.0, 20.0]), [0.25, 0.5])
    Tensor([ 5., 10.], dtype=float32)
    """
    x, rows = _sorted_rows("quantile", x, axis)
    last = as_value(rows.shape[-1] - 1.0, dtypes.float64)
    has_nan = isnan(slice_axis(rows, len(rows.shape) - 1, rows.shape[-1] - 1, rows.shape[-1]))  # it is sorted last
    numbers = where(has_nan, math.nan, _at("quantile", rows, q, last, method))
    return _restored(numbers, q, x, axis, keepdims)


def nanquantile(x: ArrayLike, q: ArrayLike, axis: Axes = None, *, method: str = "linear",
                keepdims: bool = False) -> Tensor:
    """The quantile over `axis` of the elements that are not nan; nan where there is none. Otherwise as `quantile`.

    >>> import tarazu as tz
    >>> tz.nanquantile(tz.tensor([0.0, tz.nan, 10.0]), 0.25)
    Tensor(2.5, dtype=float32)
    """
    x, rows = _sorted_rows("nanquantile", x, axis)
    number = cast(sum(logical_not(isnan(rows)), -1, keepdims=True), dtypes.float64)
    numbers = _at("nanquantile", rows, q, maximum(subtract(number, 1), 0), method)
    return _restored(numbers, q, x, axis, keepdims)


def percentile(x: ArrayLike, q: ArrayLike, axis: Axes = None, *, method: str = "linear",
               keepdims: bool = False) -> Tensor:
    """`quantile` with `q` in percent, from 0 to 100. Shapes and errors (ArgumentError, ShapeError, ...) as there.

    >>> import tarazu as tz
    >>> tz.percentile(tz.tensor([0.0, 10.0, 20.0]), 75)
    Tensor(15., dtype=float32)
    """
    _require_between("percentile", q, 100)
    return quantile(x, divide(as_value(q, dtypes.float64), 100), axis, method=method, keepdims=keepdims)


def nanpercentile(x: ArrayLike, q: ArrayLike, axis: Axes = None, *, method: str = "linear",
                  keepdims: bool = False) -> Tensor:
    """`nanquantile` with `q` in percent, from 0 to 100. Shapes and errors (ArgumentError, ShapeError, ...) as there.

    >>> import tarazu as tz
    >>> tz.nanpercentile(tz.tensor([0.0, tz.nan, 20.0]), 75)
    Tensor(15., dtype=float32)
    """
    _require_between("nanpercentile", q, 100)
    return nanquantile(x, divide(as_value(q, dtypes.float64), 100), axis, method=method, keepdims=keepdims)


def _sorted_rows(name: str, x: ArrayLike, axis: Axes) -> tuple[Tensor, Tensor]:
    """`x` as floats, and its elements over `axis`, sorted, as one last axis."""
    x = as_float(x)
    axes = normalize_axes(axis, len(x.shape), name)
    kept = [n for i, n in enumerate(x.shape) if i not in axes]
    size = math.prod(x.shape[i] for i in axes)
    if size == 0:
        raise ShapeError(f"{name} over axis {axis} of shape {x.shape}", expected="at least one element",
                         fix="check the shape of x")
    return x, sort(reshape(moveaxis(x, axes, range(-len(axes), 0)), (*kept, size)))


def _at(name: str, rows: Tensor, q: ArrayLike, last: Tensor, method: str) -> Tensor:
    """The quantiles of sorted rows (..., n), with an axis for those in `q`, flattened; `last` is the largest index."""
    if method not in _METHODS:
        raise ArgumentError(f"{name}: method={method!r}", expected=f"one of {', '.join(_METHODS)}",
                            fix="leave it out for linear interpolation")
    _require_between(name, q, 1)
    shares = clip(reshape(cast(as_value(q, dtypes.float64), dtypes.float64), -1), 0, 1)
    low, high, weight = _METHODS[method](multiply(shares, last))
    shape = (*rows.shape[:-1], shares.shape[0])
    below, above = (single(take_along_axis(rows, broadcast_to(cast(position, dtypes.int64), shape), -1))
                    for position in (low, high))
    weight = cast(as_value(weight, dtypes.float64), below.dtype)
    return rounded_like(where(equal(below, above), below, lerp(below, above, weight)), rows)


def _require_between(name: str, q: ArrayLike, most: int) -> None:
    """ArgumentError unless the numbers in `q` are from 0 to `most`, if they are not in a tensor."""
    if not isinstance(q, Tensor):
        numbers = np.asarray(q, float)
        if not ((numbers >= 0) & (numbers <= most)).all():
            raise ArgumentError(f"{name}: q={q!r}", expected=f"numbers from 0 to {most}",
                                fix="tz.percentile takes percents, tz.quantile shares of 1")


def _restored(numbers: Tensor, q: ArrayLike, x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    """Quantiles (..., those of q) in the shape of `q`, then that of `x` without `axis`."""
    shape: Sequence[int] = numbers.shape[:-1]
    if flag("keepdims", keepdims):
        axes = normalize_axes(axis, len(x.shape), "quantile")
        shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
    return reshape(moveaxis(numbers, -1, 0), (*as_value(q).shape, *shape))


def kthvalue(x: ArrayLike, k: int, axis: int = -1, *, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """The k-th smallest element along an axis, counted from 1, and its index, as in torch; nan counts as the largest.

    ArgumentError for a `k` below 1 or above the size of the axis, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.kthvalue(tz.tensor([30, 10, 20]), 2)
    (Tensor(20, dtype=int64), Tensor(2, dtype=int64))
    """
    x = as_value(x)
    axis = normalize_axis(axis, len(x.shape), "kthvalue")
    if not 1 <= whole_number(f"kthvalue: k={k!r}", k) <= x.shape[axis]:
        raise ArgumentError(f"kthvalue: k={k} of an axis of size {x.shape[axis]}",
                            expected=f"k from 1 to {x.shape[axis]}", fix="check k against x.shape")
    indices = slice_axis(argsort(x, axis=axis), axis, k - 1, k)
    values = take_along_axis(x, indices, axis)
    return (values, indices) if flag("keepdims", keepdims) else (squeeze(values, axis), squeeze(indices, axis))
