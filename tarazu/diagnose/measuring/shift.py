"""How far the columns of two sets of rows differ in their means, by more than chance."""

from __future__ import annotations

import math

import numpy as np

MOST_NUMBERS = 2**20  # of a set that are looked at, in rows at equal distances: so many take milliseconds
FEWEST_ROWS = 10  # of a set: fewer have no standard deviation to speak of
CHANCE = 0.001  # of a difference where there is none, over all columns


def mean_shift(train: np.ndarray, validation: np.ndarray) -> float:
    """The largest difference of the means of a column, in its standard deviations over both; 0 where that is chance.

    Both have a row per sample and columns of numbers, over any further axes. A difference counts where Student's test
    of equal means has a p-value below CHANCE, divided by the number of columns (Bonferroni). 0 for fewer than
    FEWEST_ROWS rows of a set, and for what holds no numbers. Quantiles of Student's distribution are by D. Wallace,
    "Bounds on normal approximations to Student's and the chi-square distributions", Annals of Mathematical Statistics,
    1959.

    >>> x = np.random.default_rng(0).normal(size=(300, 4))
    >>> mean_shift(x[:200], x[200:]), round(mean_shift(x[:200], x[200:] + [0, 0, 0, 2]), 1)
    (0.0, 1.5)
    """
    train, validation = _some_rows(train), _some_rows(validation)
    rows = len(train), len(validation)
    if min(rows) < FEWEST_ROWS or not train.shape[1] or {train.dtype.kind, validation.dtype.kind} - set("biuf"):
        return 0.0
    with np.errstate(all="ignore"):  # what is not finite is no difference
        sizes, shares = _differences(train, validation)
        degrees = sum(rows) - 2
        squared_normal = -degrees * np.log1p(-shares) * ((8 * degrees + 1) / (8 * degrees + 3)) ** 2
        is_more = squared_normal > 2 * math.log(train.shape[1] / CHANCE)  # P(|Z| > z) <= exp(-z^2 / 2)
    return float(np.nan_to_num(sizes[is_more]).max(initial=0.0))


def _differences(train: np.ndarray, validation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each column the difference of means in standard deviations, and its squared correlation with the set."""
    means = [part.mean(axis=0, dtype=np.float64) for part in (train, validation)]
    shares = np.array([len(train), len(validation)]) / (len(train) + len(validation))
    within = sum(share * part.var(axis=0, dtype=np.float64)
                 for share, part in zip(shares, (train, validation), strict=True))
    difference = np.abs(means[0] - means[1])
    between = shares.prod() * difference**2
    return difference / np.sqrt(within + between), between / (within + between)


def _some_rows(values: np.ndarray) -> np.ndarray:
    """Rows at equal distances, at most MOST_NUMBERS numbers of them, with one axis of columns."""
    columns = values.reshape(len(values), -1)
    return columns[::max(1, math.ceil(columns.size / MOST_NUMBERS))]
