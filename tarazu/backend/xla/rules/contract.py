"""Products of tensors: dot, convolution, Fourier."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from tarazu.backend.xla.precision import is_half
from tarazu.ir import op as ops
from tarazu.ir.op import Op
from tarazu.ir.type_rules.convolution import convolved_size

Axes = tuple[int, ...]
Widths = tuple[tuple[int, int], ...]
# By default GPUs and TPUs round the factors of float32 products to 10 or 7 bits; this asks for float32 itself.
EXACT = lax.Precision.HIGHEST
MOST_AXES = 3  # that convolutions on GPUs, and XLA's Fourier transforms, have


def _accumulated(x: Array) -> Any:
    """The dtype in which products are summed: half precision would lose too much."""
    return jnp.float32 if is_half(x) else x.dtype


def dot(x: Array, y: Array, contract: tuple[Axes, Axes], batch: tuple[Axes, Axes]) -> Array:
    out = lax.dot_general(x, y, (contract, batch), precision=EXACT, preferred_element_type=_accumulated(x))
    return out.astype(x.dtype)


def convolution(x: Array, kernel: Array, stride: Axes, padding: Widths, dilation: Axes, dilation_input: Axes,
                groups: int) -> Array:
    sizes = tuple(map(convolved_size, x.shape[1:-1], kernel.shape[:-2], stride, padding, dilation, dilation_input))
    shape = (x.shape[0], *sizes, kernel.shape[-1])
    if 0 in shape or not x.size or not kernel.size:
        return jnp.zeros(shape, x.dtype)
    if 1 < groups == x.shape[-1] and math.prod(sizes) < math.prod(kernel.shape[:-2]):
        x = _padded(x, padding, dilation_input)
        return _sum_at_positions(x, kernel, sizes, stride, dilation)
    is_unusual = jnp.issubdtype(x.dtype, jnp.integer) or len(stride) > MOST_AXES
    if is_unusual or min(map(min, padding)) < 0:  # not every device takes negative widths
        x = _padded(x, padding, dilation_input)
        padding, dilation_input = ((0, 0),) * len(stride), (1,) * len(stride)
    if is_unusual:
        return _sum_over_window(x, kernel, shape[1:-1], stride, dilation, groups)
    letters = "".join(chr(ord("a") + axis) for axis in range(len(stride)))
    out = lax.conv_general_dilated(
        x, kernel, stride, padding, lhs_dilation=dilation_input, rhs_dilation=dilation, feature_group_count=groups,
        dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"), precision=EXACT,
        preferred_element_type=_accumulated(x))
    return out.astype(x.dtype)


def _padded(x: Array, padding: Widths, dilation_input: Axes) -> Array:
    between = [(low, high, gap - 1) for (low, high), gap in zip(padding, dilation_input, strict=True)]
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *between, (0, 0, 0)])


def _sum_over_window(x: Array, kernel: Array, positions: Axes, stride: Axes, dilation: Axes, groups: int) -> Array:
    """The convolution of a padded input as a product per element of the window: GPUs have none of integers."""
    inner, outer = kernel.shape[-2], kernel.shape[-1] // groups
    grouped = lax.reshape(kernel, (*kernel.shape[:-1], groups, outer))
    total: Any = 0
    for offset in itertools.product(*map(range, kernel.shape[:-2])):
        part = _every(x, [at * gap for at, gap in zip(offset, dilation, strict=True)], positions, stride)
        rows = lax.reshape(part, (x.shape[0] * math.prod(positions), groups, inner))
        total = total + dot(rows, grouped[offset], ((2,), (0,)), ((1,), (1,)))  # (groups, rows, outer)
    return lax.reshape(lax.transpose(total, (1, 0, 2)), (x.shape[0], *positions, groups * outer))


def _sum_at_positions(x: Array, kernel: Array, positions: Axes, stride: Axes, dilation: Axes) -> Array:
    """The convolution of a padded input, each channel by itself, as a sum per position: of few large windows, as the
    gradient of a kernel in groups has them, XLA makes slow loops."""
    window, channels = kernel.shape[:-2], x.shape[-1]
    weights = lax.reshape(kernel, (*window, channels, kernel.shape[-1] // channels))
    sums = []
    for position in itertools.product(*map(range, positions)):
        part = _every(x, [at * step for at, step in zip(position, stride, strict=True)], window, dilation)
        sums.append(_sum_over_axes(part, weights))
    return lax.reshape(jnp.stack(sums, 1), (x.shape[0], *positions, kernel.shape[-1]))


def _sum_over_axes(part: Array, weights: Array) -> Array:
    """(batch, *window, channels) times (*window, channels, outer), summed over the window: (batch, channels, outer)."""
    axes = tuple(range(1, part.ndim - 1))
    if weights.shape[-1] == 1:
        return jnp.sum(part * weights[..., 0], axes, dtype=_accumulated(part)).astype(part.dtype)[..., None]
    found = dot(part, weights, (axes, tuple([axis - 1 for axis in axes])), ((part.ndim - 1,), (part.ndim - 2,)))
    return lax.transpose(found, (1, 0, 2))


def _every(x: Array, first: Sequence[int], sizes: Axes, steps: Axes) -> Array:
    """So many elements along each axis between the first and the last, some steps apart."""
    stop = [a + (n - 1) * step + 1 for a, n, step in zip(first, sizes, steps, strict=True)]
    return lax.slice(x, (0, *first, 0), (x.shape[0], *stop, x.shape[-1]), (1, *steps, 1))


def fft(x: Array, axes: Axes, kind: str) -> Array:
    if not x.size:
        return x
    for start in range(0, len(axes), MOST_AXES):
        some = axes[start:start + MOST_AXES]
        x = jnp.fft.fftn(x, axes=some) if kind == "forward" else jnp.fft.ifftn(x, axes=some, norm="forward")
    return x


ROWS: dict[Op, Callable[..., Any]] = {
    ops.DOT: dot,
    ops.CONV: convolution,
    ops.FFT: fft,
}
