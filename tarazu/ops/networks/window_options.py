"""The options of convolution and pooling: numbers per axis, and the widths of padding."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.type_rules.convolution import Widths

Numbers: TypeAlias = int | Sequence[int]  # one for all axes, or one per axis
Padding: TypeAlias = str | int | Sequence[int | Sequence[int]]  # "valid", "same", widths, or pairs (before, after)
Sizes: TypeAlias = tuple[int, ...]
CHANNELS_LAST = ("channels are the last axis here: np.moveaxis(x, 1, -1) moves them there from axis 1, where torch has "
                 "them")


def per_axis(name: str, option: str, value: Numbers, axes: int, *, least: int = 1) -> Sizes:
    """`value`, one whole number or one per axis, as a tuple of one per axis. Raises ArgumentError."""
    try:
        numbers = tuple(map(operator.index, value if isinstance(value, Sequence) else (value,) * axes))
    except TypeError:
        numbers = ()
    if len(numbers) != axes or min(numbers) < least:
        many = f", or {axes} of them" if axes > 1 else ""
        raise ArgumentError(f"{name}: {option}={value!r}", expected=f"a whole number of at least {least}{many}",
                            fix=f"pass for example {option}={max(least, 1)}")
    return numbers


def padding_widths(name: str, padding: Padding, sizes: Sequence[int], spans: Sequence[int],
                   strides: Sequence[int]) -> Widths:
    """`padding` as (before, after) per axis, for windows that span `spans`. Raises ArgumentError."""
    if padding == "valid":
        return ((0, 0),) * len(sizes)
    if padding == "same":
        return tuple(map(_same, sizes, spans, strides))
    widths = list(padding) if isinstance(padding, list | tuple) else [padding] * len(sizes)
    pairs = [tuple(width) if isinstance(width, list | tuple) else (width, width) for width in widths]
    if len(pairs) != len(sizes) or not all(
            len(pair) == 2 and all(isinstance(n, int | np.integer) and n >= 0 for n in pair) for pair in pairs):
        raise ArgumentError(f"{name}: padding={padding!r}",
                            expected='"valid", "same", or whole numbers of at least 0: one, one per axis, or a pair '
                                     "(before, after) per axis",
                            fix='"same" keeps the sizes when the stride is 1')
    return tuple((int(before), int(after)) for before, after in pairs)


def require_windows_fit(name: str, shape: Sizes, spans: Sequence[int], widths: Widths) -> None:
    """ShapeError for windows that span more than the axes of an input of this shape between batch and channels."""
    if any(n + before + after < reach for n, (before, after), reach in zip(shape[1:-1], widths, spans, strict=True)):
        raise ShapeError(f"{name}: windows that span {tuple(spans)} in an input of shape {shape}",
                         expected="windows that fit into the axes between the batch and the channels, with the padding",
                         fix='use a smaller window, fewer layers that shrink the input, or padding="same"; '
                             f"{CHANNELS_LAST}")


def _same(size: int, span: int, stride: int) -> tuple[int, int]:
    """Zeros before and after so that ceil(size / stride) windows fit; the odd one goes behind."""
    windows = -(-size // stride)
    total = max((windows - 1) * stride + span - size, 0)
    return total // 2, total - total // 2
