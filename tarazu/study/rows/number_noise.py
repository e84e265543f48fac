"""The share of wrong numbers among targets, from predictions for rows that the models had not seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tarazu.study.rows.class_noise import DEVIATIONS, LEAST_CORRELATION, WrongTargets, correlation

FREEDOMS = (3.0, 5.0, 10.0, math.inf)  # of the t distribution of right targets: natural tails from heavy to light
ITERATIONS = 100
EVIDENCE = 10.0  # of wrong targets: a gain of log likelihood that natural tails did not reach with 5 % or more
FEWEST_ROWS = 100
LARGE = 2.0  # standard deviations of the target's core that outliers have at least
PRIOR_ROWS = 20  # by which the scales of right targets are drawn to their mean


def wrong_numbers(predictions: np.ndarray, y: np.ndarray) -> WrongTargets:
    """The rate of wrong targets among numbers `y` (rows,), from out-of-sample `predictions` (rows,).

    Right targets are a linear function of the predictions and an error of a t distribution, whose scale may differ
    between low and high predictions. Wrong ones are either drawn from all targets without regard to the features, or
    lie far off: errors with the density z^2 exp(-z^2 / 2), which has little near zero. Both mixtures are fitted by
    expectation and maximization; one counts if its log likelihood is 10 above that without wrong targets. Otherwise,
    with fewer than 100 rows or predictions that go with targets by a correlation below 0.2, the rate is 0, and the
    interval says how little is known.

    >>> random = np.random.default_rng(0)
    >>> y = random.normal(size=400)
    >>> predictions = y + 0.2 * random.normal(size=400)
    >>> y[:40] += 5
    >>> round(wrong_numbers(predictions, y).rate, 2)
    0.1
    """
    predictions, y = np.clip(predictions, y.min(), y.max()).astype(np.float64), y.astype(np.float64)
    if len(y) < FEWEST_ROWS or correlation(predictions[:, None], y[:, None]) < LEAST_CORRELATION:
        return WrongTargets(0.0, 0.0, 1.0, np.zeros(len(y)), predictions)
    right = _best(y, predictions, None)
    outliers = _best(y, predictions, _far_off(y))
    replaced = _best(y, predictions, _drawn_anew(y))
    found = outliers if outliers.likelihood - right.likelihood > EVIDENCE else replaced
    low, high = (min(1.0, max(0.0, found.rate + side * DEVIATIONS * found.error)) for side in (-1, 1))
    if found.likelihood - right.likelihood <= EVIDENCE:
        return WrongTargets(0.0, 0.0, high, found.suspicion, found.expected)
    return WrongTargets(found.rate, low, high, found.suspicion, found.expected)


# The density of wrong targets, given the errors of all and how likely each is wrong.
Wrong = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _drawn_anew(y: np.ndarray) -> Wrong:
    """The density of the targets themselves, by a Gaussian kernel of Silverman's width (1986)."""
    width = 1.06 * min(float(y.std()), _core_deviation(y)) * len(y)**-0.2
    grid = np.linspace(y.min() - 3 * width, y.max() + 3 * width, 512)
    heights = np.exp(-0.5 * ((grid[:, None] - y) / width)**2).mean(axis=1) / width / math.sqrt(2 * math.pi)
    density = np.interp(y, grid, heights)
    return lambda errors, suspicion: density


def _far_off(y: np.ndarray) -> Wrong:
    """A density of errors that are large: two hills around zero, as wide as the suspected errors are."""
    least = LARGE * _core_deviation(y)

    def density(errors: np.ndarray, suspicion: np.ndarray) -> np.ndarray:
        scale = max(least, math.sqrt((suspicion * errors**2).sum() / (3 * suspicion.sum() + 1e-9)))
        return (errors / scale)**2 * np.exp(-0.5 * (errors / scale)**2) / math.sqrt(2 * math.pi) / scale

    return density


def _core_deviation(y: np.ndarray) -> float:
    """The standard deviation by the quartiles, which few wrong targets do not change."""
    low, high = np.quantile(y, [0.25, 0.75])
    return float(high - low) / 1.349 or float(y.std())


@dataclass
class _Mixture:
    """A fit of right and wrong targets: log likelihood, rate and its standard error, each row's suspicion and value."""

    likelihood: float
    rate: float
    error: float
    suspicion: np.ndarray
    expected: np.ndarray


def _best(y: np.ndarray, predictions: np.ndarray, wrong: Wrong | None) -> _Mixture:
    return max((_fitted(y, predictions, wrong, freedom) for freedom in FREEDOMS), key=lambda found: found.likelihood)


def _fitted(y: np.ndarray, predictions: np.ndarray, wrong: Wrong | None, freedom: float) -> _Mixture:
    """Expectation and maximization from a tenth of wrong targets, the rows with the largest errors."""
    is_high = (predictions > np.median(predictions)).astype(np.int64)
    errors = y - predictions
    scales = np.full(2, 1.48 * np.median(np.abs(errors - np.median(errors))) + 1e-6)
    rate = 0.0 if wrong is None else 0.1
    expected, suspicion = predictions, np.zeros(len(y))
    if wrong is not None:
        suspicion[np.argsort(-np.abs(errors))[:len(y) // 10 + 1]] = 1.0
    for _ in range(ITERATIONS):
        errors = y - expected
        z = errors / scales[is_high]
        right = _t_density(z, freedom) / scales[is_high]
        other = np.zeros(len(y)) if wrong is None else wrong(errors, suspicion)
        total = (1 - rate) * right + rate * other + 1e-300
        suspicion = rate * other / total
        rate = float(suspicion.mean())
        pull = 1 - suspicion if math.isinf(freedom) else (1 - suspicion) * (freedom + 1) / (freedom + z * z)
        expected = _weighted_line(predictions, y, pull / scales[is_high]**2)
        scales = _scales(pull * (y - expected)**2, 1 - suspicion, is_high)
    information = float((((other - right) / total)**2).sum())
    return _Mixture(float(np.log(total).sum()), rate, 1 / math.sqrt(information + 1e-12), suspicion, expected)


def _t_density(z: np.ndarray, freedom: float) -> np.ndarray:
    if math.isinf(freedom):
        return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    return constant * (1 + z * z / freedom)**(-(freedom + 1) / 2)


def _weighted_line(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The values of the line of weighted least squares."""
    weight = weight / (weight.sum() + 1e-300)
    x_mean, y_mean = (weight * x).sum(), (weight * y).sum()
    slope = (weight * (x - x_mean) * (y - y_mean)).sum() / ((weight * (x - x_mean)**2).sum() + 1e-12)
    return y_mean + slope * (x - x_mean)


def _scales(squares: np.ndarray, weight: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The standard deviation of each of two groups, drawn to that of all."""
    mean = squares.sum() / (weight.sum() + 1e-9)
    drawn = (np.bincount(group, squares, 2) + PRIOR_ROWS * mean) / (np.bincount(group, weight, 2) + PRIOR_ROWS)
    return np.sqrt(drawn) + 1e-4
