"""The distinct elements of a tensor. How many there are depends on the data, so these are not for traced functions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tarazu.ops.promote import as_value
from tarazu.ops.shape import reshape


class UniqueAll(NamedTuple):
    """The distinct values, where each first stands, which of them each element is, and how often each occurs."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """The distinct values and how often each occurs."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """The distinct values and which of them each element is."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /) -> UniqueAll:
    """The distinct values in ascending order, their first places in the flattened tensor, and per element which it is.

    Every nan is distinct, as in the array API standard.

    >>> import tarazu as tz
    >>> tz.unique_all(tz.tensor([3, 1, 3])).counts
    Tensor([1, 2], dtype=int64)
    """
    x = as_value(x)
    values, indices, inverse, counts = np.unique(np.asarray(x), True, True, True, equal_nan=False)
    return UniqueAll(as_value(values), as_value(indices), reshape(as_value(inverse), x.shape), as_value(counts))


def unique_counts(x: Any, /) -> UniqueCounts:
    """The distinct values in ascending order and how often each occurs; every nan is distinct."""
    values, counts = np.unique(np.asarray(as_value(x)), return_counts=True, equal_nan=False)
    return UniqueCounts(as_value(values), as_value(counts))


def unique_inverse(x: Any, /) -> UniqueInverse:
    """The distinct values in ascending order and, in the shape of `x`, which of them each element is."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Any, /) -> Any:
    """The distinct values in ascending order; every nan is distinct.

    >>> import tarazu as tz
    >>> tz.unique_values(tz.tensor([3, 1, 3]))
    Tensor([1, 3], dtype=int64)
    """
    return as_value(np.unique(np.asarray(as_value(x)), equal_nan=False))
