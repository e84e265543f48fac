"""Elements that are taken several times: padding modes, repetition, sliding windows."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from tarazu.base.checks import whole_number
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops import shape
from tarazu.ops.create import arange
from tarazu.ops.elementwise import add
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_value
from tarazu.ops.shape import broadcast_to, expand_dims, moveaxis, normalize_axis, reshape
from tarazu.ops.typing import ArrayLike, Tensor

Widths = int | tuple[int, int] | Sequence[tuple[int, int]]  # for all axes, or (before, after) for each

_MODES = ("edge", "reflect", "wrap")  # of np.pad, which is applied to the indices of an axis


def pad(x: ArrayLike, widths: Widths, value: ArrayLike = 0, *, mode: str = "constant") -> Tensor:
    """`x` with `widths[i] = (before, after)` elements added along axis i; one pair, or one number, is for all axes.

    The mode "constant" adds `value`, "edge" repeats the outermost element, "reflect" mirrors at it without repeating
    it, "wrap" goes on at the other end. Widths below 0 cut elements off. ArgumentError for another mode and widths that
    are no whole numbers, ShapeError for another number of pairs than axes, for more elements cut off than there are, or
    an axis of size 0 to take elements from.

    >>> import tarazu as tz
    >>> tz.pad(tz.tensor([1, 2]), [(1, 2)])
    Tensor([0, 1, 2, 0, 0], dtype=int64)
    >>> tz.pad(tz.tensor([1, 2, 3]), [(2, 1)], mode="reflect")
    Tensor([3, 2, 1, 2, 3, 2], dtype=int64)
    """
    x = as_value(x)
    pairs = _width_pairs(widths, len(x.shape))
    if mode == "constant":
        return shape.pad(x, pairs, value)
    if mode not in _MODES:
        raise ArgumentError(f"pad: mode={mode!r}", expected="constant, edge, reflect or wrap",
                            fix="leave it out to pad with a value")
    if len(pairs) != len(x.shape):
        raise ShapeError(f"pad: widths {pairs} for shape {x.shape}", expected="a pair for each axis",
                         fix="(0, 0) leaves an axis as it is")
    x = shape.cropped(x, pairs)
    for axis, (before, after) in enumerate(pairs):
        if before > 0 or after > 0:
            x = take(x, _padded_indices(x.shape[axis], (max(before, 0), max(after, 0)), mode), axis)
    return x


def _width_pairs(widths: Widths, rank: int) -> list[tuple[int, int]]:
    match widths:
        case int():
            return [(widths, widths)] * rank
        case int(before), int(after):
            return [(before, after)] * rank
    try:
        return [(operator.index(before), operator.index(after)) for before, after in widths]
    except (TypeError, ValueError):
        raise ArgumentError(f"pad: widths {widths!r}", expected="a pair (before, after) of whole numbers for each axis",
                            fix="one number, or one pair, is for all axes") from None


def _padded_indices(size: int, pair: tuple[int, int], mode: str) -> np.ndarray:
    if size == 0:
        raise ShapeError(f"pad: mode={mode!r} along an axis of size 0", expected="an element to take values from",
                         fix='use mode="constant"')
    return np.pad(np.arange(size), pair, mode=mode)  # type: ignore[call-overload]


def repeat(x: ArrayLike, repeats: int | ArrayLike, /, *, axis: int | None = None) -> Tensor:
    """Each element, or each slice along an axis, `repeats` times in a row; without `axis`, of the flattened tensor.

    `repeats` is a number, or a vector with a number for each slice (TraceError then inside a traced function).
    ShapeError for a vector of another size, ArgumentError for a number below 0 or no whole number, AxisError for an
    axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.repeat(tz.tensor([1, 2]), 2)
    Tensor([1, 1, 2, 2], dtype=int64)
    """
    x = as_value(x)
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis = normalize_axis(axis, len(x.shape), "repeat")
    size = x.shape[axis]
    if not isinstance(repeats, int):
        repeats = np.asarray(repeats)
        if repeats.dtype.kind not in "iub" or (repeats.size and repeats.min() < 0):
            raise ArgumentError(f"repeat: repeats {repeats.tolist()!r}", expected="whole numbers of at least 0",
                                fix="round them first")
        if repeats.shape not in ((), (1,), (size,)):
            raise ShapeError(f"repeat: repeats of shape {repeats.shape} for an axis of size {size}",
                             expected=f"a number, or a vector of size {size}", fix="check the axis")
        return take(x, np.repeat(np.arange(size), repeats), axis)
    whole_number(f"repeat: repeats={repeats!r}", repeats, least=0)
    split = expand_dims(x, axis + 1)
    wide = broadcast_to(split, (*x.shape[:axis + 1], repeats, *x.shape[axis + 1:]))
    return reshape(wide, (*x.shape[:axis], size * repeats, *x.shape[axis + 1:]))


def unfold(x: ArrayLike, size: int, *, step: int = 1, axis: int = -1) -> Tensor:
    """The windows of `size` elements, `step` apart, along an axis; a new last axis runs inside the windows.

    An axis of n elements becomes (n - size) // step + 1 windows. ArgumentError for a size above n, a size or step below
    1, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.unfold(tz.arange(5), 3, step=2)
    Tensor([[0, 1, 2],
            [2, 3, 4]], dtype=int64)
    """
    x = as_value(x)
    axis = normalize_axis(axis, len(x.shape), "unfold")
    if not 1 <= size <= x.shape[axis] or step < 1:
        raise ArgumentError(f"unfold: windows of {size}, {step} apart, on an axis of size {x.shape[axis]}",
                            expected=f"a size from 1 to {x.shape[axis]} and a step of at least 1",
                            fix="pad the tensor first, or take smaller windows")
    size, step = whole_number(f"unfold: size={size!r}", size), whole_number(f"unfold: step={step!r}", step)
    starts = arange(0, x.shape[axis] - size + 1, step)
    return moveaxis(take(x, add(expand_dims(starts, 1), arange(size)), axis), axis + 1, -1)
