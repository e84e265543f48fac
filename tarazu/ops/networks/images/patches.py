"""Patches of sequences, images and volumes, and their sum: im2col and col2im, channels last."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base.errors import ShapeError
from tarazu.ir.type_rules.convolution import Widths, convolved_size, span
from tarazu.ops.indexing.index import scatter_add, take
from tarazu.ops.networks.window_options import (
    Numbers,
    Padding,
    Sizes,
    padding_widths,
    per_axis,
    require_windows_fit,
)
from tarazu.ops.promote import as_value
from tarazu.ops.shape import broadcast_to, cropped, moveaxis, pad, permute_dims, reshape
from tarazu.ops.typing import ArrayLike, Tensor


def extract_patches(x: ArrayLike, window: Numbers, *, stride: Numbers | None = None, padding: Padding = "valid",
                    dilation: Numbers = 1) -> Tensor:
    """The patches of an image: (batch, *sizes, channels) to (batch, *windows, elements of a window times channels).

    Options are one number or one per axis: `stride` from one patch to the next (the size of the window unless given),
    `padding` with zeros as in `conv2d`, `dilation` between the elements of a patch. A patch is flattened with its
    channels last, so that its product with a kernel of `conv2d`, reshaped to (-1, out), is the convolution. torch's
    unfold gives (batch, channels times elements, patches). ShapeError for an input without these axes and windows that
    do not fit, ArgumentError for options out of range.

    >>> import tarazu as tz
    >>> tz.extract_patches(tz.tensor([[[1.0], [2.0], [3.0], [4.0]]]), 2)
    Tensor([[[1., 2.],
             [3., 4.]]], dtype=float32)
    """
    x = as_value(x)
    if len(x.shape) < 3:
        raise ShapeError(f"extract_patches: an input of shape {x.shape}", expected="(batch, *sizes, channels)",
                         fix="x[None] is a batch of one, x[..., None] has one channel")
    indices, widths = _windows("extract_patches", x.shape[1:-1], window, stride, padding, dilation)
    x = pad(x, [(0, 0), *widths, (0, 0)]) if any(map(any, widths)) else x
    for axis, inside in enumerate(indices):  # sizes become (windows, elements), axis after axis
        x = take(x, inside, 1 + 2 * axis)
    axes = len(indices)
    x = permute_dims(x, (0, *range(1, 2 * axes, 2), *range(2, 2 * axes + 1, 2), 2 * axes + 1))
    return reshape(x, (*x.shape[:axes + 1], math.prod(x.shape[axes + 1:])))


def fold(x: ArrayLike, sizes: Numbers, window: Numbers, *, stride: Numbers | None = None, padding: Padding = "valid",
         dilation: Numbers = 1) -> Tensor:
    """The image of `sizes` whose elements are the sums of those in its patches: the transpose of `extract_patches`.

    (batch, *windows, elements of a window times channels) to (batch, *sizes, channels); patches and options as there.
    Overlapping patches add up: divided by the fold of the patches of ones it is their mean. ShapeError for patches of
    another number or size, ArgumentError for options out of range.

    >>> import tarazu as tz
    >>> patches = tz.extract_patches(tz.ones((1, 4, 1)), 2, stride=1)
    >>> tz.fold(patches, 4, 2, stride=1).flatten()
    Tensor([1., 2., 2., 1.], dtype=float32)
    """
    x = as_value(x)
    axes = len(x.shape) - 2
    if axes < 1:
        raise ShapeError(f"fold: an input of shape {x.shape}", expected="(batch, *windows, elements times channels)",
                         fix="x[None] is a batch of one")
    wanted, kernel = per_axis("fold", "sizes", sizes, axes), per_axis("fold", "window", window, axes)
    indices, widths = _windows("fold", wanted, window, stride, padding, dilation)
    counts = tuple(len(inside) for inside in indices)
    if x.shape[1:-1] != counts or x.shape[-1] % math.prod(kernel):
        raise ShapeError(f"fold: an input of shape {x.shape} for sizes {wanted} and windows of {kernel}",
                         expected=f"(batch, {', '.join(map(str, counts))}, a multiple of {math.prod(kernel)})",
                         fix="pass the window, stride, padding and dilation that extract_patches got")
    x = reshape(x, (x.shape[0], *counts, *kernel, x.shape[-1] // math.prod(kernel)))
    for axis, inside in enumerate(indices):  # (sizes so far, windows, elements, channels)
        size = wanted[axis] + sum(widths[axis])
        x = moveaxis(x, (1 + axis, 1 + axes), (0, 1))
        zeros = broadcast_to(as_value(0, x.dtype), (size, *x.shape[2:]))
        x = moveaxis(scatter_add(zeros, x, (inside,), (0,)), 0, 1 + axis)
    return cropped(x, [(0, 0), *((-before, -after) for before, after in widths), (0, 0)])


def _windows(name: str, sizes: Sizes, window: Numbers, stride: Numbers | None, padding: Padding,
             dilation: Numbers) -> tuple[list[np.ndarray], Widths]:
    """The indices of the elements of each window, (windows, elements) per axis of the padded image; and its padding."""
    axes = len(sizes)
    kernel, gaps = per_axis(name, "window", window, axes), per_axis(name, "dilation", dilation, axes)
    steps = per_axis(name, "stride", window if stride is None else stride, axes)
    spans = [span(k, d) for k, d in zip(kernel, gaps, strict=True)]
    widths = padding_widths(name, padding, sizes, spans, steps)
    require_windows_fit(name, (0, *sizes, 0), spans, widths)
    counts = map(convolved_size, sizes, kernel, steps, widths, gaps, (1,) * axes)
    return [s * np.arange(n)[:, None] + d * np.arange(k)
            for n, s, k, d in zip(counts, steps, kernel, gaps, strict=True)], widths
