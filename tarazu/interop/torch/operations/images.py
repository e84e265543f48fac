"""ATen's resizing, sampling and rearranging of images, which come channels last (layout.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tarazu.interop.imported import Operation
from tarazu.ops.networks.images.patches import extract_patches, fold
from tarazu.ops.networks.images.rearrange import channel_shuffle, pixel_shuffle, pixel_unshuffle
from tarazu.ops.networks.images.sampling import grid_sample
from tarazu.ops.networks.interpolation import interpolate
from tarazu.ops.shape import reshape, swapaxes
from tarazu.ops.typing import Tensor

Sizes = Sequence[int] | None
Factors = Sequence[float] | None
MODES, BORDERS = ("linear", "nearest", "cubic"), ("zeros", "border", "reflection")


def _resized(x: Tensor, sizes: Sizes, factors: Factors, mode: str, **options: bool) -> Tensor:
    if sizes is not None:
        return interpolate(x, tuple(sizes), mode=mode, **options)
    return interpolate(x, scale_factor=tuple(factors or ()), mode=mode, **options)


def _nearest(mode: str) -> Operation:
    return lambda x, sizes, factors: _resized(x, sizes, factors, mode)


def _smooth(mode: str, antialias: bool = False) -> Operation:
    def resized(x: Tensor, sizes: Sizes, align_corners: bool, factors: Factors) -> Tensor:
        return _resized(x, sizes, factors, mode, align_corners=align_corners, antialias=antialias)

    return resized


def _sampled(x: Tensor, grid: Tensor, mode: int, border: int, align_corners: bool) -> Tensor:
    return grid_sample(x, grid, mode=MODES[mode], padding=BORDERS[border], align_corners=align_corners)


def _patches(x: Tensor, window: Sequence[int], dilation: Sequence[int], padding: Sequence[int], stride: Sequence[int]
             ) -> Tensor:
    """torch's unfold: (batch, channels and then elements of a window, windows)."""
    options: dict[str, Any] = {"stride": tuple(stride), "padding": [(n, n) for n in padding],
                               "dilation": tuple(dilation)}
    patches = extract_patches(x, tuple(window), **options)
    batch, channels = x.shape[0], x.shape[-1]
    wide = reshape(patches, (batch, -1, patches.shape[-1] // channels, channels))
    return swapaxes(reshape(swapaxes(wide, 2, 3), (batch, wide.shape[1], -1)), 1, 2)


def _folded(x: Tensor, sizes: Sequence[int], window: Sequence[int], dilation: Sequence[int], padding: Sequence[int],
            stride: Sequence[int]) -> Tensor:
    """torch's fold, to (batch, *sizes, channels)."""
    elements, batch = window[0] * window[1], x.shape[0]
    wide = reshape(swapaxes(x, 1, 2), (batch, x.shape[2], x.shape[1] // elements, elements))
    counts = [(sizes[i] + 2 * padding[i] - dilation[i] * (window[i] - 1) - 1) // stride[i] + 1 for i in range(2)]
    return fold(reshape(swapaxes(wide, 2, 3), (batch, *counts, x.shape[1])), tuple(sizes), tuple(window),
                stride=tuple(stride), padding=[(n, n) for n in padding], dilation=tuple(dilation))


TABLE: dict[str, Operation] = {
    "upsample_linear1d.vec": _smooth("linear"), "upsample_bilinear2d.vec": _smooth("linear"),
    "upsample_trilinear3d.vec": _smooth("linear"), "upsample_bicubic2d.vec": _smooth("cubic"),
    "_upsample_bilinear2d_aa.vec": _smooth("linear", antialias=True),
    "_upsample_bicubic2d_aa.vec": _smooth("cubic", antialias=True),
    "grid_sampler_2d": _sampled, "grid_sampler_3d": _sampled, "grid_sampler": _sampled,
    "pixel_shuffle": pixel_shuffle, "pixel_unshuffle": pixel_unshuffle, "channel_shuffle": channel_shuffle,
    "im2col": _patches, "col2im": _folded,
}
for _axes in (1, 2, 3):
    TABLE |= {f"upsample_nearest{_axes}d.vec": _nearest("nearest"),
              f"_upsample_nearest_exact{_axes}d.vec": _nearest("nearest-exact")}
