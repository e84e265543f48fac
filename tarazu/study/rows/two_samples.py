"""Tests of whether two sets of rows are of one distribution: by a classifier, and column by column."""

from __future__ import annotations

import math

import numpy as np

from tarazu.study.rows.transforms import standardized

PERMUTED = 300
FOLDS = 5
PENALTY = 0.1  # of the ridge, in mean eigenvalues


def classifier_test(x: np.ndarray, is_other: np.ndarray, random: np.random.Generator) -> tuple[float, float]:
    """The area under the ROC curve of a classifier that tells the sets apart, and a permutation p-value.

    The classifier is a linear discriminant with a ridge, of the columns and their squares. The area is that of
    cross-fitted scores, 0.5 where nothing differs. The p-value is that of its fit to all rows, whose sets are permuted.
    """
    z = standardized(x)
    columns = standardized(np.hstack([z, z * z])) if z.shape[1] else z
    if not columns.shape[1]:
        return 0.5, 1.0
    sides, scores, fold = is_other.astype(np.float64), np.empty(len(x)), _folds(is_other, random)
    for i in range(FOLDS):
        rows = fold != i
        left, values, right = _decomposed(columns[rows])
        slopes = right.T @ (_shrunk(values) / np.maximum(values, 1e-12) * (left.T @ sides[rows]))
        scores[~rows] = (columns[~rows] - columns[rows].mean(axis=0)) @ slopes
    left, values, _ = _decomposed(columns)
    tried = np.stack([sides, *(random.permutation(sides) for _ in range(PERMUTED))], axis=1) - sides.mean()
    fits = ((left.T @ tried)**2 * _shrunk(values)[:, None]).sum(axis=0)
    return ranked_area(scores, is_other), float((fits >= fits[0] * (1 - 1e-9)).mean())


def _folds(is_other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The number of the fold of each row; each fold has its share of both sets."""
    fold = np.empty(len(is_other), np.int64)
    for side in (False, True):
        rows = np.flatnonzero(is_other == side)
        fold[rows] = random.permutation(len(rows)) % FOLDS
    return fold


def _decomposed(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)


def _shrunk(values: np.ndarray) -> np.ndarray:
    """What the ridge leaves of each direction, between 0 and 1."""
    squares = values**2
    return squares / (squares + PENALTY * squares.mean())


def ranked_area(scores: np.ndarray, is_other: np.ndarray) -> float:
    """The probability that a row of the other set has the larger score; ties count half.

    >>> ranked_area(np.array([1.0, 2.0, 3.0]), np.array([False, True, True]))
    1.0
    """
    _, numbers, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[numbers.ravel()]
    others = int(is_other.sum())
    return float((ranks[is_other].sum() - others * (others + 1) / 2) / (others * (len(scores) - others)))


def largest_distance(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """The largest distance of two samples' distribution functions, and its p-value (Kolmogorov and Smirnov).

    The p-value is that of many rows, and too large where values are often equal.

    >>> distance, p_value = largest_distance(np.arange(50.0), np.arange(50.0) + 25)
    >>> distance, p_value < 0.001
    (0.5, True)
    """
    values = np.concatenate([first, second])
    shares = [np.searchsorted(np.sort(part), values, side="right") / len(part) for part in (first, second)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    root = math.sqrt(len(first) * len(second) / len(values))
    scaled = (root + 0.12 + 0.11 / root) * distance
    terms = (2 * (-1)**(k - 1) * math.exp(-2 * k * k * scaled * scaled) for k in range(1, 101))
    return distance, min(1.0, max(0.0, sum(terms))) if scaled > 0.2 else 1.0


def adjusted(p_values: list[float]) -> list[float]:
    """p-values of several hypotheses, adjusted as by Holm (1979).

    >>> adjusted([0.01, 0.5, 0.02])
    [0.03, 0.5, 0.04]
    """
    corrected, largest = [1.0] * len(p_values), 0.0
    for number, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - number) * p_values[i]))
        corrected[i] = largest
    return corrected
