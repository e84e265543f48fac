"""Convolution in NumPy: every window becomes a row of a matrix, which is multiplied by the kernel as a matrix."""

from __future__ import annotations

import math

import numpy as np

Array = np.ndarray
Sizes = tuple[int, ...]
Widths = tuple[tuple[int, int], ...]
LARGEST_MATRIX = 2**24  # elements of the matrix of windows made at once; a larger batch is done in parts


def convolution(x: Array, kernel: Array, stride: Sizes, padding: Widths, dilation: Sizes, dilation_input: Sizes,
                groups: int) -> Array:
    if x.dtype.itemsize == 2 and x.dtype.kind not in "iu":  # half precision is summed in single precision
        wide = convolution(x.astype(np.float32), kernel.astype(np.float32), stride, padding, dilation, dilation_input,
                           groups)
        return wide.astype(x.dtype)
    windows = _windows(_padded(x, padding, dilation_input), kernel.shape[:-2], stride, dilation)
    is_depthwise = groups == x.shape[-1] == kernel.shape[-1]
    return _sums(windows, kernel[..., 0, :]) if is_depthwise else _products(windows, kernel, groups)


def _padded(x: Array, padding: Widths, dilation_input: Sizes) -> Array:
    """`x` with zeros between its elements and around them; negative widths cut elements off."""
    if all(gap == 1 for gap in dilation_input) and not any(map(any, padding)):
        return x
    spans = [max((n - 1) * gap + 1, 0) for n, gap in zip(x.shape[1:-1], dilation_input, strict=True)]
    low, high = ([max(widths[side], 0) for widths in padding] for side in (0, 1))
    out = np.zeros([x.shape[0], *(a + n + b for a, n, b in zip(low, spans, high, strict=True)), x.shape[-1]], x.dtype)
    inside = [slice(a, a + n, gap) for a, n, gap in zip(low, spans, dilation_input, strict=True)]
    out[(slice(None), *inside)] = x
    kept = [slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(padding, out.shape[1:-1], strict=True)]
    return out[(slice(None), *kept)]


def _windows(x: Array, window: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """A view of shape (batch, *positions, *window, channels): the window at each position."""
    rooms = [n - (k - 1) * d - 1 for n, k, d in zip(x.shape[1:-1], window, dilation, strict=True)]
    positions = [room // s + 1 if room >= 0 else 0 for room, s in zip(rooms, stride, strict=True)]
    steps = x.strides[1:-1]
    return np.lib.stride_tricks.as_strided(
        x, (x.shape[0], *positions, *window, x.shape[-1]),
        (x.strides[0], *(b * s for b, s in zip(steps, stride, strict=True)),
         *(b * d for b, d in zip(steps, dilation, strict=True)), x.strides[-1]), writeable=False)


def _sums(windows: Array, kernel: Array) -> Array:
    """The sum of window times kernel for each channel by itself. Either positions or elements of a window are many,
    and NumPy goes over those at once."""
    axes = kernel.ndim - 1
    positions, window = windows.shape[1:axes + 1], kernel.shape[:-1]
    out = np.zeros((windows.shape[0], *positions, kernel.shape[-1]), kernel.dtype)
    if math.prod(positions) < math.prod(window):
        letters = "abcdefghijklmn"[:axes]
        for position in np.ndindex(*positions):
            np.einsum(f"z{letters}y,{letters}y->zy", windows[(slice(None), *position)], kernel,
                      out=out[(slice(None), *position)])
        return out
    for element in np.ndindex(*window):
        out += windows[(slice(None),) * (axes + 1) + element] * kernel[element]
    return out


def _products(windows: Array, kernel: Array, groups: int) -> Array:
    """The sum of window times kernel for each window: a matrix product per group."""
    axes = kernel.ndim - 2
    shape, window = windows.shape[:axes + 1], kernel.shape[:-2]
    inner, outer = kernel.shape[-2], kernel.shape[-1] // groups
    columns = math.prod(window) * inner
    split = kernel.reshape(math.prod(window), inner, groups, outer)
    matrices = np.moveaxis(split, 2, 0).reshape(groups, columns, outer)
    out = np.empty((*shape, groups, outer), kernel.dtype)
    batch = max(LARGEST_MATRIX // max(math.prod(windows.shape[1:]), 1), 1)
    for start in range(0, shape[0], batch):
        part = windows[start:start + batch]
        rows = np.moveaxis(part.reshape(*part.shape[:-1], groups, inner), -2, 0).reshape(
            groups, math.prod(part.shape[:axes + 1]), columns)
        product = np.matmul(rows, matrices).reshape(groups, *part.shape[:axes + 1], outer)
        out[start:start + batch] = np.moveaxis(product, 0, -2)
    return out.reshape(*shape, groups * outer)
