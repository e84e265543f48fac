"""What the losses of several seeds along a curve say: which positions are best, and whether it descends twice."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tarazu.study.curves.estimates import Estimate, estimate

FEWEST_SEEDS = 3  # two choose the positions of a second descent, the third is measured at them


@dataclass(frozen=True)
class SecondDescent:
    """A loss that falls to `valley`, rises to `peak` and falls again to `end`: values of a setting, or epochs.

    `rise` and `fall` are the differences of losses, of seeds that did not choose the positions.

    >>> print(SecondDescent(4, 16, 64, Estimate(0.5, 0.25, 0.75), Estimate(0.75, 0.5, 1.0)))
    double descent: the loss rises by 0.5 (0.25 to 0.75) from 4 to 16, and falls by 0.75 (0.5 to 1) to 64
    """

    valley: object
    peak: object
    end: object
    rise: Estimate
    fall: Estimate

    def __str__(self) -> str:
        return (f"double descent: the loss rises by {self.rise} from {self.valley} to {self.peak}, and falls by "
                f"{self.fall} to {self.end}")


def best_positions(losses: np.ndarray) -> tuple[int, int, int]:
    """The position of the lowest mean of `losses` (seeds, positions), and the ends of the positions that are as good.

    Those are its neighbors up to the first whose loss is above it by more than chance explains, paired by seeds:
    Student's test at 5 %. Positions without a finite loss are as bad as can be.

    >>> best_positions(np.array([[3.0, 1.0, 1.1, 2.0], [3.1, 1.1, 1.0, 2.2], [3.2, 1.0, 1.1, 2.1]]))
    (1, 1, 2)
    """
    means = np.array([estimate(column).mean for column in losses.T])
    best = int(np.where(np.isfinite(means), means, np.inf).argmin())
    worse = [not math.isfinite(means[i]) or estimate(losses[:, i] - losses[:, best]).low > 0 for i in range(len(means))]
    first = max((i + 1 for i in range(best) if worse[i]), default=0)
    last = min((i - 1 for i in range(best + 1, len(means)) if worse[i]), default=len(means) - 1)
    return best, first, last


def second_descent(losses: np.ndarray, values: list[object]) -> SecondDescent | None:
    """The second descent of `losses` (seeds, positions) along `values`; None where chance explains it.

    The positions are chosen by the mean of all other seeds, and measured on each seed, so that choosing the largest
    rise and fall does not make them larger than they are. Both have to be above 0 by Student's test. None for fewer
    than 3 seeds whose losses are all finite.

    >>> noise = np.random.default_rng(0).normal(0, 0.1, (4, 5))
    >>> second_descent(np.array([3.0, 1.0, 2.0, 1.5, 0.8]) + noise, [1, 2, 4, 8, 16]).peak
    4
    """
    finite = losses[np.isfinite(losses).all(axis=1)]
    if len(finite) < FEWEST_SEEDS or finite.shape[1] < 3:
        return None
    rises, falls = [], []
    for seed, own in enumerate(finite):
        valley, peak, end = _positions(np.delete(finite, seed, axis=0).mean(axis=0))
        rises.append(float(own[peak] - own[valley]))
        falls.append(float(own[peak] - own[end]))
    rise, fall = estimate(rises), estimate(falls)
    if not (rise.low > 0 and fall.low > 0):
        return None
    valley, peak, end = _positions(finite.mean(axis=0))
    return SecondDescent(values[valley], values[peak], values[end], rise, fall)


def _positions(losses: np.ndarray) -> tuple[int, int, int]:
    """The peak with the largest rise before and fall behind it, the smaller of both counting, between two valleys."""
    before = np.minimum.accumulate(losses)[:-2]
    behind = np.minimum.accumulate(losses[::-1])[::-1][2:]
    peak = int((losses[1:-1] - np.maximum(before, behind)).argmax()) + 1
    return int(losses[:peak].argmin()), peak, peak + 1 + int(losses[peak + 1:].argmin())
