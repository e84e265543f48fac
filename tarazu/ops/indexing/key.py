"""The key of `x[key]`, checked against the shape of `x` and sorted by what has to be done for it.

Basic parts (numbers, slices, None, ...) become bounds, axes to flip and a shape; tensors and lists of integers become
index tensors; a boolean tensor becomes the integer positions at which it is true.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from types import EllipsisType
from typing import Any, NamedTuple, SupportsIndex, TypeAlias

import numpy as np

from tarazu.base import dtypes
from tarazu.base.errors import ArgumentError, AxisError, DTypeError, OutOfRangeError
from tarazu.ir.types import Shape
from tarazu.ops.create import arange
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, Tensor


class Positions(NamedTuple):
    """Where a mask is true along one of its axes; a mask without axes counts as one of size 1 that the tensor lacks."""

    indices: Tensor
    size: int | None


class Key(NamedTuple):
    """A key, sorted out: bounds per axis, axes to flip, the shape after that, and index tensors by axis of that shape.

    `is_together` says whether the index tensors, and numbers if there are any, stand side by side.
    """

    cut: tuple[Shape, ...] | None  # starts, stops and steps, by axis; None where everything stays
    flipped: tuple[int, ...]
    shape: Shape
    tensors: dict[int, Tensor]
    is_together: bool


Index: TypeAlias = "SupportsIndex | slice | EllipsisType | ArrayLike | None"  # what users write
Part: TypeAlias = SupportsIndex | slice | Tensor | Positions | None  # with masks as positions and without ...

_NUMBERS = frozenset({int, type(None)})
_PLAIN = frozenset({int, slice, type(None), type(Ellipsis)})  # keys of these alone, the usual ones, are taken as is


def parse(shape: Shape, key: Index | tuple[Index, ...]) -> Key:
    """`key` checked against the shape of a tensor and sorted out."""
    known = _comparable(key) if {int}.issuperset(map(type, shape)) else None  # an unknown size equals a known one
    return _sorted_out(shape, key) if known is None else _parsed(shape, known)


def _comparable(key: Any) -> tuple[Any, ...] | None:
    """The key with slices as tuples, by which it is known again; None for one of other parts than numbers and slices.
    """
    if key.__class__ is int:
        return (key,)
    parts = []
    for part in key if key.__class__ is tuple else (key,):
        if part.__class__ is slice:
            part = part.start, part.stop, part.step
            if not _NUMBERS.issuperset(map(type, part)):
                return None
        elif part.__class__ not in _PLAIN:
            return None
        parts.append(part)
    return tuple(parts)


@functools.lru_cache(maxsize=1024)
def _parsed(shape: Shape, known: tuple[Any, ...]) -> Key:
    parts = tuple([slice(*part) if part.__class__ is tuple else part for part in known])
    return _sorted_out(shape, parts[0] if len(parts) == 1 else parts)


def _sorted_out(of_tensor: Shape, key: Index | tuple[Index, ...]) -> Key:
    bounds: list[tuple[int, int, int]] = []
    flipped: list[int] = []
    shape: list[int] = []
    tensors: dict[int, Tensor] = {}
    parts = _parts(list(key) if isinstance(key, tuple) else [key], of_tensor, key)
    for part in parts:
        if part is None:
            shape.append(1)
            continue
        if isinstance(part, Positions) and part.size is None:
            tensors[len(shape)] = part.indices
            shape.append(1)
            continue
        axis, size = len(bounds), of_tensor[len(bounds)]
        if isinstance(part, slice):
            first, last, stride, is_flipped = _slice_bounds(part, size)
            bounds.append((first, last, stride))
            flipped += [axis] * is_flipped
            shape.append(len(range(first, last, stride)))
        elif isinstance(part, Tensor | Positions):
            tensors[len(shape)] = _index_tensor(part, size, axis)
            bounds.append((0, size, 1))
            shape.append(size)
        else:
            number = _number(part, size, axis)
            bounds.append((number, number + 1, 1))
    stays = all(bound == (0, size, 1) for bound, size in zip(bounds, of_tensor, strict=True))
    cut = None if stays else tuple([tuple([bound[i] for bound in bounds]) for i in range(3)])
    return Key(cut, tuple(flipped), tuple(shape), tensors, not tensors or _stand_together(parts))


def as_indices(indices: ArrayLike) -> Tensor:
    """`indices` as a tensor; DTypeError unless it is of integers."""
    indices = as_value(indices)
    if indices.dtype.is_integer:
        return indices
    raise DTypeError(f"indices of {indices.dtype}", expected="integers", fix="cast them: i.astype(tz.int64)")


def _stand_together(parts: Sequence[Part]) -> bool:
    """Whether the tensors of a key stand side by side; numbers beside tensors count as such, as in NumPy."""
    indices = [i for i, part in enumerate(parts) if part is not None and not isinstance(part, slice)]
    return indices[-1] - indices[0] == len(indices) - 1


def _takes_axis(part: Part | EllipsisType) -> bool:
    return part is not None and part is not Ellipsis and not (isinstance(part, Positions) and part.size is None)


def _parts(items: list[Index], shape: Shape, key: object) -> list[Part]:
    """The items with masks as positions, lists as tensors, and slices for the axes that the key leaves out."""
    is_plain = _PLAIN.issuperset(map(type, items))
    parts: list[Any] = items if is_plain else [part for item in items for part in _expand(item)]
    gaps = [i for i, part in enumerate(parts) if part is Ellipsis]
    used = len(parts) - len(gaps) - parts.count(None) if is_plain else sum(map(_takes_axis, parts))
    if used > len(shape) or len(gaps) > 1:
        raise AxisError(f"the key {key!r} has {used} indices for a tensor of shape {shape}",
                        expected=f"at most {len(shape)} indices and one ...", fix="check the key against x.shape")
    gap = gaps[0] if gaps else len(parts)
    return parts[:gap] + [slice(None)] * (len(shape) - used) + parts[gap + len(gaps):]


def _expand(item: Index) -> list[Any]:
    """The item with lists as tensors, a mask as its positions along each of its axes, and anything else as it is."""
    if isinstance(item, list):
        is_mask = {type(element) for element in item} == {bool}
        item = np.array(item) if is_mask else as_value(item, None if item else dtypes.DEFAULT_INT)
    if isinstance(item, np.ndarray) and item.dtype != bool:
        item = as_value(item)
    if isinstance(item, bool | np.bool_ | np.ndarray) or (isinstance(item, Tensor) and item.dtype is dtypes.bool_):
        mask = np.asarray(item)  # positions depend on data, which a trace does not have; this raises there
        if mask.ndim == 0:
            return [Positions(arange(int(mask)), None)]
        return [Positions(as_value(along), size) for along, size in zip(np.nonzero(mask), mask.shape, strict=True)]
    return [item]


def _index_tensor(part: Tensor | Positions, size: int, axis: int) -> Tensor:
    if isinstance(part, Tensor):
        return as_indices(part)
    if part.size not in (size, 0):  # one without elements picks nothing anywhere
        raise AxisError(f"a mask of size {part.size} for axis {axis} of size {size}",
                        expected=f"a mask of size {size}",
                        fix="make the mask from the tensor that it indexes: x[x > 0]")
    return part.indices


def _slice_bounds(part: slice, size: int) -> tuple[int, int, int, bool]:
    """Bounds with a positive step, and whether the order of the result has to be reversed."""
    start, stop, step = part.indices(size)
    if step == 1 and start < stop:
        return start, stop, 1, False
    count = len(range(start, stop, step))
    if count == 0:
        return 0, 0, 1, False
    last = start + (count - 1) * step
    return (start, last + 1, step, False) if step > 0 else (last, start + 1, -step, True)


def _number(part: SupportsIndex, size: int, axis: int) -> int:
    try:
        number = operator.index(part)
    except TypeError:
        raise ArgumentError(f"an index of type {type(part).__name__}: {part!r}",
                            expected="integers, slices, None, ..., or tensors of integers or booleans",
                            fix="convert it first, for example int(i)") from None
    if not -size <= number < size:
        raise OutOfRangeError(f"index {number} on axis {axis} of size {size}",
                              expected=f"an index from {-size} to {size - 1}", fix="check the index against x.shape")
    return number % size
