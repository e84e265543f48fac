"""Reading and replacing parts of a tensor: `x[key]`, `x[key] = y`, take, gather and scatter.

A key is taken apart in two steps: the basic parts (numbers, slices, None, ...) become SLICE, FLIP and RESHAPE;
tensors and lists of integers become one GATHER; a boolean tensor becomes the integer positions at which it is true.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from tarazu.base import dtypes
from tarazu.base.errors import ArgumentError, AxisError, DTypeError, OutOfRangeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import Value, bind
from tarazu.ops.create import arange
from tarazu.ops.promote import as_value, cast
from tarazu.ops.shape import broadcast_to, flip, normalize_axis, permute_dims, reshape


class Positions(NamedTuple):
    """Where a mask is true along one of its axes; a mask without axes counts as one of size 1 that the tensor lacks."""

    indices: Any
    size: int | None


class Key(NamedTuple):
    """A key, sorted out: bounds per axis, axes to flip, the shape then, and index tensors by axis of that shape.

    `is_together` says whether the index tensors, and numbers if there are any, stand side by side.
    """

    bounds: tuple[tuple[int, int, int], ...]
    flipped: tuple[int, ...]
    shape: tuple[int, ...]
    tensors: dict[int, Any]
    is_together: bool


def getitem(x: Value, key: Any) -> Any:
    """x[key], by numbers, slices, None, ..., tensors or lists of integers, and boolean tensors."""
    parsed = parse(x, key)
    out = x
    if parsed.bounds != tuple([(0, size, 1) for size in x.shape]):
        start, stop, step = zip(*parsed.bounds, strict=True)
        out = bind(ops.SLICE, out, start=start, stop=stop, step=step)
    if parsed.flipped:
        out = flip(out, parsed.flipped)
    if out.shape != parsed.shape or out is x:
        out = bind(ops.RESHAPE, out, shape=parsed.shape)
    if not parsed.tensors:
        return out
    return _place_index_axes(gather(out, parsed.tensors), parsed)


def setitem(x: Value, key: Any, value: Any) -> Any:
    """A tensor like `x` with the places that `key` names replaced by `value`."""
    places = reshape(arange(int(np.prod(x.shape, dtype=int))), x.shape)
    chosen = getitem(places, key)
    updates = broadcast_to(cast(as_value(value, x.dtype), x.dtype), chosen.shape)
    flat = scatter_set(reshape(x, -1), updates, (chosen,), (0,))
    return reshape(flat, x.shape)


def gather(x: Value, tensors: dict[int, Any]) -> Any:
    """The elements at the given indices, by axis; the axes of the index tensors come first in the result."""
    return bind(ops.GATHER, x, *tensors.values(), axes=tuple(tensors))


def scatter_add(x: Any, updates: Any, indices: tuple[Any, ...], axes: tuple[int, ...]) -> Any:
    """`x` with `updates` added at the indices; where an index stands twice, both are added."""
    return bind(ops.SCATTER_ADD, as_value(x), as_value(updates), *map(_as_indices, indices), axes=axes)


def scatter_set(x: Any, updates: Any, indices: tuple[Any, ...], axes: tuple[int, ...]) -> Any:
    """`x` with the elements at the indices replaced by `updates`; where an index stands twice, the last one counts."""
    return bind(ops.SCATTER_SET, as_value(x), as_value(updates), *map(_as_indices, indices), axes=axes)


def take(x: Any, indices: Any, axis: int = 0) -> Any:
    """The slices of `x` along an axis that `indices` name, in their order.

    >>> import tarazu as tz
    >>> tz.take(tz.tensor([10, 20, 30]), tz.tensor([2, 0]))
    Tensor([30, 10], dtype=int64)
    """
    x, indices = as_value(x), _as_indices(indices)
    place = normalize_axis(axis, len(x.shape), "take")
    taken = gather(x, {place: indices})
    width = len(indices.shape)
    return permute_dims(taken, (*range(width, width + place), *range(width), *range(width + place, len(taken.shape))))


def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    """For each position the element of `x` that `indices`, of the same rank, names along the axis."""
    x, indices = as_value(x), _as_indices(indices)
    rank = len(x.shape)
    place = normalize_axis(axis, rank, "take_along_axis")
    grid: dict[int, Any] = {}
    for i, size in enumerate(indices.shape):
        grid[i] = indices if i == place else reshape(arange(size), (1,) * i + (-1,) + (1,) * (rank - i - 1))
    return gather(x, grid)


def _as_indices(indices: Any) -> Any:
    indices = as_value(indices)
    if indices.dtype.is_integer:
        return indices
    raise DTypeError(f"indices of {indices.dtype}", expected="integers", fix="cast them: i.astype(tz.int64)")


# Taking a key apart ---------------------------------------------------------------------------------------------

_PLAIN = frozenset({int, slice, type(None), type(Ellipsis)})  # keys of these alone, the usual ones, are taken as is


def parse(x: Value, key: Any) -> Key:
    """`key` checked against the shape of `x` and sorted out."""
    bounds: list[tuple[int, int, int]] = []
    flipped: list[int] = []
    shape: list[int] = []
    tensors: dict[int, Any] = {}
    items = _with_full_length(list(key) if isinstance(key, tuple) else [key], x.shape, key)
    for item in items:
        if item is None:
            shape.append(1)
            continue
        if isinstance(item, Positions) and item.size is None:
            tensors[len(shape)] = item.indices
            shape.append(1)
            continue
        axis, size = len(bounds), x.shape[len(bounds)]
        if isinstance(item, slice):
            first, last, stride, is_flipped = _slice_bounds(item, size)
            bounds.append((first, last, stride))
            flipped += [axis] * is_flipped
            shape.append(len(range(first, last, stride)))
        elif isinstance(item, Value | Positions):
            tensors[len(shape)] = _index_tensor(item, size, axis)
            bounds.append((0, size, 1))
            shape.append(size)
        else:
            number = _number(item, size, axis)
            bounds.append((number, number + 1, 1))
    return Key(tuple(bounds), tuple(flipped), tuple(shape), tensors, not tensors or _stand_together(items))


def _stand_together(items: list[Any]) -> bool:
    """Whether the tensors of a key stand side by side; numbers beside tensors count as such, as in NumPy."""
    places = [i for i, item in enumerate(items) if item is not None and not isinstance(item, slice)]
    return places[-1] - places[0] == len(places) - 1


def _takes_axis(item: Any) -> bool:
    return item is not None and item is not Ellipsis and not (isinstance(item, Positions) and item.size is None)


def _with_full_length(items: list[Any], shape: tuple[int, ...], key: Any) -> list[Any]:
    """The items with masks as positions, lists as tensors, and slices for the axes that the key leaves out."""
    is_plain = _PLAIN.issuperset(map(type, items))
    expanded = items if is_plain else [part for item in items for part in _expand(item)]
    gaps = [i for i, item in enumerate(expanded) if item is Ellipsis]
    used = len(expanded) - len(gaps) - expanded.count(None) if is_plain else sum(map(_takes_axis, expanded))
    if used > len(shape) or len(gaps) > 1:
        raise AxisError(f"the key {key!r} has {used} indices for a tensor of shape {shape}",
                        expected=f"at most {len(shape)} indices and one ...", fix="check the key against x.shape")
    place = gaps[0] if gaps else len(expanded)
    return expanded[:place] + [slice(None)] * (len(shape) - used) + expanded[place + len(gaps):]


def _expand(item: Any) -> list[Any]:
    if isinstance(item, list):
        is_mask = {type(element) for element in item} == {bool}
        item = np.array(item) if is_mask else as_value(item, None if item else dtypes.DEFAULT_INT)
    if isinstance(item, np.ndarray) and item.dtype != bool:
        item = as_value(item)
    if isinstance(item, bool | np.bool_ | np.ndarray) or (isinstance(item, Value) and item.dtype is dtypes.bool_):
        mask = np.asarray(item)  # positions depend on data, which a trace does not have; this raises there
        if mask.ndim == 0:
            return [Positions(arange(int(mask)), None)]
        return [Positions(as_value(found), size) for found, size in zip(np.nonzero(mask), mask.shape, strict=True)]
    return [item]


def _index_tensor(item: Value | Positions, size: int, axis: int) -> Any:
    if isinstance(item, Value):
        return _as_indices(item)
    if item.size not in (size, 0):  # one without elements picks nothing anywhere
        raise AxisError(f"a mask of size {item.size} for axis {axis} of size {size}",
                        expected=f"a mask of size {size}",
                        fix="make the mask from the tensor that it indexes: x[x > 0]")
    return item.indices


def _slice_bounds(item: slice, size: int) -> tuple[int, int, int, bool]:
    """Bounds with a positive step, and whether the result has to be turned round."""
    start, stop, step = item.indices(size)
    if step == 1 and start < stop:
        return start, stop, 1, False
    count = len(range(start, stop, step))
    if count == 0:
        return 0, 0, 1, False
    last = start + (count - 1) * step
    return (start, last + 1, step, False) if step > 0 else (last, start + 1, -step, True)


def _number(item: Any, size: int, axis: int) -> int:
    try:
        number = operator.index(item)
    except TypeError:
        raise ArgumentError(f"an index of type {type(item).__name__}: {item!r}",
                            expected="integers, slices, None, ..., or tensors of integers or booleans",
                            fix="convert it first, for example int(i)") from None
    if not -size <= number < size:
        raise OutOfRangeError(f"index {number} on axis {axis} of size {size}",
                              expected=f"an index from {-size} to {size - 1}", fix="check the index against x.shape")
    return number % size


def _place_index_axes(gathered: Any, parsed: Key) -> Any:
    """Put the index axes where the index tensors stood, if side by side; else leave them first, as NumPy does."""
    if not parsed.is_together:
        return gathered
    positions = list(parsed.tensors)
    width = len(gathered.shape) - len(parsed.shape) + len(positions)
    before, rest = positions[0], len(gathered.shape)
    return permute_dims(gathered, (*range(width, width + before), *range(width), *range(width + before, rest)))
