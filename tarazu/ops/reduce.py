"""Many elements to one: sums, means, extremes, and running sums. `axis` is one axis, several, or None for all."""

from __future__ import annotations

import builtins
import math
from typing import Any

from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.interpreter import Value, bind
from tarazu.ir.op import Op
from tarazu.ops.elementwise import divide, exp, isfinite, log, not_equal, sqrt, square, stop_gradient, subtract
from tarazu.ops.elementwise import where as select
from tarazu.ops.promote import as_float, as_value, cast
from tarazu.ops.shape import Axes, normalise_axes, normalise_axis, reshape


def _reduce(op: Op, x: Value, axis: Axes, keepdims: bool) -> Any:
    axes = normalise_axes(axis, len(x.shape), op.name)
    return _restore(bind(op, x, axes=axes), x, axes, keepdims)


def _restore(reduced: Any, x: Value, axes: tuple[int, ...], keepdims: bool) -> Any:
    if not keepdims:
        return reduced
    return reshape(reduced, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


def _wide_enough(x: Any) -> Value:
    """Small integers and booleans become 64 bits wide, as sums of them soon need it."""
    x = as_value(x)
    if x.dtype.kind in ("bool", "int"):
        return cast(x, dtypes.DEFAULT_INT)
    return cast(x, dtypes.uint64) if x.dtype.kind == "uint" else x


def sum(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """The sum; integers and booleans are summed as 64-bit integers.

    >>> import tarazu as tz
    >>> tz.sum(tz.tensor([[1, 2], [3, 4]]), axis=0)
    Tensor([4, 6], dtype=int64)
    """
    return _reduce(ops.SUM, _wide_enough(x), axis, keepdims)


def prod(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """The product; integers and booleans are multiplied as 64-bit integers."""
    return _reduce(ops.PROD, _wide_enough(x), axis, keepdims)


def mean(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """The mean; integers become float32 first."""
    x = as_float(x)
    return divide(sum(x, axis, keepdims=keepdims), count(x, axis))


def count(x: Value, axis: Axes) -> int:
    """How many elements of `x` a reduction over `axis` takes together."""
    return math.prod(x.shape[i] for i in normalise_axes(axis, len(x.shape), "count"))


def var(x: Any, axis: Axes = None, *, correction: float = 0, keepdims: bool = False) -> Any:
    """The variance: the mean squared distance from the mean, divided by the count less `correction`."""
    x = as_float(x)
    distance = subtract(x, mean(x, axis, keepdims=True))
    return divide(sum(square(distance), axis, keepdims=keepdims), builtins.max(count(x, axis) - correction, 0))


def std(x: Any, axis: Axes = None, *, correction: float = 0, keepdims: bool = False) -> Any:
    """The standard deviation, the square root of `var`."""
    return sqrt(var(x, axis, correction=correction, keepdims=keepdims))


def max(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """The largest element; nan if one is."""
    return _reduce(ops.MAX, as_value(x), axis, keepdims)


def min(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """The smallest element; nan if one is."""
    return _reduce(ops.MIN, as_value(x), axis, keepdims)


def _truth(x: Any) -> Value:
    x = as_value(x)
    return x if x.dtype is dtypes.bool_ else not_equal(x, 0)


def any(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Whether any element is true (not 0)."""
    return _reduce(ops.ANY_TRUE, _truth(x), axis, keepdims)


def all(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Whether every element is true (not 0)."""
    return _reduce(ops.ALL_TRUE, _truth(x), axis, keepdims)


def _arg(op: Op, x: Any, axis: int | None, keepdims: bool) -> Any:
    x = as_value(x)
    if axis is None:
        flat = bind(op, reshape(x, -1), axis=0)
        return reshape(flat, (1,) * len(x.shape)) if keepdims else flat
    place = normalise_axis(axis, len(x.shape), op.name)
    return _restore(bind(op, x, axis=place), x, (place,), keepdims)


def argmax(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """The index of the largest element, the first of equal ones; without `axis`, in the flattened tensor."""
    return _arg(ops.ARGMAX, x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """The index of the smallest element, the first of equal ones; without `axis`, in the flattened tensor."""
    return _arg(ops.ARGMIN, x, axis, keepdims)


def cumulative_sum(x: Any, axis: int | None = None) -> Any:
    """The sum of all elements up to each one along an axis, which may be left out for a tensor with one axis."""
    x = _wide_enough(x)
    return bind(ops.CUMSUM, x, axis=normalise_axis(0 if axis is None and len(x.shape) == 1 else axis,  # type: ignore[arg-type]
                                                   len(x.shape), "cumulative_sum"))


def logsumexp(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) without overflow: the largest element is taken off first.

    >>> import tarazu as tz
    >>> round(tz.logsumexp(tz.tensor([1000.0, 1000.0])).item(), 2)
    1000.69
    """
    x = as_float(x)
    top = stop_gradient(max(x, axis, keepdims=True))
    top = select(isfinite(top), top, 0)
    total = log(sum(exp(subtract(x, top)), axis, keepdims=True)) + top
    axes = normalise_axes(axis, len(x.shape), "logsumexp")
    return total if keepdims else reshape(total, tuple(n for i, n in enumerate(x.shape) if i not in axes))
