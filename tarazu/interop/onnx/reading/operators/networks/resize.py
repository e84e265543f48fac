"""Resizing: each axis for itself, an element of the result being a weighted sum of old ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tarazu.interop.onnx.reading.bounds import require_fair
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import ChannelsLast, in_usual_layout, integers, known
from tarazu.ops.contract import dot_general
from tarazu.ops.elementwise import where
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_value, cast, single
from tarazu.ops.shape import moveaxis
from tarazu.runtime.tensor.tensor import Tensor


class _Axis(NamedTuple):
    """How one axis is resized: old and new size, their ratio, and the part of the old one that is seen."""

    old: int
    new: int
    scale: float
    start: float
    end: float


class _Way(NamedTuple):
    """The options of all axes."""

    coordinates: str
    mode: str
    nearest: str
    a: float
    excludes_outside: bool
    antialias: bool


@operator("Resize", since=11, images=True)
def resize(x: Any, roi: Any = None, scales: Any = None, sizes: Any = None, antialias: int = 0,
           axes: Sequence[int] | None = None, coordinate_transformation_mode: str = "half_pixel",
           cubic_coeff_a: float = -0.75, exclude_outside: int = 0, extrapolation_value: float = 0.0,
           keep_aspect_ratio_policy: str = "stretch", mode: str = "nearest",
           nearest_mode: str = "round_prefer_floor") -> Any:
    """`x` in other sizes, given as such or as ratios."""
    rank = len(x.shape)
    along = list(range(rank)) if axes is None else [axis % rank for axis in axes]
    old = [x.shape[axis] for axis in along]
    seen = [0.0] * len(along) + [1.0] * len(along)
    if roi is not None and known(roi).size:
        seen = [float(value) for value in known(roi)]
    if scales is not None and known(scales).size:
        ratios = [float(value) for value in known(scales)]
        new = [math.floor(n * ratio) for n, ratio in zip(old, ratios, strict=True)]
    else:
        new, ratios = _fitted(old, integers(sizes), keep_aspect_ratio_policy)
    way = _Way(coordinate_transformation_mode, mode, nearest_mode, cubic_coeff_a, bool(exclude_outside),
               bool(antialias))
    plans = {axis: _Axis(*plan) for axis, *plan in zip(along, old, new, ratios, seen, seen[len(along):], strict=False)}
    return _resized(x, plans, way, extrapolation_value)


@operator("Upsample", since=7, images=True)
def upsample(x: Any, scales: Any, mode: str = "nearest") -> Any:
    """`x` made larger by ratios."""
    return resize(x, None, np.asarray(known(scales)), mode=mode, coordinate_transformation_mode="asymmetric",
                  nearest_mode="floor")


@operator("Resize", since=10, images=True)
def resize_by_ratios(x: Any, scales: Any, mode: str = "nearest") -> Any:
    """`x` made larger or smaller by ratios."""
    return upsample(x, scales, mode)


def _fitted(old: Sequence[int], sizes: Sequence[int], policy: str) -> tuple[list[int], list[float]]:
    """The new sizes, and their ratios; one ratio for all where the shape is to stay."""
    ratios = [size / n for n, size in zip(old, sizes, strict=True)]
    if policy == "stretch":
        return list(sizes), ratios
    ratio = min(ratios) if policy == "not_larger" else max(ratios)
    return [math.floor(n * ratio + 0.5) for n in old], [ratio] * len(old)


def _resized(x: Any, plans: dict[int, _Axis], way: _Way, outside: float) -> Any:
    is_image = isinstance(x, ChannelsLast) and plans.get(0, _SAME).new == plans.get(0, _SAME).old
    rank = len(x.shape)
    require_fair(*(plans[axis].new if axis in plans else size for axis, size in enumerate(x.shape)))
    y = as_value(x.kept if is_image else in_usual_layout(x))
    for axis, plan in plans.items():
        place = {0: 0, 1: rank - 1}.get(axis, axis - 1) if is_image else axis
        if plan.new != plan.old or way.coordinates == "tf_crop_and_resize":
            y = _along(y, place, plan, way)
    if way.coordinates == "tf_crop_and_resize":
        for axis, plan in plans.items():
            place = {0: 0, 1: rank - 1}.get(axis, axis - 1) if is_image else axis
            at = _positions(plan, way.coordinates)
            is_inside = ((at >= 0) & (at <= plan.old - 1)).reshape((-1,) + (1,) * (rank - place - 1))
            y = where(is_inside, y, outside)
    return ChannelsLast(y) if is_image else y


_SAME = _Axis(1, 1, 1, 0, 1)


def _along(x: Tensor, axis: int, plan: _Axis, way: _Way) -> Tensor:
    positions = _positions(plan, way.coordinates)
    if way.mode == "nearest":
        return take(x, np.clip(_ROUNDINGS[way.nearest](positions), 0, plan.old - 1).astype(np.int64), axis)
    weights = as_value(_weights(plan, positions, way), single(x).dtype)
    return cast(moveaxis(dot_general(single(x), weights, ((axis,), (1,))), -1, axis), x.dtype)


_ROUNDINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5), "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor, "ceil": np.ceil}


def _positions(plan: _Axis, coordinates: str) -> np.ndarray:
    """Where in the old axis the elements of the new one lie."""
    old, new, scale, start, end = plan
    i = np.arange(new, dtype=np.float64)
    if coordinates == "asymmetric":
        return i / scale
    if coordinates == "align_corners":
        return i * ((old - 1) / (old * scale - 1)) if new > 1 else i
    if coordinates == "tf_crop_and_resize":
        if new > 1:
            return start * (old - 1) + i * ((end - start) * (old - 1) / (old * scale - 1))
        return i + 0.5 * (start + end) * (old - 1)
    middle = (i + 0.5) / scale - 0.5
    if coordinates == "pytorch_half_pixel":
        return middle if new > 1 else np.full(1, -0.5)
    if coordinates == "half_pixel_symmetric":
        return old / 2 * (1 - new / (scale * old)) + middle
    return middle


def _weights(plan: _Axis, positions: np.ndarray, way: _Way) -> np.ndarray:
    """The share of each old element, a column, in each new one, a row."""
    ratio = min(plan.scale, 1) if way.antialias else 1.0
    reach = (1 if way.mode == "linear" else 2) / ratio
    weights = np.zeros((plan.new, plan.old))
    for row, position in enumerate(positions):
        near = np.arange(math.floor(position - reach) + 1, math.ceil(position + reach) + 1)
        distance = abs(near - position) * ratio
        share = np.maximum(1 - distance, 0) if way.mode == "linear" else _cubic(distance, way.a)
        if way.excludes_outside:
            share = np.where((near >= 0) & (near < plan.old), share, 0)
        np.add.at(weights[row], np.clip(near, 0, plan.old - 1), share)
        if way.excludes_outside or way.antialias:
            weights[row] /= share.sum()
    return weights


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """The kernel of Keys (1981)."""
    d = distance
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))
