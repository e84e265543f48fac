"""Many elements to one: sums, means, extremes, and running sums. `axis` is one axis, several, or None for all."""

from __future__ import annotations

import builtins
import math
from typing import Any

from tarazu.base import dtypes
from tarazu.base.dtypes import as_dtype
from tarazu.ir import op as ops
from tarazu.ir.interpreter import Value, bind, state
from tarazu.ir.op import Op
from tarazu.ops.elementwise import divide, equal, exp, isfinite, log, sqrt, square, stop_gradient, subtract, truth
from tarazu.ops.elementwise import where as select
from tarazu.ops.promote import as_float, as_value, cast, named
from tarazu.ops.shape import Axes, broadcast_to, concat, normalize_axes, normalize_axis, reshape

HALF = (dtypes.float16, dtypes.bfloat16)  # sums of many elements on the way to a mean may be beyond their range

def _reduce(op: Op, x: Value, axis: Axes, keepdims: bool) -> Any:
    axes = normalize_axes(axis, len(x.shape), op.name)
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


def _summand(x: Any, dtype: Any) -> Value:
    return _wide_enough(x) if dtype is None else cast(as_value(x), as_dtype(dtype))


def sum(x: Any, axis: Axes = None, *, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum, in `dtype` if given; else integers and booleans are summed as 64-bit integers.

    >>> import tarazu as tz
    >>> tz.sum(tz.tensor([[1, 2], [3, 4]]), axis=0)
    Tensor([4, 6], dtype=int64)
    """
    return _reduce(ops.SUM, _summand(x, dtype), axis, keepdims)


def prod(x: Any, axis: Axes = None, *, dtype: Any = None, keepdims: bool = False) -> Any:
    """The product, in `dtype` if given; else integers and booleans are multiplied as 64-bit integers."""
    return _reduce(ops.PROD, _summand(x, dtype), axis, keepdims)


def mean(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """The mean; integers become float32 first."""
    x = as_float(x)
    if x.dtype in HALF:
        return cast(mean(cast(x, dtypes.float32), axis, keepdims=keepdims), x.dtype)
    axes = normalize_axes(axis, len(x.shape), "mean")
    total = _restore(bind(ops.SUM, x, axes=axes), x, axes, keepdims)
    number = state.interpreter.constant(float(math.prod([x.shape[i] for i in axes])), x.dtype)
    return named(bind(ops.DIV, total, number), "mean")


def count(x: Value, axis: Axes) -> int:
    """How many elements of `x` a reduction over `axis` takes together."""
    return math.prod(x.shape[i] for i in normalize_axes(axis, len(x.shape), "count"))


def var(x: Any, axis: Axes = None, *, correction: float = 0, keepdims: bool = False) -> Any:
    """The variance: the mean squared distance from the mean, divided by the count less `correction`."""
    x = as_float(x)
    if x.dtype in HALF:
        return cast(var(cast(x, dtypes.float32), axis, correction=correction, keepdims=keepdims), x.dtype)
    distance = subtract(x, mean(x, axis, keepdims=True))
    total = sum(square(distance), axis, keepdims=keepdims)
    return named(divide(total, builtins.max(count(x, axis) - correction, 0)), "var")


def std(x: Any, axis: Axes = None, *, correction: float = 0, keepdims: bool = False) -> Any:
    """The standard deviation, the square root of `var`; where that is 0 so is the gradient, as in torch."""
    spread = var(x, axis, correction=correction, keepdims=keepdims)
    is_constant = equal(spread, 0)
    return named(select(is_constant, 0.0, sqrt(select(is_constant, 1.0, spread))), "std")


def max(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """The largest element; nan if one is."""
    return _reduce(ops.MAX, as_value(x), axis, keepdims)


def min(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """The smallest element; nan if one is."""
    return _reduce(ops.MIN, as_value(x), axis, keepdims)


def any(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Whether any element is true (not 0)."""
    return _reduce(ops.ANY_TRUE, truth(x), axis, keepdims)


def all(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Whether every element is true (not 0)."""
    return _reduce(ops.ALL_TRUE, truth(x), axis, keepdims)


def _arg(op: Op, x: Any, axis: int | None, keepdims: bool) -> Any:
    x = as_value(x)
    if axis is None:
        flat = bind(op, reshape(x, -1), axis=0)
        return reshape(flat, (1,) * len(x.shape)) if keepdims else flat
    place = normalize_axis(axis, len(x.shape), op.name)
    return _restore(bind(op, x, axis=place), x, (place,), keepdims)


def argmax(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """The index of the largest element, the first of equal ones; without `axis`, in the flattened tensor."""
    return _arg(ops.ARGMAX, x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """The index of the smallest element, the first of equal ones; without `axis`, in the flattened tensor."""
    return _arg(ops.ARGMIN, x, axis, keepdims)


def cumulative_sum(x: Any, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False) -> Any:
    """The sum of all elements up to each one along an axis, which may be left out for a tensor with one axis.

    With `include_initial` the sum of none of them, 0, comes first.
    """
    return _cumulative(ops.CUMSUM, _summand(x, dtype), axis, 0 if include_initial else None, "cumulative_sum")


def cumulative_prod(x: Any, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False) -> Any:
    """The product of all elements up to each one along an axis, which may be left out for a tensor with one axis.

    With `include_initial` the product of none of them, 1, comes first.

    >>> import tarazu as tz
    >>> tz.cumulative_prod(tz.tensor([2, 3, 4]), include_initial=True)
    Tensor([ 1,  2,  6, 24], dtype=int64)
    """
    return _cumulative(ops.CUMPROD, _summand(x, dtype), axis, 1 if include_initial else None, "cumulative_prod")


def _cumulative(op: Op, x: Value, axis: int | None, initial: int | None, name: str) -> Any:
    rank = len(x.shape)
    place = normalize_axis(0 if axis is None and rank == 1 else axis, rank, name)  # type: ignore[arg-type]
    if initial is not None:
        shape = tuple(1 if i == place else n for i, n in enumerate(x.shape))
        x = concat([broadcast_to(as_value(initial, x.dtype), shape), x], place)
    return bind(op, x, axis=place)


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
    axes = normalize_axes(axis, len(x.shape), "logsumexp")
    kept = total if keepdims else reshape(total, tuple(n for i, n in enumerate(x.shape) if i not in axes))
    return named(kept, "logsumexp")
