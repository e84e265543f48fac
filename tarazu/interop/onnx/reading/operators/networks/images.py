"""Images sampled at positions, and boxes in them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import (
    Array,
    ChannelsLast,
    channels_last,
    in_usual_layout,
    integers,
    known,
    number,
)
from tarazu.ops import shape as shapes
from tarazu.ops.elementwise import multiply
from tarazu.ops.networks.images import sampling
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import max, sum
from tarazu.runtime.tensor.tensor import Tensor


@operator("GridSample", images=True)
def grid_sample(x: Any, grid: Any, align_corners: int = 0, mode: str = "linear",
                padding_mode: str = "zeros") -> ChannelsLast:
    """Each image sampled at the positions in its grid."""
    return ChannelsLast(sampling.grid_sample(channels_last(x), in_usual_layout(grid), mode=mode, padding=padding_mode,
                                             align_corners=bool(align_corners)))


@operator("AffineGrid")
def affine_grid(theta: Array, size: Any, align_corners: int = 0) -> Tensor:
    """A grid of positions, moved by an affine map for each sample."""
    return sampling.affine_grid(theta, integers(size)[2:], align_corners=bool(align_corners))


@operator("RoiAlign", since=10)
def roi_align_outer(x: Array, rois: Array, batch_indices: Array, **options: Any) -> Tensor:
    """`roi_align` with positions that count the upper left corner of the image as 0."""
    return roi_align(x, rois, batch_indices, coordinate_transformation_mode="output_half_pixel", **options)


@operator("RoiAlign", since=16)
def roi_align(x: Array, rois: Array, batch_indices: Array, coordinate_transformation_mode: str = "half_pixel",
              mode: str = "avg", output_height: int = 1, output_width: int = 1, sampling_ratio: int = 0,
              spatial_scale: float = 1.0) -> Tensor:
    """Boxes of images, cut into as many cells, each the mean or the maximum of samples between pixels."""
    images = channels_last(as_value(x))
    shift = 0.5 if coordinate_transformation_mode == "half_pixel" else 0.0
    cells = []
    for box, sample in zip(known(rois).astype(np.float64), integers(batch_indices), strict=True):
        left, top, right, bottom = box * spatial_scale - shift
        sides = [(top, bottom, output_height, images.shape[1]), (left, right, output_width, images.shape[2])]
        axes = [_taps(*side, sampling_ratio, not shift) for side in sides]
        cells.append(_cells(images[sample], axes, mode))
    return shapes.permute_dims(shapes.stack(cells), (0, 3, 1, 2))


def _taps(start: float, end: float, count: int, size: int, ratio: int, keeps_one: bool) -> tuple[Any, Any, Any]:
    """For each cell and each sample in it, along one axis, two neighbors and what each counts: (count, samples, 2)."""
    length = 1.0 if keeps_one and end - start < 1 else end - start
    samples = ratio or math.ceil(length / count)
    at = start + (np.arange(count)[:, None] + (np.arange(samples) + 0.5) / samples) * (length / count)
    is_outside = (at < -1) | (at > size)
    at = np.clip(at, 0, size - 1)
    low = np.minimum(np.floor(at).astype(np.int64), size - 1)
    high = np.minimum(low + 1, size - 1)
    share = at - low
    weights = np.where(is_outside[..., None], 0, np.stack([1 - share, share], -1))
    return np.stack([low, high], -1), weights, samples


def _cells(image: Tensor, axes: list[tuple[Any, Any, Any]], mode: str) -> Tensor:
    """(height, width, channels) from an image and the samples along its two axes."""
    (rows, row_shares, _), (columns, column_shares, _) = axes
    picked = image[rows[:, None, :, None, :, None], columns[None, :, None, :, None, :]]
    shares = row_shares[:, None, :, None, :, None] * column_shares[None, :, None, :, None, :]
    weighed = multiply(picked, as_value(shares[..., None], image.dtype))
    if mode == "max":
        return max(weighed, (2, 3, 4, 5))
    return multiply(sum(weighed, (2, 3, 4, 5)), 1 / (rows.shape[1] * columns.shape[1]))


@operator("NonMaxSuppression")
def non_max_suppression(boxes: Array, scores: Array, most: Any = None, overlap: Any = None, least_score: Any = None,
                        center_point_box: int = 0) -> np.ndarray:
    """The boxes that are left when those that overlap with better ones are taken away: (sample, class, box)."""
    corners, points = known(boxes), known(scores)
    count = 0 if most is None else int(number(most))
    limit = 0.0 if overlap is None else float(number(overlap))
    least = -math.inf if least_score is None else float(number(least_score))
    if center_point_box:
        middle, size = corners[..., [1, 0]], corners[..., [3, 2]]
        corners = np.concatenate([middle - size / 2, middle + size / 2], -1)
    low, high = np.minimum(corners[..., :2], corners[..., 2:]), np.maximum(corners[..., :2], corners[..., 2:])
    chosen = [(sample, label, box) for sample in range(points.shape[0]) for label in range(points.shape[1])
              for box in _best(low[sample], high[sample], points[sample, label], count, limit, least)]
    return np.array(chosen, np.int64).reshape(-1, 3)


def _best(low: np.ndarray, high: np.ndarray, scores: np.ndarray, most: int, limit: float, least: float) -> list[int]:
    area = (high - low).prod(-1)
    kept: list[int] = []
    for box in np.argsort(-scores, kind="stable"):
        if len(kept) >= most or not scores[box] > least:
            break
        shared = np.maximum(np.minimum(high[box], high[kept]) - np.maximum(low[box], low[kept]), 0).prod(-1)
        if (shared <= limit * (area[box] + area[kept] - shared)).all():
            kept.append(int(box))
    return kept
