"""How many elements there are of each kind: counts of whole numbers, bins and histograms, sets as rows of 0 and 1."""

from __future__ import annotations

import builtins

import numpy as np

from tarazu.base import dtypes
from tarazu.base.checks import flag, positive_int, whole_number
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.create import arange, full_like, one_hot
from tarazu.ops.elementwise import (
    add,
    divide,
    equal,
    greater_equal,
    lerp,
    less,
    logical_and,
    subtract,
    where,
)
from tarazu.ops.indexing.differences import diff
from tarazu.ops.indexing.key import as_indices
from tarazu.ops.indexing.searching import searchsorted
from tarazu.ops.indexing.segments import segment_sum
from tarazu.ops.promote import as_float, as_value, cast
from tarazu.ops.reduce import any, max, min, sum
from tarazu.ops.shape import reshape, slice_axis
from tarazu.ops.typing import ArrayLike, DTypeLike, Tensor


def bincount(x: ArrayLike, weights: ArrayLike | None = None, *, minlength: int = 0,
             length: int | None = None) -> Tensor:
    """How often each whole number from 0 to the largest one occurs in the vector `x`, or the sums of their weights.

    The result has at least `minlength` elements, or exactly `length`: others are then left out, and it works inside
    traced functions, where it is a TraceError otherwise. ShapeError for what is no vector or weights of another shape,
    DTypeError for what are no integers, ArgumentError for a number below 0.

    >>> import tarazu as tz
    >>> tz.bincount(tz.tensor([1, 3, 1])), tz.bincount(tz.tensor([1, 3, 1]), length=2)
    (Tensor([0, 2, 0, 1], dtype=int64), Tensor([0, 2], dtype=int64))
    """
    x = as_indices(x)
    if len(x.shape) != 1:
        raise ShapeError(f"bincount of a tensor of shape {x.shape}", expected="a vector", fix="flatten it first")
    if length is None:
        numbers = np.asarray(x)
        if numbers.size and numbers.min() < 0:
            raise ArgumentError(f"bincount: {numbers.min()} in x", expected="numbers of at least 0",
                                fix="pass length= to leave out those below 0")
        length = builtins.max(whole_number(f"bincount: minlength={minlength!r}", minlength, least=0),
                              int(numbers.max()) + 1 if numbers.size else 0)
    return _sums(x, weights, whole_number(f"bincount: length={length!r}", length, least=0))


def _sums(numbers: Tensor, weights: ArrayLike | None, length: int) -> Tensor:
    """The counts, or sums of weights, of the numbers from 0 up to but not with `length`; the others are left out."""
    is_inside = logical_and(greater_equal(numbers, 0), less(numbers, length))
    bins = where(is_inside, cast(numbers, dtypes.DEFAULT_INT), length)
    amounts = full_like(bins, 1) if weights is None else as_value(weights)
    return slice_axis(segment_sum(amounts, bins, length + 1), 0, 0, length)


def histogram(x: ArrayLike, bins: int | ArrayLike = 10, range: tuple[ArrayLike, ArrayLike] | None = None, *,
              weights: ArrayLike | None = None, density: bool = False) -> tuple[Tensor, Tensor]:
    """How many elements lie in each bin, or the sums of their weights, and the edges of the bins, one more than bins.

    `bins` is a number of equal ones from the smallest to the largest element, or over `range`; or the edges, in
    ascending order. A bin holds its lower edge, the last one both. With `density` the counts are divided by their sum
    and by the widths. ArgumentError for a number of bins below 1, ShapeError for edges that are no vector and for
    weights of another shape than `x`.

    >>> import tarazu as tz
    >>> tz.histogram(tz.tensor([1.0, 2.0, 2.5, 5.0]), bins=2)
    (Tensor([3, 1], dtype=int64), Tensor([1., 3., 5.], dtype=float32))
    """
    x = as_value(x)
    edges = _edges(x, bins, range) if isinstance(bins, int) else as_value(bins, as_float(x).dtype)
    flat, number = reshape(x, -1), edges.shape[0] - 1 if len(edges.shape) == 1 else 0
    if number < 1:
        raise ShapeError(f"histogram: edges of shape {edges.shape}", expected="a vector of at least two",
                         fix="pass a number of bins, or their edges")
    if weights is not None and as_value(weights).shape != x.shape:
        raise ShapeError(f"histogram: weights of shape {as_value(weights).shape} for shape {x.shape}",
                         expected="a weight for each element", fix="tz.broadcast_to gives them all the same")
    last = slice_axis(edges, 0, number, number + 1)
    index = where(equal(flat, last), number - 1, subtract(searchsorted(edges, flat, side="right"), 1))
    counts = _sums(index, None if weights is None else reshape(weights, -1), number)
    if flag("density", density):
        counts = divide(divide(as_float(counts), sum(counts)), diff(edges))
    return counts, edges


def _edges(x: Tensor, bins: int, range: tuple[ArrayLike, ArrayLike] | None) -> Tensor:
    """The edges of so many equal bins."""
    number = positive_int("histogram: bins", bins)
    x = as_float(x)
    low, high = (min(x), max(x)) if range is None else (cast(as_value(bound), x.dtype) for bound in range)
    is_point = equal(low, high)
    low, high = where(is_point, subtract(low, 0.5), low), where(is_point, add(high, 0.5), high)
    return lerp(low, high, cast(divide(arange(number + 1, dtype=dtypes.float64), number), x.dtype))


def bucketize(x: ArrayLike, boundaries: ArrayLike, *, right: bool = False) -> Tensor:
    """The number of the bucket of each element between ascending boundaries, in the shape of `x`, as in torch.

    Bucket i holds boundaries[i - 1] < x <= boundaries[i]; with `right`, the lower boundary instead of the upper one.
    ShapeError for boundaries that are no vector.

    >>> import tarazu as tz
    >>> tz.bucketize(tz.tensor([1, 3, 9]), tz.tensor([1, 3, 5]))
    Tensor([0, 1, 3], dtype=int64)
    """
    return searchsorted(boundaries, x, side="right" if flag("right", right) else "left")


def digitize(x: ArrayLike, bins: ArrayLike, *, right: bool = False) -> Tensor:
    """The number of the bin of each element between ascending edges, in the shape of `x`, as in NumPy and Keras.

    Bin i holds bins[i - 1] <= x < bins[i]; with `right`, the upper edge instead of the lower one. ShapeError for edges
    that are no vector.

    >>> import tarazu as tz
    >>> tz.digitize(tz.tensor([1, 3, 9]), tz.tensor([1, 3, 5]))
    Tensor([1, 2, 3], dtype=int64)
    """
    return searchsorted(bins, x, side="left" if flag("right", right) else "right")


def multi_hot(labels: ArrayLike, num_classes: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The sets of labels in the last axis, (..., n), as rows (..., num_classes) with 1 for each label in them, else 0.

    A label out of range, such as -1 to fill up rows, is left out. Dtypes and errors (DTypeError, ArgumentError) as in
    `one_hot`; ShapeError for a tensor without axes.

    >>> import tarazu as tz
    >>> tz.multi_hot(tz.tensor([[0, 2], [1, -1]]), 3)
    Tensor([[1., 0., 1.],
            [0., 1., 0.]], dtype=float32)
    """
    labels = as_value(labels)
    if not labels.shape:
        raise ShapeError("multi_hot of a tensor without axes", expected="sets of labels in the last axis",
                         fix="tz.one_hot takes single labels")
    return cast(any(one_hot(labels, num_classes, dtype="bool"), -2), as_dtype(dtype or dtypes.DEFAULT_FLOAT))
