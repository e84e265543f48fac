"""The distinct elements of a tensor. How many there are depends on the data, so these are not for traced functions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tarazu.base.checks import flag
from tarazu.ops.promote import as_value, rounded_like, single
from tarazu.ops.shape import normalize_axis
from tarazu.ops.typing import ArrayLike, Tensor


class UniqueAll(NamedTuple):
    """The distinct values, where each first stands, which of them each element is, and how often each occurs."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """The distinct values and how often each occurs."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """The distinct values and which of them each element is."""

    values: Tensor
    inverse_indices: Tensor


def unique(x: ArrayLike, axis: int | None = None, *, return_index: bool = False, return_inverse: bool = False,
           return_counts: bool = False) -> Tensor | tuple[Tensor, ...]:
    """The distinct values in ascending order; with `axis`, the distinct slices along it, in lexicographic order.

    Behind them, as asked for, as in NumPy: the index of the first of each, the number of the one that each element (or
    slice) is, and how often each occurs. Every nan is distinct. AxisError for an axis that `x` lacks, TraceError inside
    a traced function.

    >>> import tarazu as tz
    >>> tz.unique(tz.tensor([[1, 2], [0, 5], [1, 2]]), axis=0, return_counts=True)
    (Tensor([[0, 5],
            [1, 2]], dtype=int64), Tensor([1, 2], dtype=int64))
    """
    flags = {"return_index": return_index, "return_inverse": return_inverse, "return_counts": return_counts}
    results = _distinct(x, axis, **{name: flag(f"unique: {name}", is_asked) for name, is_asked in flags.items()})
    return tuple(results) if len(results) > 1 else results[0]


def _distinct(x: ArrayLike, axis: int | None = None, *, return_index: bool = False, return_inverse: bool = False,
              return_counts: bool = False) -> list[Tensor]:
    """The distinct values or slices, and what is asked for behind them."""
    x = as_value(x)
    if axis is not None:
        axis = normalize_axis(axis, len(x.shape), "unique")
    array = np.asarray(single(x))  # as NumPy does not know where nan of bfloat16 belong
    distinct = np.unique(  # type: ignore[call-overload]  # NumPy's types want the flags as literals
        array, return_index, return_inverse, return_counts, axis, equal_nan=False)
    values, *more = distinct if isinstance(distinct, tuple) else (distinct,)
    if return_inverse:
        position = int(return_index)
        more[position] = more[position].reshape(x.shape if axis is None else -1)
    return [rounded_like(as_value(values), x), *map(as_value, more)]


def unique_all(x: ArrayLike, /) -> UniqueAll:
    """The distinct values in ascending order, and where they are in `x`.

    `indices` says where each of the n values first stands in the flattened tensor (n), `inverse_indices` which value
    each element is (the shape of `x`), `counts` how often each value occurs (n). Every nan is distinct, as in the array
    API standard. TraceError inside a traced function.

    >>> import tarazu as tz
    >>> values, indices, inverse, counts = tz.unique_all(tz.tensor([3, 1, 3]))
    >>> values, inverse, counts
    (Tensor([1, 3], dtype=int64), Tensor([1, 0, 1], dtype=int64), Tensor([1, 2], dtype=int64))
    """
    return UniqueAll(*_distinct(x, return_index=True, return_inverse=True, return_counts=True))


def unique_counts(x: ArrayLike, /) -> UniqueCounts:
    """The distinct values in ascending order and how often each occurs; every nan is distinct.

    TraceError inside a traced function.

    >>> import tarazu as tz
    >>> tz.unique_counts(tz.tensor([3, 1, 3])).counts
    Tensor([1, 2], dtype=int64)
    """
    return UniqueCounts(*_distinct(x, return_counts=True))


def unique_inverse(x: ArrayLike, /) -> UniqueInverse:
    """The distinct values in ascending order and, in the shape of `x`, which of them each element is.

    Every nan is distinct. TraceError inside a traced function.

    >>> import tarazu as tz
    >>> tz.unique_inverse(tz.tensor([30, 10, 30])).inverse_indices
    Tensor([1, 0, 1], dtype=int64)
    """
    return UniqueInverse(*_distinct(x, return_inverse=True))


def unique_values(x: ArrayLike, /) -> Tensor:
    """The distinct values in ascending order; every nan is distinct. TraceError inside a traced function.

    >>> import tarazu as tz
    >>> tz.unique_values(tz.tensor([3, 1, 3]))
    Tensor([1, 3], dtype=int64)
    """
    return _distinct(x)[0]
