"""Resizing of sequences, images and volumes by interpolation, channels last.

Each axis is resized for itself: an element of the result is a weighted sum of a few neighbors, or, with antialias, of
as many as it covers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tarazu.base.checks import flag
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.contract import dot_general
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import add, multiply, subtract
from tarazu.ops.indexing.index import take
from tarazu.ops.networks.pooling import adaptive_average_pool
from tarazu.ops.networks.window_options import Numbers, Sizes, per_axis
from tarazu.ops.promote import as_float, as_value, rounded_like, single
from tarazu.ops.shape import moveaxis
from tarazu.ops.typing import ArrayLike, Tensor

_MODES = {"nearest": "nearest", "nearest-exact": "nearest-exact", "linear": "linear", "bilinear": "linear",
          "trilinear": "linear", "cubic": "cubic", "bicubic": "cubic", "area": "area"}  # the right ones are ours
_SMOOTH = ("linear", "cubic")
_REACH = {"linear": 1, "cubic": 2}  # how far from an element its neighbors count, in elements
_Ratios = tuple[float, ...]


def interpolate(x: ArrayLike, sizes: Numbers | None = None, *, scale_factor: float | Sequence[float] | None = None,
                mode: str = "linear", align_corners: bool = False, antialias: bool = False) -> Tensor:
    """`x` (batch, *old sizes, channels) resized to (batch, *sizes, channels); `sizes` is one number or one per axis.

    Instead of `sizes`, `scale_factor` is the ratio of new to old, one number or one per axis; the sizes are rounded
    down. An axis that keeps its size is left as it is. `mode` is one of

    - "nearest": the element at floor(i old / new); "nearest-exact": at floor((i + 1/2) old / new);
    - "linear": in straight lines between neighbors along each axis, also "bilinear" and "trilinear";
    - "cubic": by cubic convolution of four neighbors along each axis (Keys, 1981, with a = -0.75), also "bicubic";
    - "area": the mean of the elements that a new one covers, as in `adaptive_average_pool`.

    Elements are areas, and element i of the result lies at (i + 1/2) old / new - 1/2, held at the edges; with
    `align_corners` they are points, and element i lies at i (old - 1) / (new - 1), so that first and last stay where
    they are. With `antialias`, for "linear" and "cubic" (a = -0.5 then), the neighbors are as many as a new element
    covers where an axis shrinks, so that nothing is left out, as in Pillow. All as in torch. Integers become float32
    but for the nearest modes; half precision is computed in float32 for "cubic" and with antialias. ShapeError for an
    input without these axes, ArgumentError for another mode, sizes below 1, both or neither of `sizes` and
    `scale_factor`, and options that do not go together.

    >>> import tarazu as tz
    >>> tz.interpolate(tz.tensor([[[0.0], [4.0]]]), 4).flatten()
    Tensor([0., 1., 3., 4.], dtype=float32)
    >>> tz.interpolate(tz.ones((1, 8, 8, 3)), scale_factor=0.5, mode="cubic", antialias=True).shape
    (1, 4, 4, 3)
    """
    x = as_value(x)
    if len(x.shape) < 3 or 0 in x.shape[1:-1]:
        raise ShapeError(f"interpolate: an input of shape {x.shape}",
                         expected="(batch, *sizes, channels) with sizes of at least 1",
                         fix="x[None] is a batch of one, x[..., None] has one channel")
    wanted, ratios = _sizes_and_ratios(x.shape[1:-1], sizes, scale_factor)
    align_corners, antialias = flag("align_corners", align_corners), flag("antialias", antialias)
    kind = _checked_mode(mode, align_corners, antialias)
    if kind in ("nearest", "nearest-exact"):
        return _nearest(x, sizes=wanted, ratios=ratios, exact=kind == "nearest-exact")
    if kind == "area":
        return adaptive_average_pool(x, wanted)
    if antialias:
        return _antialiased(as_float(x), sizes=wanted, ratios=ratios, mode=kind)
    if kind == "cubic":
        return _cubic(as_float(x), sizes=wanted, ratios=ratios, align_corners=align_corners)
    return _linear(as_float(x), sizes=wanted, ratios=ratios, align_corners=align_corners)


def _sizes_and_ratios(old: Sizes, sizes: Numbers | None,
                      factor: float | Sequence[float] | None) -> tuple[Sizes, _Ratios]:
    """The new sizes, and how many old elements a new one covers along each axis."""
    if (sizes is None) == (factor is None):
        raise ArgumentError(f"interpolate: sizes={sizes!r} and scale_factor={factor!r}", expected="one of the two",
                            fix="pass sizes=(height, width), or scale_factor=2")
    if factor is None:
        assert sizes is not None  # the other one is
        wanted = per_axis("interpolate", "sizes", sizes, len(old))
        return wanted, tuple(n / m for n, m in zip(old, wanted, strict=True))
    factors = tuple(factor) if isinstance(factor, Sequence) else (factor,) * len(old)
    if len(factors) != len(old) or not all(f > 0 and math.floor(n * f) >= 1 for n, f in zip(old, factors, strict=True)):
        raise ArgumentError(f"interpolate: scale_factor={factor!r} for sizes {old}",
                            expected="a number above 0, or one per axis, that leaves at least one element",
                            fix="pass sizes= instead")
    return tuple(math.floor(n * f) for n, f in zip(old, factors, strict=True)), tuple(1 / f for f in factors)


def _checked_mode(mode: str, align_corners: bool, antialias: bool) -> str:
    kind = _MODES.get(mode)
    if kind is None or ((align_corners or antialias) and kind not in _SMOOTH) or (align_corners and antialias):
        options = f" with align_corners={align_corners}" + (f" and antialias={antialias}" if antialias else "")
        raise ArgumentError(f"interpolate: mode={mode!r}{options}",
                            expected='"linear" or "cubic", with at most one of the two options; "nearest", '
                                     '"nearest-exact" or "area" without them', fix='leave all out for "linear"')
    return kind


@composite("interpolate_nearest")
def _nearest(x: Tensor, *, sizes: Sizes, ratios: _Ratios, exact: bool) -> Tensor:
    for axis, (new, ratio) in enumerate(zip(sizes, ratios, strict=True), 1):
        old = x.shape[axis]
        if new == old:
            continue
        offsets = np.arange(new) + 0.5 if exact else np.arange(new)
        by_sizes = ratio == old / new  # then in whole numbers, which are exact
        indices = np.floor(offsets * old / new if by_sizes else offsets * ratio).astype(np.int64)
        x = take(x, np.minimum(indices, old - 1), axis)
    return x


@composite("interpolate_linear")
def _linear(x: Tensor, *, sizes: Sizes, ratios: _Ratios, align_corners: bool) -> Tensor:
    for axis, (new, ratio) in enumerate(zip(sizes, ratios, strict=True), 1):
        old = x.shape[axis]
        if new == old:
            continue
        positions = np.maximum(_positions(old, new, ratio, align_corners), 0)
        before = np.minimum(positions.astype(np.int64), old - 1)
        share = _along(positions - before, x, axis)
        first, second = take(x, before, axis), take(x, np.minimum(before + 1, old - 1), axis)
        x = add(multiply(first, subtract(1, share)), multiply(second, share))
    return x


@composite("interpolate_cubic")
def _cubic(x: Tensor, *, sizes: Sizes, ratios: _Ratios, align_corners: bool) -> Tensor:
    wide = single(x)
    for axis, (new, ratio) in enumerate(zip(sizes, ratios, strict=True), 1):
        old = wide.shape[axis]
        if new == old:
            continue
        positions = _positions(old, new, ratio, align_corners)
        before = np.floor(positions).astype(np.int64)
        total: Tensor | None = None
        for offset in (-1, 0, 1, 2):
            neighbor = take(wide, np.clip(before + offset, 0, old - 1), axis)
            share = _along(_cubic_weight(positions - before - offset, -0.75), wide, axis)
            part = multiply(neighbor, share)
            total = part if total is None else add(total, part)
        assert total is not None  # there are four neighbors
        wide = total
    return rounded_like(wide, x)


@composite("interpolate_antialiased")
def _antialiased(x: Tensor, *, sizes: Sizes, ratios: _Ratios, mode: str) -> Tensor:
    wide = single(x)
    for axis, (new, ratio) in enumerate(zip(sizes, ratios, strict=True), 1):
        old = wide.shape[axis]
        if new != old:
            weights = as_value(_covering_weights(old, new, ratio, mode), wide.dtype)
            wide = moveaxis(dot_general(wide, weights, ((axis,), (1,))), -1, axis)
    return rounded_like(wide, x)


def _covering_weights(old: int, new: int, ratio: float, mode: str) -> np.ndarray:
    """The share of each old element, a column, in each new one, a row: the kernel is as wide as a new element."""
    width = np.maximum(ratio, 1)
    centers = (np.arange(new) + 0.5)[:, None] * ratio
    distances = (np.arange(old) + 0.5 - centers) / width
    reach = _REACH[mode] * width
    counts = (np.arange(old) >= np.floor(np.maximum(centers - reach + 0.5, 0))) & (
        np.arange(old) < np.floor(centers + reach + 0.5))
    kernel = np.maximum(1 - abs(distances), 0) if mode == "linear" else _cubic_weight(distances, -0.5)
    weights = np.where(counts, kernel, 0)
    return weights / weights.sum(1, keepdims=True)


def _cubic_weight(distance: np.ndarray, a: float) -> np.ndarray:
    """The kernel of Keys (1981) at a distance in elements."""
    d = abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def _along(values: np.ndarray, x: Tensor, axis: int) -> Tensor:
    """The values as a tensor of the dtype of `x` that broadcasts along an axis."""
    return as_value(values.reshape((-1,) + (1,) * (len(x.shape) - axis - 1)), x.dtype)


def _positions(old: int, new: int, ratio: float, align_corners: bool) -> np.ndarray:
    """Where in the old axis the elements of the new one lie."""
    if align_corners:
        return np.arange(new) * ((old - 1) / max(new - 1, 1))
    return (np.arange(new) + 0.5) * ratio - 0.5
