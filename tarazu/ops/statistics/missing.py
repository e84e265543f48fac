"""Reductions that leave out nan, which often marks missing numbers; integers have none.

The result has the shape of `x` without the reduced axes; with `keepdims` they stay, of size 1. AxisError for an axis
that `x` lacks, DTypeError for complex numbers where there is no order.
"""

from __future__ import annotations

import math

from tarazu.ops.elementwise import (
    abs_square,
    divide,
    equal,
    isnan,
    logical_not,
    maximum,
    sqrt,
    subtract,
    where,
)
from tarazu.ops.promote import as_float, as_value, cast, rounded_like, single
from tarazu.ops.reduce import all, argmax, argmin, cumulative_prod, cumulative_sum, max, min, prod, sum
from tarazu.ops.shape import reshape
from tarazu.ops.typing import ArrayLike, Axes, Tensor


def nansum(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The sum over `axis` of the elements that are not nan; 0 where there is none.

    >>> import tarazu as tz
    >>> tz.nansum(tz.tensor([1.0, tz.nan, 2.0]))
    Tensor(3., dtype=float32)
    """
    return sum(_without_nan(x, 0), axis, keepdims=keepdims)


def nanprod(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The product over `axis` of the elements that are not nan; 1 where there is none.

    >>> import tarazu as tz
    >>> tz.nanprod(tz.tensor([4.0, tz.nan, 2.0]))
    Tensor(8., dtype=float32)
    """
    return prod(_without_nan(x, 1), axis, keepdims=keepdims)


def nanmean(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The mean over `axis` of the elements that are not nan; nan where there is none. Integers become float32.

    >>> import tarazu as tz
    >>> tz.nanmean(tz.tensor([1.0, tz.nan, 2.0]))
    Tensor(1.5, dtype=float32)
    """
    x = as_float(x)
    wide = single(x)
    return rounded_like(divide(nansum(wide, axis, keepdims=keepdims), _count(wide, axis, keepdims)), x)


def nanvar(x: ArrayLike, axis: Axes = None, *, correction: float = 0, keepdims: bool = False) -> Tensor:
    """The variance over `axis` of the elements that are not nan, as `tz.var`; nan where there is none.

    >>> import tarazu as tz
    >>> tz.nanvar(tz.tensor([1.0, tz.nan, 3.0]))
    Tensor(1., dtype=float32)
    """
    x = as_float(x)
    wide = single(x)
    distance = subtract(_without_nan(wide, 0), nanmean(wide, axis, keepdims=True))
    squares = where(isnan(wide), 0, abs_square(where(isnan(wide), 0, distance)))
    number = _count(wide, axis, keepdims)
    return rounded_like(divide(sum(squares, axis, keepdims=keepdims), maximum(subtract(number, correction), 0)), x)


def nanstd(x: ArrayLike, axis: Axes = None, *, correction: float = 0, keepdims: bool = False) -> Tensor:
    """The root of `nanvar`; where it is 0 so is its gradient.

    >>> import tarazu as tz
    >>> tz.nanstd(tz.tensor([1.0, tz.nan, 5.0]))
    Tensor(2., dtype=float32)
    """
    x = as_float(x)
    variance = nanvar(single(x), axis, correction=correction, keepdims=keepdims)
    is_constant = equal(variance, 0)
    return rounded_like(where(is_constant, 0.0, sqrt(where(is_constant, 1.0, variance))), x)


def nanmax(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The largest element over `axis` that is not nan; nan where there is none. ShapeError for no elements at all.

    >>> import tarazu as tz
    >>> tz.nanmax(tz.tensor([[1.0, tz.nan], [tz.nan, tz.nan]]), axis=1)
    Tensor([ 1., nan], dtype=float32)
    """
    largest = max(_without_nan(x, -math.inf), axis, keepdims=keepdims)
    return _nan_where_all_are(x, axis, keepdims, largest)


def nanmin(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The smallest element over `axis` that is not nan; nan where there is none. ShapeError for no elements at all.

    >>> import tarazu as tz
    >>> tz.nanmin(tz.tensor([[1.0, tz.nan], [tz.nan, tz.nan]]), axis=1)
    Tensor([ 1., nan], dtype=float32)
    """
    smallest = min(_without_nan(x, math.inf), axis, keepdims=keepdims)
    return _nan_where_all_are(x, axis, keepdims, smallest)


def nanargmax(x: ArrayLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The index of the largest element along an axis that is not nan, as `tz.argmax`; 0 where all are nan.

    >>> import tarazu as tz
    >>> tz.nanargmax(tz.tensor([tz.nan, 1.0, 5.0]))
    Tensor(2, dtype=int64)
    """
    return argmax(_without_nan(x, -math.inf), axis, keepdims=keepdims)


def nanargmin(x: ArrayLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The index of the smallest element along an axis that is not nan, as `tz.argmin`; 0 where all are nan.

    >>> import tarazu as tz
    >>> tz.nanargmin(tz.tensor([tz.nan, 1.0, 5.0]))
    Tensor(1, dtype=int64)
    """
    return argmin(_without_nan(x, math.inf), axis, keepdims=keepdims)


def nancumsum(x: ArrayLike, axis: int | None = None) -> Tensor:
    """The sum of all elements up to each one along an axis, where nan counts as 0; without one over all in their order.

    The result has the shape of `x`, without an axis (elements,), as in NumPy. AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.nancumsum(tz.tensor([1.0, tz.nan, 2.0]))
    Tensor([1., 1., 3.], dtype=float32)
    """
    x, axis = _along(x, axis)
    return cumulative_sum(_without_nan(x, 0), axis)


def nancumprod(x: ArrayLike, axis: int | None = None) -> Tensor:
    """The product of all elements up to each one along an axis, where nan counts as 1; without one over all in order.

    The result has the shape of `x`, without an axis (elements,), as in NumPy. AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.nancumprod(tz.tensor([3.0, tz.nan, 2.0]))
    Tensor([3., 3., 6.], dtype=float32)
    """
    x, axis = _along(x, axis)
    return cumulative_prod(_without_nan(x, 1), axis)


def _along(x: ArrayLike, axis: int | None) -> tuple[Tensor, int]:
    """`x` and the axis, or without one all elements in a row."""
    x = as_value(x)
    return (reshape(x, (-1,)), 0) if axis is None else (x, axis)


def _without_nan(x: ArrayLike, value: float) -> Tensor:
    x = as_value(x)
    return where(isnan(x), value, x) if x.dtype.is_inexact else x


def _count(x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    """How many elements are not nan, in the float dtype of `x`."""
    number = sum(logical_not(isnan(x)), axis, keepdims=keepdims)
    return cast(number, abs_square(x).dtype)


def _nan_where_all_are(x: ArrayLike, axis: Axes, keepdims: bool, result: Tensor) -> Tensor:
    if not result.dtype.is_inexact:
        return result
    return where(all(isnan(x), axis, keepdims=keepdims), math.nan, result)
