"""Blurring of images and volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.create import arange
from tarazu.ops.elementwise import add, divide, exp, multiply, square
from tarazu.ops.indexing.windows import pad
from tarazu.ops.networks.window_options import Numbers, Sizes, per_axis
from tarazu.ops.promote import as_float, as_value, cast, rounded_like, single
from tarazu.ops.reduce import sum
from tarazu.ops.shape import slice_axis
from tarazu.ops.typing import ArrayLike, Tensor


def gaussian_blur(x: ArrayLike, sigma: float | Sequence[float] | Tensor = 1.0, *,
                  size: Numbers | None = None) -> Tensor:
    """Each element replaced by the mean of its neighbors, weighted by a normal distribution of deviation `sigma`.

    `x` is (batch, *sizes, channels), and its shape stays; `sigma`, in elements, is one number or one per axis, or a
    scalar tensor, to which gradients flow. `size`, odd, is how many neighbors count along an axis, one number or one
    per axis; 2 ceil(3 sigma) + 1 unless given. Beyond the edges the image is mirrored at its outermost elements, as in
    torchvision. Integers become float32. ShapeError for an input without these axes, ArgumentError for a sigma of 0 or
    below, an even size, and a tensor without size.

    >>> import tarazu as tz
    >>> tz.gaussian_blur(tz.tensor([[[0.0], [0.0], [4.0], [0.0], [0.0]]]), 0.5, size=3).flatten().round()
    Tensor([0., 0., 3., 0., 0.], dtype=float32)
    """
    x = as_float(x)
    axes = len(x.shape) - 2
    if axes < 1 or 0 in x.shape[1:-1]:
        raise ShapeError(f"gaussian_blur: an input of shape {x.shape}",
                         expected="(batch, *sizes, channels) with sizes of at least 1",
                         fix="x[None] is a batch of one, x[..., None] has one channel")
    deviations = list(sigma) if isinstance(sigma, list | tuple) else [sigma] * axes
    widths = _widths(sigma, deviations, size, axes)
    blurred = single(x)
    for axis, (width, deviation) in enumerate(zip(widths, deviations, strict=True), 1):
        half = width // 2
        padded = pad(blurred, [(half, half) if i == axis else (0, 0) for i in range(axes + 2)], mode="reflect")
        weights = _weights(half, cast(as_value(deviation, blurred.dtype), blurred.dtype))
        parts = [multiply(slice_axis(padded, axis, i, i + x.shape[axis]), weights[i]) for i in range(width)]
        blurred = parts[0]
        for part in parts[1:]:
            blurred = add(blurred, part)
    return rounded_like(blurred, x)


def _widths(sigma: float | Sequence[float] | Tensor, deviations: list, size: Numbers | None, axes: int) -> Sizes:
    numbers = [d for d in deviations if not isinstance(d, Tensor)]
    if len(deviations) != axes or not all(d > 0 for d in numbers) or (size is None and len(numbers) < axes):
        many = f", or {axes} of them" if axes > 1 else ""
        raise ArgumentError(f"gaussian_blur: sigma={sigma!r} and size={size!r}",
                            expected=f"a sigma above 0{many}, and a size for one that is a tensor",
                            fix="pass for example sigma=1.0")
    if size is None:
        return tuple(2 * math.ceil(3 * d) + 1 for d in numbers)
    widths = per_axis("gaussian_blur", "size", size, axes)
    if not all(width % 2 for width in widths):
        raise ArgumentError(f"gaussian_blur: size={size!r}", expected="odd numbers, as the middle one is the element",
                            fix="add 1")
    return widths


def _weights(half: int, deviation: Tensor) -> Tensor:
    """The normal distribution at -half to half, with sum 1."""
    distances = cast(arange(-half, half + 1), deviation.dtype)
    weights = exp(divide(square(divide(distances, deviation)), -2))
    return divide(weights, sum(weights))
