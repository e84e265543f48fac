"""What the order and the copies of rows tell: rows in both sets, targets in runs, columns that number the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tarazu.study.rows.plain import PlainRows
from tarazu.study.rows.transforms import normal_scores, one_hot

FEWEST_ORDERED = 20  # rows that are in the order of a column by chance once in 20! drawings


@dataclass(frozen=True)
class Copies:
    """`share` of the validation rows have the features of a training row, `same_target` its target too.

    `expected` is the share of training rows that have those of another training row: what rows that repeat by nature,
    such as those of few categories, would give. `p_value` is that of so many copies where `expected` is true.

    >>> Copies(0.5, 0.5, 0.0, 0.0).share
    0.5
    """

    share: float
    same_target: float
    expected: float
    p_value: float


@dataclass(frozen=True)
class NumberedColumn:
    """A column whose values rise, or fall, from each training row to the next, as row numbers, ids and times do.

    `inside` is the share of validation rows within its range in the training rows: if it tells the time, these rows
    are judged by a model that has seen later ones.

    >>> NumberedColumn("id", 0, 1.0).inside
    1.0
    """

    name: str
    column: int
    inside: float


SHARED = 0.01  # a p-value up to it says that rows are in both sets by more than nature repeats them


def copies_of(train: PlainRows, validation: PlainRows) -> Copies:
    """Which rows of both parts are alike."""
    keys = _keys([np.concatenate([train.x, validation.x])])
    own, other = keys[:len(train)], keys[len(train):]
    with_target = set(zip(own.tolist(), train.y.tolist(), strict=True))
    is_copy = np.isin(other, own)
    same = [pair in with_target for pair in zip(other.tolist(), validation.y.tolist(), strict=True)]
    counts = np.bincount(own)
    expected = float((counts[own] > 1).mean())
    return Copies(float(is_copy.mean()), float(np.mean(same)), expected,
                  copies_p_value(int(is_copy.sum()), len(is_copy), int((counts[own] > 1).sum()), len(train)))


def numbered_columns(train: PlainRows, validation: PlainRows) -> tuple[NumberedColumn, ...]:
    """The columns in whose order the training rows are."""
    if len(train) < FEWEST_ORDERED:
        return ()
    steps = np.diff(train.x, axis=0)
    found = np.flatnonzero((steps > 0).all(axis=0) | (steps < 0).all(axis=0))
    low, high = train.x.min(axis=0), train.x.max(axis=0)
    inside = ((validation.x > low) & (validation.x < high)).mean(axis=0)
    return tuple(NumberedColumn(train.names[i], int(i), float(inside[i])) for i in found)


def order_of_targets(rows: PlainRows) -> tuple[float, float]:
    """The correlation of the target of a row with that of the next, and its p-value where rows are in random order."""
    targets = one_hot(rows.y) if rows.has_classes else normal_scores(rows.y)[:, None]
    targets = targets - targets.mean(axis=0)
    covariance = targets.T @ targets / len(targets)
    total = float(np.trace(covariance))
    if total == 0 or len(targets) < FEWEST_ORDERED:
        return 0.0, 1.0
    correlation = float((targets[1:] * targets[:-1]).sum() / len(targets) / total)
    deviation = math.sqrt(float((covariance**2).sum()) / len(targets)) / total
    return correlation, math.erfc(abs(correlation) / deviation / math.sqrt(2))


def sources_of_copies(train: Sequence[np.ndarray], validation: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
    """For each validation row the number of the first training row that is alike in all arrays, or -1.

    Beside it how many of the training rows have another one like them.

    >>> sources, repeated = sources_of_copies([np.array([3, 5, 5])], [np.array([5, 4])])
    >>> sources.tolist(), repeated
    ([1, -1], 2)
    """
    keys = _keys([np.concatenate(both) for both in zip(train, validation, strict=True)])
    count = len(train[0])
    known, first, counts = np.unique(keys[:count], return_index=True, return_counts=True)
    at = np.minimum(np.searchsorted(known, keys[count:]), len(known) - 1)
    return np.where(known[at] == keys[count:], first[at], -1), int(counts[counts > 1].sum())


def _keys(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """A number for each row of arrays, equal for rows that are equal in all of them."""
    parts = [np.ascontiguousarray(x).reshape(len(x), -1).view(np.uint8) for x in arrays]
    rows = np.ascontiguousarray(np.hstack(parts))
    return np.unique(rows.view(np.dtype((np.void, rows.shape[1]))), return_inverse=True)[1].ravel()


def copies_p_value(copies: int, rows: int, repeated: int, train: int) -> float:
    """That of so many copies among `rows`, where `repeated` of the training rows have another one like them."""
    return tail(copies, rows, (repeated + 0.5) / (train + 1))


def tail(count: int, trials: int, share: float) -> float:
    """The probability of `count` or more successes in `trials`."""
    log = [math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * math.log(share)
           + (trials - k) * math.log1p(-share) for k in range(count, trials + 1)]
    return min(1.0, float(np.exp(log).sum()))
