"""Order: sort, argsort, the largest few."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise import subtract
from tarazu.ops.promote import as_value
from tarazu.ops.shape import flip, normalize_axis, slice_axis


def _sorted(x: Any, axis: int, descending: bool) -> tuple[Any, Any]:
    x = as_value(x)
    place = normalize_axis(axis, len(x.shape), "sort")
    if not descending:
        return bind(ops.SORT, x, axis=place)
    # equal elements keep their order: turned round, sorted, and turned round again
    values, indices = bind(ops.SORT, flip(x, place), axis=place)
    return flip(values, place), subtract(x.shape[place] - 1, flip(indices, place))


def sort(x: Any, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """`x` in ascending order along an axis; nan comes last.

    `stable` is there for the array API standard: the order of equal elements is kept in any case.
    """
    return _sorted(x, axis, descending)[0]


def argsort(x: Any, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The indices that sort `x` along an axis; equal elements keep their order, whatever `stable` says."""
    return _sorted(x, axis, descending)[1]


def topk(x: Any, k: int, *, axis: int = -1) -> tuple[Any, Any]:
    """The `k` largest elements along an axis, largest first, and their indices.

    >>> import tarazu as tz
    >>> tz.topk(tz.tensor([1, 5, 3]), 2)[0]
    Tensor([5, 3], dtype=int64)
    """
    values, indices = _sorted(x, axis, descending=True)
    place = normalize_axis(axis, len(values.shape), "topk")
    if not 0 <= k <= values.shape[place]:
        raise ArgumentError(f"topk: k={k} of an axis of size {values.shape[place]}",
                            expected=f"k from 0 to {values.shape[place]}", fix="check k against x.shape")
    return slice_axis(values, place, 0, k), slice_axis(indices, place, 0, k)
