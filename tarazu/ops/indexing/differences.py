"""Differences of neighbors along an axis, and integrals over it."""

from __future__ import annotations

from tarazu.base.checks import whole_number
from tarazu.ops.elementwise import add, multiply, not_equal, subtract
from tarazu.ops.promote import as_float, as_value, same_float_dtype
from tarazu.ops.reduce import sum
from tarazu.ops.shape import broadcast_to, concat, normalize_axis, reshape, slice_axis
from tarazu.ops.typing import ArrayLike, Tensor


def diff(x: ArrayLike, /, *, axis: int = -1, n: int = 1, prepend: ArrayLike | None = None,
         append: ArrayLike | None = None) -> Tensor:
    """The difference of each element to the one before it along an axis, `n` times over, which makes it `n` shorter.

    `prepend` and `append`, of as many axes as `x` or numbers, are joined to its ends first; n=0 gives `x` as it is.
    ArgumentError for an n below 0 or no whole number, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.diff(tz.tensor([1, 4, 9, 16]), n=2)
    Tensor([2, 2], dtype=int64)
    """
    x = as_value(x)
    if whole_number(f"diff: n={n!r}", n, least=0, fix="for sums use tz.cumulative_sum") == 0:
        return x
    axis = normalize_axis(axis, len(x.shape), "diff")
    parts = [_as_end(part, x, axis) for part in (prepend, x, append) if part is not None]
    x = concat(parts, axis) if len(parts) > 1 else x
    for _ in range(min(n, x.shape[axis])):
        size = x.shape[axis]
        later, earlier = slice_axis(x, axis, 1, size), slice_axis(x, axis, 0, size - 1)
        x = not_equal(later, earlier) if x.dtype.kind == "bool" else subtract(later, earlier)
    return x


def _as_end(part: ArrayLike, x: Tensor, axis: int) -> Tensor:
    """What is joined to an end of `x`: a number stands for one element, the same everywhere."""
    part = as_value(part)
    if part.shape:
        return part
    return broadcast_to(part, tuple(1 if i == axis else n for i, n in enumerate(x.shape)))


def trapezoid(y: ArrayLike, x: ArrayLike | None = None, *, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral along an axis of the function that is `y` at the points `x`, straight in between.

    `x` broadcasts to `y`, or is a vector of the points along the axis; without it they are `dx` apart. Integers become
    float32 first. ShapeError for points that do not fit, AxisError for an axis that `y` lacks.

    >>> import tarazu as tz
    >>> tz.trapezoid(tz.tensor([0.0, 1.0, 4.0])), tz.trapezoid(tz.tensor([0.0, 1.0]), tz.tensor([0.0, 3.0]))
    (Tensor(3., dtype=float32), Tensor(1.5, dtype=float32))
    """
    y = as_float(y)
    widths: Tensor | float = dx
    if x is not None:
        y, x = same_float_dtype(y, x)
        axis = normalize_axis(axis, len(y.shape), "trapezoid")
        if len(x.shape) == 1:
            x = reshape(x, (-1,) + (1,) * (len(y.shape) - axis - 1))
        widths = diff(broadcast_to(x, y.shape), axis=axis)
    axis = normalize_axis(axis, len(y.shape), "trapezoid")
    size = y.shape[axis]
    pairs = add(slice_axis(y, axis, 1, size), slice_axis(y, axis, 0, max(size - 1, 0)))
    return sum(multiply(pairs, multiply(widths, 0.5)), axis)
