"""Resizing of sequences, images and volumes by interpolation, channels last."""

from __future__ import annotations

import numpy as np

from tarazu.base.checks import flag
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import add, multiply, subtract
from tarazu.ops.indexing.index import take
from tarazu.ops.networks.window_options import Numbers, Sizes, per_axis
from tarazu.ops.promote import as_float, as_value
from tarazu.ops.typing import ArrayLike, Tensor


def interpolate(x: ArrayLike, sizes: Numbers, *, mode: str = "linear", align_corners: bool = False) -> Tensor:
    """`x` (batch, *old sizes, channels) resized to (batch, *sizes, channels); `sizes` is one number or one per axis.

    `mode` "nearest" takes the element at floor(i old / new); "linear" goes in straight lines between neighbors along
    each axis (bilinear for images). Elements are areas, and element i of the result lies at (i + 1/2) old / new - 1/2,
    held at the edges; with `align_corners` they are points, and element i lies at i (old - 1) / (new - 1), so that
    first and last stay where they are. Both as in torch. ShapeError for an input without these axes, ArgumentError for
    another mode and for sizes below 1.

    >>> import tarazu as tz
    >>> tz.interpolate(tz.tensor([[[0.0], [4.0]]]), 4).flatten()
    Tensor([0., 1., 3., 4.], dtype=float32)
    """
    x = as_value(x)
    if len(x.shape) < 3 or 0 in x.shape[1:-1]:
        raise ShapeError(f"interpolate: an input of shape {x.shape}",
                         expected="(batch, *sizes, channels) with sizes of at least 1",
                         fix="x[None] is a batch of one, x[..., None] has one channel")
    wanted = per_axis("interpolate", "sizes", sizes, len(x.shape) - 2)
    align_corners = flag("align_corners", align_corners)
    if mode == "nearest" and not align_corners:
        return _nearest(x, sizes=wanted)
    if mode != "linear":
        raise ArgumentError(f"interpolate: mode={mode!r} with align_corners={align_corners}",
                            expected='"linear", or "nearest" without align_corners', fix='leave both out for "linear"')
    return _linear(as_float(x), sizes=wanted, align_corners=align_corners)


@composite("interpolate_nearest")
def _nearest(x: Tensor, *, sizes: Sizes) -> Tensor:
    for axis, new in enumerate(sizes, 1):
        x = take(x, np.arange(new) * x.shape[axis] // new, axis) if new != x.shape[axis] else x
    return x


@composite("interpolate_linear")
def _linear(x: Tensor, *, sizes: Sizes, align_corners: bool) -> Tensor:
    for axis, new in enumerate(sizes, 1):
        old = x.shape[axis]
        if new == old:
            continue
        positions = _positions(old, new, align_corners)
        before = np.minimum(positions.astype(np.int64), old - 1)
        share = as_value((positions - before).reshape((-1,) + (1,) * (len(x.shape) - axis - 1)), x.dtype)
        first, second = take(x, before, axis), take(x, np.minimum(before + 1, old - 1), axis)
        x = add(multiply(first, subtract(1, share)), multiply(second, share))
    return x


def _positions(old: int, new: int, align_corners: bool) -> np.ndarray:
    """Where in the old axis the elements of the new one lie."""
    if align_corners:
        return np.arange(new) * ((old - 1) / max(new - 1, 1))
    return np.maximum((np.arange(new) + 0.5) * (old / new) - 0.5, 0)
