"""Gains of fits that are paired over seeds, judged by the same rows, with intervals of the seeds and of the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from tarazu.study.trials.trials import SEEN_BEFORE, Gain, seed_error
from tarazu.train.cross_validation.result import student

Pair: TypeAlias = tuple[np.ndarray, np.ndarray]  # losses of the judged rows before and after a change, by one seed
OF_ROWS = 1.96  # standard errors of many rows to each side of a 95 % interval


def paired_gain(name: str, cause: str, pairs: Sequence[Pair], weights: np.ndarray, unit: float) -> Gain:
    """By how much a change lowers the mean loss of rows with `weights`, in units of `unit`.

    The errors of seeds and of rows are those of a two-way layout without replication (random effects of seeds, rows and
    both together), with Student's quantile for so few seeds. With a single seed the error of seeds is what they usually
    make (`SEED_SHARE`), as if two had been seen.

    >>> draw = np.random.default_rng(0)
    >>> before = [draw.normal(1.0, 0.1, 50) for _ in range(3)]
    >>> gain = paired_gain("dropout", "", [(losses, losses - 0.5) for losses in before], np.ones(50), 2.0)
    >>> round(gain.mean, 6), gain.seeds
    (0.25, 3)
    """
    scaled = weights / weights.mean() / unit
    differences = scaled * np.array([before - after for before, after in pairs])
    by_row, by_seed, mean = differences.mean(axis=0), differences.mean(axis=1), float(differences.mean())
    count, rows = differences.shape
    if count > 1:
        of_both = differences - by_row - by_seed[:, None] + mean
        variance = float((of_both**2).sum()) / ((count - 1) * (rows - 1))  # counted with the seeds
        of_rows = math.sqrt(max(0.0, float(by_row.var(ddof=1)) - variance / count) / rows)
        of_seeds, quantile = float(by_seed.std(ddof=1)) / math.sqrt(count), student(count - 1)
    else:
        larger = max(abs(float((scaled * losses).mean())) for losses in pairs[0])
        of_rows = float(by_row.std(ddof=1)) / math.sqrt(rows)
        of_seeds, quantile = seed_error(larger, by_seed.tolist()), student(SEEN_BEFORE)
    error = math.hypot(of_rows, of_seeds)
    half = math.hypot(OF_ROWS * of_rows, quantile * of_seeds)
    return Gain(name, cause, mean, error, count, half / error if error else OF_ROWS)


def chosen_by_others(losses: np.ndarray, seed: int) -> np.ndarray:
    """The losses of rows, (rows,), after the best epoch of `losses` (epochs, rows), as other rows choose it.

    The rows are halved at random, and each half is judged at the epoch that is best for the other one: an epoch that is
    chosen by the rows that judge it looks better than it is.

    >>> chosen_by_others(np.array([[0.5, 0.5], [0.25, 0.25], [1.0, 1.0]]), 0).tolist()
    [0.25, 0.25]
    """
    is_first = np.random.default_rng(seed).permutation(losses.shape[1]) % 2 == 0
    made = np.empty(losses.shape[1])
    for half in (is_first, ~is_first):
        means = losses[:, ~half].mean(axis=1)
        made[half] = losses[int(np.where(np.isfinite(means), means, np.inf).argmin()), half]
    return made
