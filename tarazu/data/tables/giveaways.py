"""Columns that give the target away: copies of it, codes for it, and what is only known once it is known."""

from __future__ import annotations

import numpy as np

from tarazu.data.columns.column import Column
from tarazu.data.columns.notes import ColumnNote, kind_option
from tarazu.data.tables.target import CLASSIFICATION, Target

CERTAIN = 0.995  # share of rows (classes) or of the variance (numbers) that a column explains on its own
FEWEST_ROWS = 20
BINS = 256  # numbers with more distinct values are cut into so many parts of equally many rows


def giveaway_note(column: Column, numbers: np.ndarray | None, target: Target, labels: np.ndarray) -> ColumnNote | None:
    """A warning if `column` alone tells the target of nearly all rows; `numbers` are its numbers if it holds such.

    `labels` are the class numbers, or numbers, of the rows. Each row is guessed from the others with its value.
    """
    if len(labels) < FEWEST_ROWS:
        return None
    groups = _groups(column, numbers)
    share = _accuracy(groups, labels) if target.task == CLASSIFICATION else _explained(groups, labels)
    if share < CERTAIN:
        return None
    if target.task == CLASSIFICATION:
        what = f"alone predicts {target.name!r} in {_percent(share)} of rows"
    else:
        what = f"alone explains {_percent(share)} of the variance of {target.name!r}"
    return ColumnNote(column.name, f"{what}; if it is only known once the target is, leave it out: "
                      f"{kind_option('ignore', column.name)}", warning=True)


def _percent(share: float) -> str:
    return f"{np.floor(share * 1000) / 10:.3g} %"


def _groups(column: Column, numbers: np.ndarray | None) -> np.ndarray:
    """The number of the group that each row is in, by its value; missing cells are a group."""
    if numbers is None or (column.counts() > 0).sum() <= BINS:
        return column.codes + 1
    edges = np.nanquantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.where(np.isnan(numbers), 0, np.searchsorted(edges, numbers, side="right") + 1)


def _accuracy(groups: np.ndarray, labels: np.ndarray) -> float:
    """The share of rows whose class is that of most other rows of their group; 0 if one class has nearly all rows."""
    classes = int(labels.max()) + 1
    if np.bincount(labels).max() > (1 - 2 * (1 - CERTAIN)) * len(labels):
        return 0.0
    pairs, counts = np.unique(groups.astype(np.int64) * classes + labels, return_counts=True)
    group = pairs // classes
    order = np.lexsort((-counts, group))
    first = np.r_[True, np.diff(group[order]) > 0]  # the most frequent class of each group
    runner_up = np.zeros(len(order), np.int64)
    following = np.flatnonzero(first[:-1] & ~first[1:])
    runner_up[following] = counts[order][following + 1]
    sure = first & (counts[order] - 1 > runner_up)
    return float(counts[order][sure].sum() / len(labels))


def _explained(groups: np.ndarray, values: np.ndarray) -> float:
    """The share of the variance that is between groups, as far as groups have rows enough to tell."""
    _, number = np.unique(groups, return_inverse=True)
    counts = np.bincount(number)
    if 2 * len(counts) > len(values) or np.ptp(values) == 0:
        return 0.0
    inside = values - (np.bincount(number, values) / counts)[number]
    return float(1 - (inside**2).sum() / (len(values) - len(counts)) / values.var())
