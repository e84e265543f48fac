"""The share of wrong classes among targets, from predictions for rows that the models had not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

SURE = (0.1, 0.2, 0.3, 0.5, 0.7)  # shares of the rows, the surest ones, among which wrong classes are counted
SURE_OF_TWO = 0.3  # the most of two classes, of which the other one is implausible only where predictions are sure
FEWEST_SURE = 30
DEVIATIONS = 1.645  # intervals of 90 %
LEAST_CORRELATION = 0.2  # of predictions and targets: a model that knows nothing sees no target as wrong


@dataclass(frozen=True)
class WrongTargets:
    """A rate of wrong targets with its 90 % interval, and of each row how suspicious its target is, and another.

    `suspicion` is 0 to 1; `instead` holds the target that the model expects.
    """

    rate: float
    low: float
    high: float
    suspicion: np.ndarray
    instead: np.ndarray


def wrong_classes(probabilities: np.ndarray, y: np.ndarray) -> WrongTargets:
    """The rate of wrong classes among `y` (rows,), from out-of-sample `probabilities` (rows, classes).

    Wrong targets that do not depend on the features are as frequent among rows of sure predictions as anywhere, while
    natural doubt is not. And they fall on implausible classes as often as on others, while natural confusion does not:
    counted are targets among the less probable half of the classes, times what the other half gets. The rate is that
    of the most rows, the surest ones, among which it is not above the lowest upper bound of fewer. It is an upper bound
    where the model is poor or where nature errs without regard to the features; where predictions go with targets by a
    correlation below 0.2 it is 0, and the interval says how little is known.

    Rows are suspected by confident learning (Northcutt, Jiang and Chuang, 2021): a class whose probability is above the
    mean that it has among the rows that are called so stands against the row's own.

    >>> sure = np.eye(2)[np.arange(200) % 2] * 0.98 + 0.01
    >>> y = np.arange(200) % 2
    >>> y[:20] = 1 - y[:20]
    >>> round(wrong_classes(sure, y).rate, 2)
    0.1
    """
    rows, classes = probabilities.shape
    rare = classes // 2
    own = probabilities[np.arange(rows), y]
    rank = (probabilities > own[:, None]).sum(axis=1)
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    is_implausible = (rank >= classes - rare)[order]
    factor = (classes - 1) / rare
    counts = _counts(probabilities.max(axis=1)[order], classes)
    bounds = [(wilson(int(is_implausible[:count].sum()), count), count) for count in counts]
    lowest = min(high for (_, high), _ in bounds)
    (low, high), count = next(found for found in reversed(bounds) if found[0][0] <= lowest)
    rate = float(is_implausible[:count].mean())
    suspicion, instead = _confident(probabilities, y, own)
    if correlation(probabilities, np.eye(classes)[y]) < LEAST_CORRELATION:
        rate = low = 0.0
    return WrongTargets(min(1.0, factor * rate), min(1.0, factor * low), min(1.0, factor * high), suspicion, instead)


def _counts(surety: np.ndarray, classes: int) -> list[int]:
    """How many rows, the surest first, are each share; rows that are as sure as the last of them belong to it."""
    shares = [share for share in SURE if classes > 2 or share <= SURE_OF_TWO]
    last = [surety[min(len(surety), max(FEWEST_SURE, int(share * len(surety)))) - 1] for share in shares]
    return sorted({int((surety >= bound).sum()) for bound in last})


def correlation(predictions: np.ndarray, targets: np.ndarray) -> float:
    """That of all entries, each column less its mean; 0 where nothing varies.

    >>> round(correlation(np.array([[1.0], [2.0], [3.0]]), np.array([[2.0], [4.0], [6.0]])), 6)
    1.0
    """
    first, second = (values - values.mean(axis=0) for values in (predictions, targets))
    size = math.sqrt(float((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size else 0.0


def wilson(count: int, trials: int) -> tuple[float, float]:
    """The interval of a share (Wilson, 1927).

    >>> [round(end, 3) for end in wilson(0, 30)], [round(end, 3) for end in wilson(15, 30)]
    ([0.0, 0.083], [0.356, 0.644])
    """
    share, square = count / trials, DEVIATIONS**2 / trials
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def _confident(probabilities: np.ndarray, y: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far another class is before the row's own, 0 where none is confidently, and which."""
    classes = probabilities.shape[1]
    counts = np.bincount(y, minlength=classes)
    bounds = np.where(counts > 0, np.bincount(y, own, classes) / np.maximum(counts, 1), np.inf)
    confident = np.where(probabilities >= bounds, probabilities, 0.0)
    confident[np.arange(len(y)), y] = 0.0
    instead = confident.argmax(axis=1)
    return np.maximum(0.0, confident.max(axis=1) - own), np.where(confident.max(axis=1) > own, instead, y)
