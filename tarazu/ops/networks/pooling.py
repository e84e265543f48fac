"""Pooling: the maximum, the mean or the norm of windows over one, two or three axes, channels last.

Windows that lie side by side without padding are a reshape; others are strided slices, one per element of the window.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tarazu.base import dtypes
from tarazu.base.checks import flag
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.type_rules.convolution import Widths, convolved_size, span
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import abs, abs_square, add, divide, equal, pow, where
from tarazu.ops.networks.window_options import Numbers, Padding, Sizes, padding_widths, per_axis, require_windows_fit
from tarazu.ops.promote import as_float, as_value, rounded_like, single
from tarazu.ops.reduce import max, mean
from tarazu.ops.shape import concat, pad, reshape, slice_axis, stack
from tarazu.ops.typing import ArrayLike, Scalar, Tensor


def max_pool(x: ArrayLike, window: Numbers, *, stride: Numbers | None = None, padding: Padding = "valid",
             dilation: Numbers = 1, ceil_mode: bool = False) -> Tensor:
    """The largest element of each window, for each channel: (batch, *sizes, channels) to (batch, *windows, channels).

    Options are one number or one per axis: `stride` from one window to the next (the size of the window unless given),
    `padding` as in `conv2d` (what is added is never the largest), `dilation` between the elements of a window. With
    `ceil_mode` a last window that begins inside, but ends beyond the input and its padding, counts too. Equal largest
    elements share the gradient. ShapeError for an input without these axes, windows that do not fit, or padding as wide
    as a window; ArgumentError for options out of range.

    >>> import tarazu as tz
    >>> tz.max_pool(tz.tensor([[[1.0], [3.0], [2.0], [5.0]]]), 2).flatten()
    Tensor([3., 5.], dtype=float32)
    """
    x = as_value(x)
    windows = windows_of("max_pool", x, window, stride, padding, dilation, ceil_mode=ceil_mode)
    return _max_pool(x, window=windows.sizes, stride=windows.strides, padding=windows.reach, dilation=windows.dilation)


def average_pool(x: ArrayLike, window: Numbers, *, stride: Numbers | None = None, padding: Padding = "valid",
                 count_padding: bool = False, ceil_mode: bool = False) -> Tensor:
    """The mean of each window, for each channel: (batch, *sizes, channels) to (batch, *windows, channels).

    Options and errors as in `max_pool`, without dilation; with `count_padding` the padding counts as zeros, else it
    does not count. What `ceil_mode` has windows reach beyond the padding never counts.

    >>> import tarazu as tz
    >>> tz.average_pool(tz.tensor([[[1.0], [3.0], [2.0], [5.0]]]), 3, stride=1, padding="same").flatten()
    Tensor([2.       , 2.       , 3.3333333, 3.5      ], dtype=float32)
    """
    x = as_float(x)
    windows = windows_of("average_pool", x, window, stride, padding, 1, ceil_mode=ceil_mode)
    counted = windows.padding if flag("count_padding", count_padding) else ((0, 0),) * len(windows.sizes)
    return _average_pool(x, window=windows.sizes, stride=windows.strides, padding=windows.reach, counted=counted)


def lp_pool(x: ArrayLike, window: Numbers, p: float = 2, *, stride: Numbers | None = None, padding: Padding = "valid",
            ceil_mode: bool = False) -> Tensor:
    """The norm sum(|x| ** p) ** (1 / p) of each window, for each channel (Sermanet, Chintala and LeCun, 2012).

    (batch, *sizes, channels) to (batch, *windows, channels); options and errors as in `average_pool`, padding counts as
    zeros. The gradient of a window of zeros is 0. ArgumentError for a `p` of 0 or below.

    >>> import tarazu as tz
    >>> tz.lp_pool(tz.tensor([[[3.0], [-4.0], [0.0], [2.0]]]), 2).flatten()
    Tensor([5., 2.], dtype=float32)
    """
    if not p > 0:
        raise ArgumentError(f"lp_pool: p={p!r}", expected="a number above 0",
                            fix="leave it out for 2; tz.max_pool is the limit of large ones")
    x = as_float(x)
    windows = windows_of("lp_pool", x, window, stride, padding, 1, ceil_mode=ceil_mode)
    wide = single(x)
    powers = abs_square(wide) if p == 2 else _safe_power(abs(wide), p)
    sums = _window_sums(powers, windows.sizes, windows.strides, windows.reach)
    return rounded_like(_safe_power(sums, 1 / p), x)


def _safe_power(x: Tensor, power: float) -> Tensor:
    """x ** power of numbers not below 0, whose gradient at 0 is 0."""
    is_zero = equal(x, 0)
    return where(is_zero, 0.0, pow(where(is_zero, 1.0, x), power))


def adaptive_max_pool(x: ArrayLike, sizes: Numbers) -> Tensor:
    """The maximum of each of `sizes` parts per axis: (batch, *old sizes, channels) to (batch, *sizes, channels).

    Part i of m in an axis of n elements goes from floor(i n / m) to ceil((i + 1) n / m), as in torch. Axis after axis,
    equal largest elements share the gradient. ShapeError for an input without these axes or elements, ArgumentError for
    sizes below 1.

    >>> import tarazu as tz
    >>> tz.adaptive_max_pool(tz.tensor([[[1.0], [3.0], [2.0], [5.0], [4.0]]]), 2).flatten()
    Tensor([3., 5.], dtype=float32)
    """
    x = as_value(x)
    return _adaptive_max_pool(x, sizes=_target_sizes("adaptive_max_pool", x, sizes))


def adaptive_average_pool(x: ArrayLike, sizes: Numbers) -> Tensor:
    """The mean of each of `sizes` parts per axis: (batch, *old sizes, channels) to (batch, *sizes, channels).

    Parts and errors as in `adaptive_max_pool`; sizes=1 is the mean of all (global average pooling; Lin, Chen and Yan,
    2014).

    >>> import tarazu as tz
    >>> tz.adaptive_average_pool(tz.tensor([[[1.0], [3.0], [2.0], [6.0]]]), 2).flatten()
    Tensor([2., 4.], dtype=float32)
    """
    x = as_float(x)
    return _adaptive_average_pool(x, sizes=_target_sizes("adaptive_average_pool", x, sizes))


# Options --------------------------------------------------------------------------------------------------------

def _axes(name: str, x: Tensor) -> int:
    """How many axes lie between the batch and the channels."""
    if len(x.shape) < 3:
        raise ShapeError(f"{name}: an input of shape {x.shape}", expected="(batch, *sizes, channels)",
                         fix="x[None] is a batch of one, x[..., None] has one channel")
    return len(x.shape) - 2


class Windows(NamedTuple):
    """The windows over an input. They reach over it by `reach`: the padding, and behind it what `ceil_mode` adds."""

    sizes: Sizes
    strides: Sizes
    dilation: Sizes
    padding: Widths
    reach: Widths


def windows_of(name: str, x: Tensor, window: Numbers, stride: Numbers | None, padding: Padding,
               dilation: Numbers, *, ceil_mode: bool = False) -> Windows:
    """The windows that the options of a pooling function say. Raises ShapeError and ArgumentError."""
    axes = _axes(name, x)
    sizes = per_axis(name, "window", window, axes)
    strides = per_axis(name, "stride", window if stride is None else stride, axes)
    gaps = per_axis(name, "dilation", dilation, axes)
    spans = [span(k, d) for k, d in zip(sizes, gaps, strict=True)]
    widths = padding_widths(name, padding, x.shape[1:-1], spans, strides)
    if any(before >= reach or after >= reach for (before, after), reach in zip(widths, spans, strict=True)):
        raise ShapeError(f"{name}: padding {widths} for windows that span {tuple(spans)}",
                         expected="less padding than a window is wide, so that none is empty",
                         fix="half the window is usual")
    require_windows_fit(name, x.shape, spans, widths)
    reach = widths
    if flag(f"{name}: ceil_mode", ceil_mode):
        reach = tuple(map(_with_last_window, x.shape[1:-1], spans, strides, widths))
    return Windows(sizes, strides, gaps, widths, reach)


def _with_last_window(size: int, span: int, stride: int, widths: tuple[int, int]) -> tuple[int, int]:
    """The widths, with room behind for a last window that begins inside the input or the padding before it."""
    before, after = widths
    count = -(-(size + before + after - span) // stride) + 1
    if (count - 1) * stride >= size + before:
        count -= 1
    needed = (count - 1) * stride + span - size - before
    return before, needed if needed > after else after


def _target_sizes(name: str, x: Tensor, sizes: Numbers) -> Sizes:
    wanted = per_axis(name, "sizes", sizes, _axes(name, x))
    if 0 in x.shape[1:-1]:
        raise ShapeError(f"{name}: an input of shape {x.shape}", expected="at least one element along each axis",
                         fix="check the sizes before")
    return wanted


# Bodies ---------------------------------------------------------------------------------------------------------

@composite("max_pool")
def _max_pool(x: Tensor, *, window: Sizes, stride: Sizes, padding: Widths, dilation: Sizes) -> Tensor:
    tiles = _tiles(x, window, stride, padding, dilation)
    if tiles is not None:
        return max(tiles, tuple(range(2, len(tiles.shape) - 1, 2)))
    return max(stack(padded_elements(x, window, stride, padding, dilation)), 0)


@composite("average_pool")
def _average_pool(x: Tensor, *, window: Sizes, stride: Sizes, padding: Widths, counted: Widths) -> Tensor:
    tiles = _tiles(x, window, stride, padding, (1,) * len(window))
    if tiles is not None:
        return mean(tiles, tuple(range(2, len(tiles.shape) - 1, 2)))
    total = _window_sums(single(x), window, stride, padding)
    return rounded_like(divide(total, as_value(_counts(x, window, stride, padding, counted), total.dtype)), x)


def _window_sums(x: Tensor, window: Sizes, stride: Sizes, padding: Widths) -> Tensor:
    total, plain = _padded(x, padding, 0), (1,) * len(window)
    for axis, (size, step) in enumerate(zip(window, stride, strict=True)):  # one axis after another: fewer slices
        parts = window_elements(total, _at(axis, size, plain), _at(axis, step, plain), plain)
        total = parts[0]
        for part in parts[1:]:
            total = add(total, part)
    return total


@composite("adaptive_max_pool")
def _adaptive_max_pool(x: Tensor, *, sizes: Sizes) -> Tensor:
    return _by_parts(max, x, sizes)


@composite("adaptive_average_pool")
def _adaptive_average_pool(x: Tensor, *, sizes: Sizes) -> Tensor:
    return _by_parts(mean, x, sizes)


def _at(axis: int, value: int, sizes: Sizes) -> Sizes:
    return (*sizes[:axis], value, *sizes[axis + 1:])


def _by_parts(reduce: Callable[..., Tensor], x: Tensor, sizes: Sizes) -> Tensor:
    for axis, parts in enumerate(sizes, 1):
        size = x.shape[axis]
        if size % parts == 0:
            x = reduce(reshape(x, (*x.shape[:axis], parts, size // parts, *x.shape[axis + 1:])), axis + 1)
        else:
            bounds = [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
            x = concat([reduce(slice_axis(x, axis, *bound), axis, keepdims=True) for bound in bounds], axis)
    return x


def _tiles(x: Tensor, window: Sizes, stride: Sizes, padding: Widths, dilation: Sizes) -> Tensor | None:
    """`x` with each axis split in (windows, elements), where windows lie side by side; else None."""
    if stride != window or any(map(any, padding)) or any(gap != 1 for gap in dilation):
        return None
    counts = [n // size for n, size in zip(x.shape[1:], window, strict=False)]
    covered = (x.shape[0], *(n * size for n, size in zip(counts, window, strict=True)), x.shape[-1])
    if covered != x.shape:
        x = bind(ops.SLICE, x, start=(0,) * len(covered), stop=covered, step=(1,) * len(covered))
    split = itertools.chain.from_iterable(zip(counts, window, strict=True))
    return reshape(x, (x.shape[0], *split, x.shape[-1]))


def _padded(x: Tensor, padding: Widths, value: Scalar) -> Tensor:
    return pad(x, [(0, 0), *padding, (0, 0)], as_value(value, x.dtype)) if any(map(any, padding)) else x


def _least(dtype: dtypes.DType) -> Scalar:
    """The least value of a dtype, with which max pooling pads."""
    if dtype.is_integer:
        return int(np.iinfo(dtype.numpy).min)
    return False if dtype is dtypes.bool_ else -math.inf


def padded_elements(x: Tensor, window: Sizes, stride: Sizes, padding: Widths, dilation: Sizes) -> list[Tensor]:
    """`window_elements` of `x` padded with the least value of its dtype."""
    return window_elements(_padded(x, padding, _least(x.dtype)), window, stride, dilation)


def window_elements(x: Tensor, window: Sizes, stride: Sizes, dilation: Sizes) -> list[Tensor]:
    """For each element of the window, in order, a tensor of that element of all windows."""
    counts = list(map(convolved_size, x.shape[1:-1], window, stride, ((0, 0),) * len(window), dilation,
                      (1,) * len(window)))
    elements = []
    for offsets in itertools.product(*(range(0, span(k, d), d) for k, d in zip(window, dilation, strict=True))):
        stop = (x.shape[0], *(a + span(n, s) for a, n, s in zip(offsets, counts, stride, strict=True)), x.shape[-1])
        elements.append(bind(ops.SLICE, x, start=(0, *offsets, 0), stop=stop, step=(1, *stride, 1)))
    return elements


def _counts(x: Tensor, window: Sizes, stride: Sizes, padding: Widths, counted: Widths) -> np.ndarray:
    """How many elements of each window count: those of `x` and of what `counted` says around it."""
    total = np.ones(1)
    for n, k, s, (before, after), (first, last) in zip(x.shape[1:-1], window, stride, padding, counted, strict=True):
        starts = np.arange(0, n + before + after - k + 1, s) - before
        total = total[..., None] * (np.minimum(starts + k, n + last) - np.maximum(starts, -first))
    return total[0, ..., None]
