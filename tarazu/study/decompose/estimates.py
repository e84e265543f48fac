"""Means over rows and rounds of fits, with intervals that count the chance in both."""

from __future__ import annotations

import math

import numpy as np

from tarazu.study.curves.estimates import Estimate
from tarazu.train.cross_validation.result import student


def estimate(whole: np.ndarray, left_out: np.ndarray) -> Estimate:
    """The mean of `whole` (rows,), whose interval is of the rows and of the rounds.

    `left_out` (rounds, rows) are the same without each of the rounds, by which the jackknife (Tukey, 1958) gives their
    share, with Student's factor for so many.

    >>> print(estimate(np.array([1.0, 1.0]), np.array([[0.9, 0.9], [1.1, 1.1]])))
    1 (-0.271 to 2.27)
    """
    rounds, mean = len(left_out), float(whole.mean())
    of_rows = student(len(whole) - 1) * float(whole.std(ddof=1)) / math.sqrt(len(whole))
    of_rounds = student(rounds - 1) * math.sqrt(rounds - 1) * float(left_out.mean(axis=1).std())
    half = math.hypot(of_rows, of_rounds)
    return Estimate(mean, mean - half, mean + half)


def estimate_mean(by_round: np.ndarray) -> Estimate:
    """That of values (rounds, rows), whose mean over rounds counts.

    >>> estimate_mean(np.array([[1.0, 2.0], [3.0, 4.0]])).mean
    2.5
    """
    return estimate(by_round.mean(axis=0), (by_round.sum(axis=0) - by_round) / (len(by_round) - 1))
