"""Float64 columns whose values float32 cannot tell apart, such as Unix times: training would see few of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tarazu.base.messages import listing

SAMPLED = 4096  # rows by which columns are chosen for a full count
MOST_SAMPLED = 2**20  # elements of these rows
MATTERS = 0.01  # share of the distinct values of a column: rounding joins some neighbors in any large column


def precision_loss(array: np.ndarray, name: str, labels: Sequence[object] | None = None) -> str | None:
    """What float32 costs the columns of a 64-bit array, as text; None where that is nothing to speak of.

    `labels` are the names of the columns, else they are numbered.

    >>> precision_loss(1.7e9 + np.arange(4.0), "y")
    'y as float32 loses 3 of 4 distinct values; subtract the mean and scale it first (tz.data.Standardizer)'
    """
    if array.dtype.kind not in "fiu" or array.dtype.itemsize < 8 or not array.size or not array.ndim:
        return None
    columns = array.reshape(len(array), -1)
    lost = [(i, *counts) for i in _suspects(columns) if (counts := _distinct(columns[:, i]))]
    if not lost:
        return None
    labels = range(columns.shape[1]) if labels is None else labels
    i, gone, total = lost[0]
    where = name if array.ndim == 1 else f"column {labels[i]!r} of {name}"
    more = f" (so do columns {listing([str(labels[i]) for i, *_ in lost[1:]], 5)})" if len(lost) > 1 else ""
    return (f"{where} as float32 loses {gone:,} of {total:,} distinct values{more}; "
            "subtract the mean and scale it first (tz.data.Standardizer)")


def _suspects(columns: np.ndarray) -> Iterator[int]:
    """The columns that lose values in a sample of the rows."""
    rows = max(2, min(SAMPLED, MOST_SAMPLED // columns.shape[1]))
    sample = np.sort(columns[::max(1, len(columns) // rows)], axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        is_lost = (np.diff(sample, axis=0) > 0) & (np.diff(sample.astype(np.float32), axis=0) == 0)
    return iter(np.flatnonzero(is_lost.any(axis=0)).tolist())


def _distinct(column: np.ndarray) -> tuple[int, int] | None:
    """How many of its distinct values a column loses, and of how many; None where these are few."""
    values = np.unique(column)
    lost = len(values) - len(np.unique(values.astype(np.float32)))
    return (lost, len(values)) if lost > MATTERS * len(values) else None
