"""Transformations of columns that the tests share: one-hot codes, normal scores, quantile bins, random features."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np


def one_hot(labels: np.ndarray) -> np.ndarray:
    """A column of 0 and 1 for each value that occurs.

    >>> one_hot(np.array([3, 5, 3])).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    values, numbers = np.unique(labels, return_inverse=True)
    return np.eye(len(values))[numbers.ravel()]


def normal_scores(values: np.ndarray) -> np.ndarray:
    """The normal quantiles of the ranks of values; equal values share one (van der Waerden, 1952).

    >>> normal_scores(np.array([1.0, 100.0, 5.0])).round(2).tolist()
    [-0.97, 0.97, 0.0]
    """
    _, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / len(values)
    return np.array([NormalDist().inv_cdf(middle) for middle in middles])[numbers.ravel()]


def quantile_bins(values: np.ndarray, count: int) -> np.ndarray:
    """The number of the bin of each value, of `count` with about equally many; few distinct values are their own bins.

    >>> quantile_bins(np.array([4.0, 1.0, 2.0, 3.0]), 2).tolist()
    [1, 0, 0, 1]
    """
    distinct = np.unique(values)
    if len(distinct) <= count:
        return np.searchsorted(distinct, values)
    bounds = np.unique(np.quantile(values, np.arange(1, count) / count))
    return np.searchsorted(bounds, values, side="right")


def explained_share(labels: np.ndarray, targets: np.ndarray) -> float:
    """The share of the variance of `targets` (rows, outputs) between the groups of `labels`, adjusted for their number.

    Of one-hot targets that is Goodman and Kruskal's tau (1954).

    >>> explained_share(np.array([0, 0, 1, 1]), np.array([[0.0], [0.0], [1.0], [1.0]]))
    1.0
    """
    groups, centered = one_hot(labels), targets - targets.mean(axis=0)
    rows, count = groups.shape
    total = (centered**2).sum()
    if total == 0 or rows <= count:
        return 0.0
    sums = groups.T @ centered
    between = (sums**2 / groups.sum(axis=0)[:, None]).sum()
    return float(1 - (1 - between / total) * (rows - 1) / (rows - count))


def standardized(x: np.ndarray) -> np.ndarray:
    """The columns that vary, with mean 0 and standard deviation 1, cut at 5 standard deviations.

    >>> standardized(np.array([[1.0, 7.0], [3.0, 7.0]])).tolist()
    [[-1.0], [1.0]]
    """
    spread = x.std(axis=0)
    varies = spread > 1e-9 * (1 + np.abs(x).max(axis=0))
    return np.clip((x[:, varies] - x[:, varies].mean(axis=0)) / spread[varies], -5, 5)


def random_cosines(z: np.ndarray, count: int, random: np.random.Generator, scale: float = 1.5) -> np.ndarray:
    """Random Fourier features (Rahimi and Recht, 2007) of a Gaussian kernel.

    Its width is the median distance / `scale`.
    """
    pairs = random.integers(len(z), size=(2, 500))
    distance = float(np.median(np.linalg.norm(z[pairs[0]] - z[pairs[1]], axis=1))) or 1.0
    weights = random.normal(size=(z.shape[1], count)) * scale / distance
    return np.cos(z @ weights + random.uniform(0, 2 * np.pi, count))
