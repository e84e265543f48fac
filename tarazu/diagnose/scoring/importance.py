"""Permutation importance: how much worse a model does when one column's values are shuffled among the rows.

L. Breiman, "Random forests", Machine Learning, 2001; A. Fisher, C. Rudin and F. Dominici, "All models are wrong, but
many are useful", JMLR, 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from tarazu.diagnose.measuring.bootstrap import interval, resampled_means

REPEATS = 5


class Importance(NamedTuple):
    """By how much the mean loss rises when `column` is shuffled, and the 95 % interval of that over the rows.

    >>> Importance("age", increase=0.3, low=0.2, high=0.4).low
    0.2
    """

    column: str
    increase: float
    low: float
    high: float


def permutation_importance(losses_of: Callable[[np.ndarray], np.ndarray], x: np.ndarray, columns: Mapping[str, slice],
                           repeats: int = REPEATS, seed: int = 0) -> tuple[Importance, ...]:
    """The importance of each of `columns`, most important first.

    `x` is (rows, features); `columns` names the features that are shuffled together, `losses_of(x)` gives the loss of
    each row, (rows,). Each column is shuffled `repeats` times. The interval is a bootstrap (Efron, 1979) over what each
    row adds, as the row that gets another's value and as the one that gives its own (Hoeffding, 1948). Of two columns
    that say the same, each alone seems to matter little.

    >>> x = np.random.default_rng(0).normal(size=(500, 2))
    >>> first, second = permutation_importance(lambda rows: (rows[:, 0] - x[:, 0]) ** 2, x,
    ...                                        {"unused": slice(1, 2), "used": slice(0, 1)})
    >>> first.column, 1.5 < first.increase < 2.5, second
    ('used', True, Importance(column='unused', increase=0.0, low=0.0, high=0.0))
    """
    generator = np.random.default_rng(seed)
    before = losses_of(x)
    parts = np.empty((len(x), len(columns)))
    for number, features in enumerate(columns.values()):
        parts[:, number] = np.mean([_row_parts(losses_of, x, before, features, generator) for _ in range(repeats)], 0)
    means, resampled = parts.mean(axis=0), resampled_means(parts, generator)
    found = [Importance(name, float(mean), *interval(float(mean), column, len(x)))
             for name, mean, column in zip(columns, means, resampled.T, strict=True)]
    return tuple(sorted(found, key=lambda each: -each.increase))


def _row_parts(losses_of: Callable[[np.ndarray], np.ndarray], x: np.ndarray, before: np.ndarray, features: slice,
               generator: np.random.Generator) -> np.ndarray:
    """What each row adds to the rise of the loss when `features` are shuffled once; the mean is the rise itself."""
    order = generator.permutation(len(x))
    shuffled = x.copy()
    shuffled[:, features] = x[order, features]
    rise = losses_of(shuffled) - before
    of_giver = np.empty_like(rise)
    of_giver[order] = rise
    return rise + of_giver - rise.mean()
