"""The gradient of the cumulative product."""

from __future__ import annotations

from tarazu.ops.create import ones_like, zeros_like
from tarazu.ops.reduce import cumulative_prod
from tarazu.ops.shape import concat, slice_axis
from tarazu.transform.typing import Tensor


def cumulative_product(g: Tensor, y: Tensor, x: Tensor, axis: int) -> Tensor:
    """The product of the elements before each one, times s[k] = g[k] + x[k + 1] s[k + 1].

    Nothing is divided, so elements may be 0. The recurrence is solved by doubling how far each s reaches, in log2(size)
    steps.
    """
    size = x.shape[axis]
    if size == 0:
        return g
    factor, total, reach = _shifted(x, 1, axis), g, 1
    while reach < size:
        total = total + factor * _shifted(total, reach, axis)
        factor = factor * _shifted(factor, reach, axis)
        reach *= 2
    first = ones_like(slice_axis(x, axis, 0, 1))
    before = concat([first, cumulative_prod(slice_axis(x, axis, 0, size - 1), axis)], axis)
    return before * total


def _shifted(x: Tensor, count: int, axis: int) -> Tensor:
    """`x` without its first `count` elements along the axis, and as many zeros at the end."""
    size = x.shape[axis]
    return concat([slice_axis(x, axis, count, size), zeros_like(slice_axis(x, axis, 0, count))], axis)
