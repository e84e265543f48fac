"""Power laws of the number of rows, c + a n^-b: fitted to losses, tested, and carried on with an interval.

Losses mostly follow such laws (Hestness and others, 2017; Viering and Loog, 2022). About 15 % of learning curves are
ill-behaved: they rise somewhere, or fall ever faster (LCDB 1.1: Yan, Mohr and Viering, 2025).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tarazu.study.curves.estimates import Estimate

EXPONENTS = np.geomspace(0.05, 3.0, 80)  # 0.07 to 1.5 are seen (Hestness and others, 2017)
FEWEST_SIZES = 4  # a law has three numbers, and a fourth point tells whether it is one
DRAWN = 500  # laws, for intervals and tests
UNLIKELY = 0.01  # p-values up to it are taken for a curve of another form: with two tests, 2 % false alarms
USUAL_SLOPE, SLOPE_DEVIATION = -0.5, 0.3  # of the deviation of losses over rows, both in logarithms
FALLING = 0.05  # that of a loss that falls by chance: a one-sided test


class PowerLaw(NamedTuple):
    """The loss of n rows is floor + scale * n ** -exponent.

    >>> PowerLaw(0.25, 4.0, 0.5).at(64)
    0.75
    """

    floor: float
    scale: float
    exponent: float

    def at(self, rows: float) -> float:
        """The loss after training on so many rows."""
        return float(self.floor + self.scale * rows**-self.exponent)

    def __str__(self) -> str:
        return f"{self.floor:.3g} + {self.scale:.3g} * rows^-{self.exponent:.2f}"


@dataclass(frozen=True)
class Extrapolation:
    """What losses of several numbers of rows say of more rows: `kind` says whether they follow a power law.

    It is "power law", "not falling", "peaking", "misfit", or "undecided" where there are too few fits. `law` fits best,
    None where undecided, and `drawn` are laws that fit losses drawn anew, which intervals come from.
    """

    kind: str
    law: PowerLaw | None
    drawn: np.ndarray  # (laws, 3)

    def at(self, rows: float) -> Estimate:
        """The loss of so many rows and the interval that holds 95 % of the drawn laws."""
        assert self.law is not None
        floor, scale, exponent = self.drawn.T
        low, high = np.quantile(floor + scale * float(rows)**-exponent, [0.025, 0.975])
        value = self.law.at(rows)
        return Estimate(value, min(value, float(low)), max(value, float(high)))


def extrapolation(rows: Sequence[int], losses: Sequence[Sequence[float]], random: np.random.Generator) -> Extrapolation:
    """What the `losses` of fits, several for each number of `rows`, say; NaN stands for a fit that diverged.

    Fits on more than half of the largest number of rows share rows, so that they count as one draw.

    >>> rows = [10, 20, 40, 80, 160]
    >>> noise = np.random.default_rng(0).normal(1.0, 0.02, (5, 4))
    >>> found = extrapolation(rows, [(0.2 + 2 * n**-0.5) * e for n, e in zip(rows, noise)], np.random.default_rng(0))
    >>> found.kind, abs(found.at(640).mean - 0.279) < 0.02
    ('power law', True)
    """
    finite = [np.array(values)[np.isfinite(values)] for values in losses]
    used = [i for i, values in enumerate(finite) if len(values)]
    draws = np.array([min(len(finite[i]), rows[used[-1]] // rows[i]) for i in used])
    freedom = int(draws.sum()) - len(used)
    if len(used) < FEWEST_SIZES or freedom < 1:
        return Extrapolation("undecided", None, np.zeros((0, 3)))
    sizes = np.array([rows[i] for i in used], float)
    means = np.array([finite[i].mean() for i in used])
    errors = _deviations(sizes, [finite[i] for i in used], draws - 1.0) / np.sqrt(draws)
    least = 0.0 if means.min() >= 0 else -np.inf
    law, misfit = fitted_laws(sizes, means[None], errors, least)
    scatter = errors * random.normal(size=(DRAWN, len(sizes)))
    scaling = random.chisquare(freedom, (DRAWN, 1)) / freedom  # of squared errors, which are estimated
    # A law that fits worse than errors explain is less sure than they say.
    spare = max(1, len(sizes) - 3)
    inflation = max(1.0, float(misfit[0]) / spare) ** 0.5
    curve = law[0, 0] + law[0, 1] * sizes**-law[0, 2]
    _, misfits = fitted_laws(sizes, curve + scatter, errors, least)
    usual, _ = fitted_laws(sizes, means + inflation * scatter / np.sqrt(scaling), errors, least)
    kind = _kind(means, errors, scatter / np.sqrt(scaling), float(misfit[0]), misfits / scaling[:, 0])
    return Extrapolation(kind, PowerLaw(*map(float, law[0])), usual)


def fitted_laws(rows: np.ndarray, losses: np.ndarray, errors: np.ndarray,
                least: float) -> tuple[np.ndarray, np.ndarray]:
    """Laws (curves, 3) for losses (curves, rows) by weighted least squares, and their sums of squares in errors.

    A grid over exponents, and a linear fit for each, with a scale of at least 0 and a floor of at least `least`.
    """
    weights = errors**-2 / (errors**-2).sum()
    basis = (rows / rows[0])[None] ** -EXPONENTS[:, None]  # (exponents, rows)
    mean_basis, mean_loss = basis @ weights, losses @ weights
    variance = (basis**2) @ weights - mean_basis**2
    scales = np.maximum(0.0, ((losses * weights) @ basis.T - mean_loss[:, None] * mean_basis) / variance)
    floors = mean_loss[:, None] - scales * mean_basis
    if np.isfinite(least):
        at_bound = ((losses - least) * weights) @ basis.T / ((basis**2) @ weights)
        scales = np.where(floors < least, np.maximum(0.0, at_bound), scales)
        floors = np.maximum(floors, least)
    residuals = losses[:, None] - floors[..., None] - scales[..., None] * basis
    squares = (residuals**2 / errors**2).sum(axis=2)
    best = squares.argmin(axis=1)
    each = np.arange(len(losses))
    exponents = EXPONENTS[best]
    laws = np.stack([floors[each, best], scales[each, best] * rows[0]**exponents, exponents], axis=1)
    return laws, squares[each, best]


def _kind(means: np.ndarray, errors: np.ndarray, scatter: np.ndarray, misfit: float, misfits: np.ndarray) -> str:
    """Which form the curve has, by tests whose distributions are those of the `scatter` of losses."""
    fall, chance = means[0] - means[-1], scatter[:, 0] - scatter[:, -1]
    if (chance >= fall).mean() > FALLING:
        return "not falling"
    if (_largest_rise(scatter, errors) >= _largest_rise(means[None], errors)).mean() <= UNLIKELY:
        return "peaking"
    return "misfit" if (misfits >= misfit).mean() <= UNLIKELY else "power law"


def _largest_rise(losses: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """By how many standard errors a loss is at most above one of fewer rows, (curves,)."""
    first, second = np.triu_indices(losses.shape[1], 1)
    return ((losses[:, second] - losses[:, first]) / np.hypot(errors[first], errors[second])).max(axis=1)


def _deviations(rows: np.ndarray, losses: Sequence[np.ndarray], freedom: np.ndarray) -> np.ndarray:
    """The standard deviation of the loss of one draw of so many rows, by a line of its logarithm over that of rows.

    `freedom` has the degrees of freedom of each number of rows.
    """
    known = np.flatnonzero(freedom).tolist()
    smallest = 1e-4 * max(float(np.abs(np.concatenate(losses)).max()), 1e-30)  # what float32 tells apart, and more
    logs = np.array([math.log(max(float(losses[i].std(ddof=1)), smallest)) for i in known])
    weights = freedom[known]
    logs += 1 / (2 * weights) + 1 / (6 * weights**2)  # the bias of the logarithm of an estimate
    positions = np.log(rows[known])
    center, height = np.average(positions, weights=weights), np.average(logs, weights=weights)
    # The precision of a logarithm is 2 x its degrees of freedom; the line is drawn to the usual slope.
    moment = 2 * weights * (positions - center)
    slope = (moment @ (logs - height) + USUAL_SLOPE / SLOPE_DEVIATION**2) / (
        moment @ (positions - center) + SLOPE_DEVIATION**-2)
    return np.exp(height + slope * (np.log(rows) - center))
