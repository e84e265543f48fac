"""The gradient of the cumulative product."""

from __future__ import annotations

from typing import Any

from tarazu.ops.create import ones_like, zeros_like
from tarazu.ops.reduce import cumulative_prod
from tarazu.ops.shape import concat, slice_axis


def cumulative_product(g: Any, y: Any, x: Any, axis: int) -> Any:
    """Right with zeros, since nothing is divided: the product before each element, times the sum of what comes after.

    That sum follows from the next one, s[k] = g[k] + x[k + 1] s[k + 1]; doubling its reach takes log2(size) steps.
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


def _shifted(x: Any, places: int, axis: int) -> Any:
    """`x` moved towards the front, with zeros at the end."""
    size = x.shape[axis]
    return concat([slice_axis(x, axis, places, size), zeros_like(slice_axis(x, axis, 0, places))], axis)
