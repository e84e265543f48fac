"""Wrong targets: their rate, and how probable it is of each row that its target is one, from predictions without it.

A wrong target does not depend on the inputs. So in classification the rate of wrong ones is at most the error rate
among the rows that are predicted most surely, and it is the same whatever class they are predicted to be; where it is
nearly 0 for one class the errors of the others come from classes that overlap. In regression residuals are a mixture: a
core with natural tails (Student's t with 4 degrees of freedom, as in the robust regression of Lange, Little and Taylor,
1989), and targets drawn from all rows, or thrown far off.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tarazu.study.diagnosis.second_opinion import held_out_predictions

FEWEST_ROWS = 240  # of which a quarter are the surest ones
SURE_SHARE, SURE_ROWS = 0.25, 60
FEWEST_OF_CLASS = 20
FREEDOM = 4.0  # degrees of freedom of the core of residuals
WORTH_A_LOOK = 0.1  # one wrong target in ten; less does little harm to class probabilities
FAR_WORTH_A_LOOK = 0.02  # of targets that are far off: the squared loss makes each of them count for many
SHARE_OF_VARIANCE = 0.15  # of the targets' variance; natural tails of residuals make up less
LIKELIHOOD_RATIO = 15.0  # twice its logarithm; 9.2 is the 1 % point for two parameters


class WrongTargets(NamedTuple):
    """The rate of wrong targets with its standard error, whether that is evidence, and the probability of each row."""

    rate: float
    error: float
    is_evident: bool
    probabilities: np.ndarray  # (rows,)
    predictions: np.ndarray  # what the targets should be: class numbers, or numbers
    is_far: bool = False  # whether they are numbers far off, in place of those of other rows


def wrong_targets(x: np.ndarray, y: np.ndarray, seed: int = 0) -> WrongTargets:
    """Those among targets that are class numbers (integers) or numbers."""
    return _of_classes(x, y, seed) if np.issubdtype(y.dtype, np.integer) else _of_numbers(x, y.astype(np.float64), seed)


def _of_classes(x: np.ndarray, y: np.ndarray, seed: int) -> WrongTargets:
    scores = held_out_predictions(x, np.eye(int(y.max()) + 1)[y], seed)
    predicted, sureness = scores.argmax(axis=1), scores.max(axis=1)
    is_wrong = predicted != y
    rates = []
    for k in np.unique(predicted):
        rows = np.flatnonzero(predicted == k)
        if len(rows) >= FEWEST_OF_CLASS:
            surest = rows[np.argsort(-sureness[rows])][:max(15, int(SURE_SHARE * len(rows)))]
            rates.append((float(is_wrong[surest].mean()), len(surest)))
    rate, error = _lowest(sorted(rates))
    is_known = len(rates) > 1 and len(y) >= FEWEST_ROWS
    rate = rate if is_known else 0.0
    suspicion = sureness - np.take_along_axis(scores, y[:, None], axis=1)[:, 0]
    suspects = np.zeros(len(y))
    suspects[np.argsort(-suspicion)[:round(rate * len(y))]] = 1.0
    return WrongTargets(rate, error, is_known and rate - error >= WORTH_A_LOOK, suspects, predicted)


def _lowest(rates: list[tuple[float, int]]) -> tuple[float, float]:
    """The error rate of the classes with the lowest ones, and its standard error.

    Of as many as it takes for enough rows, and of all further ones that are higher by no more than their standard errors.
    """
    wrong, rows = 0.0, 0
    for rate, count in rates:
        pooled = wrong / rows if rows else 0.0
        if rows >= SURE_ROWS and rate - pooled > (_error_of(pooled, rows) + _error_of(rate, count)):
            break
        wrong, rows = wrong + rate * count, rows + count
    return (wrong / rows, _error_of(wrong / rows, rows)) if rows else (0.0, 1.0)


def _error_of(rate: float, rows: int) -> float:
    return math.sqrt(min(max(rate, 0.01), 0.99) * (1 - min(max(rate, 0.01), 0.99)) / rows)


def _of_numbers(x: np.ndarray, y: np.ndarray, seed: int) -> WrongTargets:
    middle, scale = float(np.median(y)), _spread(y)
    near = np.clip(y, middle - 4 * scale, middle + 4 * scale)
    predicted = held_out_predictions(x, near[:, None], seed)[:, 0]
    core = 2.5 * _spread(y - predicted)
    predicted = held_out_predictions(x, np.clip(y, predicted - core, predicted + core)[:, None], seed)[:, 0]
    residuals = y - predicted
    drawn = _Mixture(residuals, _density(near))
    far = _Mixture(residuals, np.where(np.abs(residuals) > 2 * scale, 1 / (20 * scale), 1e-12))
    is_far = far.likelihood_ratio > drawn.likelihood_ratio / 2
    found = far if is_far else drawn
    error = _error_of(found.rate, len(y))
    share = float((found.probabilities * residuals**2).mean() / y.var())
    is_evident = (len(y) >= FEWEST_ROWS and found.likelihood_ratio > LIKELIHOOD_RATIO and share >= SHARE_OF_VARIANCE
                  and found.rate - error >= (FAR_WORTH_A_LOOK if is_far else WORTH_A_LOOK))
    return WrongTargets(found.rate if len(y) >= FEWEST_ROWS else 0.0, error, is_evident, found.probabilities, predicted,
                        is_far)


def _spread(values: np.ndarray) -> float:
    """The standard deviation of a normal core, from the median distance to the median."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) + 1e-12


def _density(y: np.ndarray) -> np.ndarray:
    """The density of all targets at each of them, by a normal kernel of Silverman's width, 1986."""
    width = 1.06 * float(np.std(y)) * len(y) ** -0.2 + 1e-12
    grid = np.linspace(y.min(), y.max(), 512)
    at_grid = np.exp(-0.5 * ((grid[:, None] - y) / width) ** 2).mean(axis=1) / (width * math.sqrt(2 * math.pi))
    return np.interp(y, grid, at_grid)


class _Mixture:
    """Residuals from a core of Student's t and, for a share `rate`, from a broad density, fitted by EM."""

    def __init__(self, residuals: np.ndarray, broad: np.ndarray) -> None:
        scale, rate = _spread(residuals), 0.1
        for _ in range(100):
            core = (1 - rate) * _student(residuals, scale)
            self.probabilities = rate * broad / (core + rate * broad + 1e-300)
            rate = float(self.probabilities.mean())
            scale = _scale(residuals, scale, 1 - self.probabilities)
        self.rate = rate
        alone = _spread(residuals)
        for _ in range(50):
            alone = _scale(residuals, alone, np.ones(len(residuals)))
        both = np.log((1 - rate) * _student(residuals, scale) + rate * broad + 1e-300).sum()
        self.likelihood_ratio = 2 * float(both - np.log(_student(residuals, alone) + 1e-300).sum())


def _student(values: np.ndarray, scale: float) -> np.ndarray:
    constant = math.exp(math.lgamma((FREEDOM + 1) / 2) - math.lgamma(FREEDOM / 2)) / math.sqrt(FREEDOM * math.pi)
    return constant / scale * (1 + (values / scale) ** 2 / FREEDOM) ** (-(FREEDOM + 1) / 2)


def _scale(values: np.ndarray, scale: float, weights: np.ndarray) -> float:
    """A step of EM for the scale of Student's t."""
    share = (FREEDOM + 1) / (FREEDOM + (values / scale) ** 2)
    return float(np.sqrt((weights * share * values**2).sum() / max(weights.sum(), 1e-12))) + 1e-12
