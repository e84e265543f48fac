"""Reductions: many elements to one, along one axis, several, or all (None); and cumulative sums and products.

The result has the shape of `x` without the reduced axes; with `keepdims` they stay, of size 1. AxisError for an axis
that `x` lacks, ShapeError for one that is named twice. The axis 0 or -1 of a scalar is taken as if it had one element
along it, as in NumPy and torch.
"""

from __future__ import annotations

import builtins
import math

from tarazu.base import dtypes
from tarazu.base.checks import flag
from tarazu.base.dtypes import as_dtype
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind, state
from tarazu.ir.op import Op
from tarazu.ops.elementwise import (
    abs_square,
    add,
    divide,
    equal,
    exp,
    isclose,
    isfinite,
    log,
    sqrt,
    stop_gradient,
    subtract,
    truth,
)
from tarazu.ops.elementwise import where as select
from tarazu.ops.promote import HALF, INEXACT, as_float, as_value, cast, named, rounded_like, single
from tarazu.ops.shape import broadcast_to, concat, is_axis_of_scalar, normalize_axes, normalize_axis, reshape
from tarazu.ops.typing import ArrayLike, Axes, DTypeLike, Tensor


def _reduce(op: Op, x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    axes = normalize_axes(axis, len(x.raw.shape), op.name)
    reduced = state.interpreter.bind(op, (x,), {"axes": axes})
    return reduced if keepdims is False else _restore(reduced, x, axes, keepdims)


def _restore(reduced: Tensor, x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if not flag("keepdims", keepdims):
        return reduced
    return reshape(reduced, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


def _with_wide_integers(x: ArrayLike) -> Tensor:
    """`x`, with integers and booleans 64 bits wide, as sums of them soon need."""
    x = as_value(x)
    if x.dtype.kind in ("bool", "int"):
        return cast(x, dtypes.DEFAULT_INT)
    return cast(x, dtypes.uint64) if x.dtype.kind == "uint" else x


def _summand(x: ArrayLike, dtype: DTypeLike | None) -> Tensor:
    if dtype is None and isinstance(x, Tensor) and x.raw.dtype.kind in INEXACT:
        return x  # nearly always
    return _with_wide_integers(x) if dtype is None else cast(as_value(x), as_dtype(dtype))


def sum(x: ArrayLike, axis: Axes = None, *, dtype: DTypeLike | None = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis`: one axis, several, or None for all; of no elements it is 0.

    It is computed in `dtype` if given; without it, integers and booleans are summed as 64-bit integers. The result has
    the shape of `x` without those axes; with `keepdims` they stay, of size 1. AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.sum(tz.tensor([[1, 2], [3, 4]]), axis=0)
    Tensor([4, 6], dtype=int64)
    """
    return _reduce(ops.SUM, _summand(x, dtype), axis, keepdims)


def sum_to(g: Tensor, shape: tuple[int, ...]) -> Tensor:
    """`g` summed over the axes along which `shape` was broadcast to the shape of `g`: the gradient of broadcasting."""
    if g.shape == shape:
        return g
    extra = len(g.shape) - len(shape)
    axes = [*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1 and g.shape[extra + i] != 1)]
    return reshape(sum(g, axes), shape)


def prod(x: ArrayLike, axis: Axes = None, *, dtype: DTypeLike | None = None, keepdims: bool = False) -> Tensor:
    """The product over `axis`: one axis, several, or None for all; of no elements it is 1.

    It is computed in `dtype` if given; without it, integers and booleans are multiplied as 64-bit integers. The result
    has the shape of `x` without those axes; with `keepdims` they stay, of size 1. AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.prod(tz.tensor([[1, 2], [3, 4]]), axis=1)
    Tensor([ 2, 12], dtype=int64)
    """
    return _reduce(ops.PROD, _summand(x, dtype), axis, keepdims)


def mean(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The mean over `axis`: one axis, several, or None for all; integers and booleans give float32.

    The result has the shape of `x` without those axes; with `keepdims` they stay, of size 1. Half precision is summed
    in float32; the mean of no elements is nan. AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.mean(tz.tensor([[1.0, 2.0], [3.0, 4.0]]), 0)
    Tensor([2., 3.], dtype=float32)
    """
    x = as_float(x)
    if x.dtype in HALF:  # the sum may be beyond their range
        return cast(mean(single(x), axis, keepdims=keepdims), x.dtype)
    axes = normalize_axes(axis, len(x.shape), "mean")
    total = _restore(bind(ops.SUM, x, axes=axes), x, axes, keepdims)
    size = state.interpreter.constant(float(math.prod([x.shape[i] for i in axes])), x.dtype)
    return named(bind(ops.DIV, total, size), "mean")


def count(x: Tensor, axis: Axes) -> int:
    """How many elements of `x` a reduction over `axis` makes into one."""
    return math.prod(x.shape[i] for i in normalize_axes(axis, len(x.shape), "count"))


def var(x: ArrayLike, axis: Axes = None, *, correction: float = 0, keepdims: bool = False) -> Tensor:
    """The variance over `axis`: the sum of squared distances from the mean, divided by their number less `correction`.

    `correction=1` gives the unbiased estimate of the variance of a population that `x` is a sample of (Bessel). Of
    complex numbers it is real, the mean of |x - mean|^2. Integers give float32. The result has the shape of `x` without
    those axes; with `keepdims` they stay, of size 1. AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.var(tz.tensor([[1.0, 3.0], [2.0, 8.0]]), axis=1), tz.var(tz.tensor([1.0, 3.0]), correction=1)
    (Tensor([1., 9.], dtype=float32), Tensor(2., dtype=float32))
    """
    x = as_float(x)
    if x.dtype in HALF:
        return cast(var(single(x), axis, correction=correction, keepdims=keepdims), x.dtype)
    distance = subtract(x, mean(x, axis, keepdims=True))
    total = sum(abs_square(distance), axis, keepdims=keepdims)
    return named(divide(total, builtins.max(count(x, axis) - correction, 0)), "var")


def std(x: ArrayLike, axis: Axes = None, *, correction: float = 0, keepdims: bool = False) -> Tensor:
    """The standard deviation over `axis`, the square root of `var`; where it is 0 so is its gradient, as in torch.

    `correction=1` gives the root of the unbiased estimate of the variance (Bessel). Integers give float32. The result
    has the shape of `x` without those axes; with `keepdims` they stay, of size 1. AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.std(tz.tensor([[1.0, 3.0], [2.0, 8.0]]), axis=1)
    Tensor([1., 3.], dtype=float32)
    """
    x = as_float(x)
    variance = var(single(x), axis, correction=correction, keepdims=keepdims)
    is_constant = equal(variance, 0)
    return named(rounded_like(select(is_constant, 0.0, sqrt(select(is_constant, 1.0, variance))), x), "std")


def max(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The largest element over `axis`: one axis, several, or None for all; nan if one is.

    The result has the shape of `x` without those axes; with `keepdims` they stay, of size 1. ShapeError where there is
    no element, AxisError for an axis that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.max(tz.tensor([[1, 5], [7, 3]]), axis=1)
    Tensor([5, 7], dtype=int64)
    """
    return _reduce(ops.MAX, as_value(x), axis, keepdims)


def min(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The smallest element over `axis`: one axis, several, or None for all; nan if one is.

    The result has the shape of `x` without those axes; with `keepdims` they stay, of size 1. ShapeError where there is
    no element, AxisError for an axis that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.min(tz.tensor([[1, 5], [7, 3]]), axis=1)
    Tensor([1, 3], dtype=int64)
    """
    return _reduce(ops.MIN, as_value(x), axis, keepdims)


def any(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """Whether any element over `axis` is true (not 0): one axis, several, or None for all; False of no elements.

    The result has the shape of `x` without those axes; with `keepdims` they stay, of size 1. AxisError for an axis that
    `x` lacks.

    >>> import tarazu as tz
    >>> tz.any(tz.tensor([[0, 0], [0, 3]]), axis=1)
    Tensor([False,  True], dtype=bool)
    """
    return _reduce(ops.ANY_TRUE, truth(x), axis, keepdims)


def all(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """Whether every element over `axis` is true (not 0): one axis, several, or None for all; True of no elements.

    The result has the shape of `x` without those axes; with `keepdims` they stay, of size 1. AxisError for an axis that
    `x` lacks.

    >>> import tarazu as tz
    >>> tz.all(tz.tensor([[1, 2], [0, 3]]), axis=1)
    Tensor([ True, False], dtype=bool)
    """
    return _reduce(ops.ALL_TRUE, truth(x), axis, keepdims)


def allclose(x: ArrayLike, y: ArrayLike, rtol: float = 1e-5, atol: float = 1e-8, *, equal_nan: bool = False) -> Tensor:
    """Whether all elements are close to each other, by `isclose`; a boolean scalar, which `if` takes.

    ShapeError where `x` and `y` do not broadcast.

    >>> import tarazu as tz
    >>> tz.allclose(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 2.000001]))
    Tensor(True, dtype=bool)
    """
    return all(isclose(x, y, rtol, atol, equal_nan=equal_nan))


def _arg(op: Op, x: ArrayLike, axis: int | None, keepdims: bool) -> Tensor:
    x = as_value(x)
    if axis is None or is_axis_of_scalar(axis, len(x.shape)):
        flat = bind(op, reshape(x, -1), axis=0)
        return reshape(flat, (1,) * len(x.shape)) if flag("keepdims", keepdims) else flat
    axis = normalize_axis(axis, len(x.shape), op.name)
    return _restore(bind(op, x, axis=axis), x, (axis,), keepdims)


def argmax(x: ArrayLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The index of the largest element along an axis, the first of equal ones.

    Without `axis` it is that in the flattened tensor. A nan counts as the largest. The result has the shape of `x`
    without the axis; with `keepdims` it stays, of size 1. ShapeError where there is no element, AxisError for an axis
    that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.argmax(tz.tensor([[1, 5, 5], [7, 3, 2]]), axis=1)
    Tensor([1, 0], dtype=int64)
    """
    return _arg(ops.ARGMAX, x, axis, keepdims)


def argmin(x: ArrayLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The index of the smallest element along an axis, the first of equal ones.

    Without `axis` it is that in the flattened tensor. A nan counts as the smallest. The result has the shape of `x`
    without the axis; with `keepdims` it stays, of size 1. ShapeError where there is no element, AxisError for an axis
    that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.argmin(tz.tensor([[1, 5, 1], [7, 3, 2]]), axis=1)
    Tensor([0, 2], dtype=int64)
    """
    return _arg(ops.ARGMIN, x, axis, keepdims)


def cumulative_sum(x: ArrayLike, axis: int | None = None, *, dtype: DTypeLike | None = None,
                   include_initial: bool = False) -> Tensor:
    """The sum of all elements up to each one along an axis, which may be left out for a tensor with one axis.

    It is computed in `dtype` if given; without it, integers and booleans are summed as 64-bit integers. The result has
    the shape of `x`; with `include_initial` the sum of no elements, 0, comes first, and the axis is one longer.
    ArgumentError where the axis is left out and there are several, AxisError for one that `x` lacks.

    >>> import tarazu as tz
    >>> tz.cumulative_sum(tz.tensor([2, 3, 4]), include_initial=True)
    Tensor([0, 2, 5, 9], dtype=int64)
    """
    initial = 0 if flag("include_initial", include_initial) else None
    return _cumulative(ops.CUMSUM, _summand(x, dtype), axis, initial, "cumulative_sum")


def cumulative_prod(x: ArrayLike, axis: int | None = None, *, dtype: DTypeLike | None = None,
                    include_initial: bool = False) -> Tensor:
    """The product of all elements up to each one along an axis, which may be left out for a tensor with one axis.

    It is computed in `dtype` if given; without it, integers and booleans are multiplied as 64-bit integers. The result
    has the shape of `x`; with `include_initial` the product of no elements, 1, comes first, and the axis is one longer.
    ArgumentError where the axis is left out and there are several, AxisError for one that `x` lacks.

    >>> import tarazu as tz
    >>> tz.cumulative_prod(tz.tensor([2, 3, 4]), include_initial=True)
    Tensor([ 1,  2,  6, 24], dtype=int64)
    """
    initial = 1 if flag("include_initial", include_initial) else None
    return _cumulative(ops.CUMPROD, _summand(x, dtype), axis, initial, "cumulative_prod")


def _cumulative(op: Op, x: Tensor, axis: int | None, initial: int | None, name: str) -> Tensor:
    rank = len(x.shape)
    if is_axis_of_scalar(axis, rank):
        of_one = _cumulative(op, reshape(x, (1,)), 0, initial, name)
        return reshape(of_one, ()) if initial is None else of_one
    axis = normalize_axis(0 if axis is None and rank == 1 else axis, rank, name)  # type: ignore[arg-type]  # None raises
    if initial is not None:
        shape = tuple(1 if i == axis else n for i, n in enumerate(x.shape))
        x = concat([broadcast_to(as_value(initial, x.dtype), shape), x], axis)
    return bind(op, x, axis=axis)


def logsumexp(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over `axis` without overflow: the largest element is taken off first.

    Integers give float32. The result has the shape of `x` without those axes; with `keepdims` they stay, of size 1.
    ShapeError where there is no element, AxisError for an axis that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> round(tz.logsumexp(tz.tensor([1000.0, 1000.0])).item(), 2)
    1000.69
    """
    x = as_float(x)
    top = stop_gradient(max(x, axis, keepdims=True))
    top = select(isfinite(top), top, 0)
    total = add(log(sum(exp(subtract(x, top)), axis, keepdims=True)), top)
    axes = normalize_axes(axis, len(x.shape), "logsumexp")
    kept = total if keepdims else reshape(total, tuple(n for i, n in enumerate(x.shape) if i not in axes))
    return named(kept, "logsumexp")
