"""Fits on halves and quarters of the training rows: how the loss falls with rows, and outputs for rows left out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tarazu.study.trials.trials import SEED_SHARE, Gain, Trials

MORE_ROWS = "4 x the rows"
# Losses mostly follow power laws of the rows (Hestness and others, 2017; LCDB, Viering and Loog, 2022): each doubling
# gains a fixed share of what the one before gained. For exponents from 0.3 to 1.5 that share is 0.8 to 0.35; 0.6, an
# exponent of 0.7, where the losses at hand do not tell.
LEAST_SHARE, USUAL_SHARE, MOST_SHARE = 0.35, 0.6, 0.8


@dataclass(frozen=True)
class PartFit:
    """A fit on some of the training rows, in as many steps: losses of the judged rows, and of the rows left out."""

    judged: np.ndarray  # (judged rows,)
    losses: np.ndarray  # (training rows left out,)


def part_fits(trials: Trials, parts: int, count: int, draw: int = 0) -> list[PartFit]:
    """Fits on `count` of the `parts` into which the training rows are dealt at random; another `draw` deals anew."""
    experiment, made = trials.experiment, []
    order = np.random.default_rng([trials.seed, draw]).permutation(experiment.train.rows)
    for i in range(count):
        chosen, others = order[i::parts], np.delete(order, np.s_[i::parts])
        fitted = experiment.fit(seed=trials.seed + 2 * draw + i, train=experiment.train.at(chosen),
                                epochs=experiment.epochs_for(len(chosen)))
        assert fitted is not None
        trials.budget.spend(1.0)
        made.append(PartFit(fitted.losses(trials.judged.rows), fitted.losses(experiment.train.at(others))))
    return made


def gain_of_rows(trials: Trials, halves: list[PartFit], quarters: list[PartFit], gap: float, seeds: int) -> Gain:
    """What four times the rows would gain: the mean of two estimates, whose difference is part of the error.

    The first carries the losses of a quarter, a half and all rows on by two doublings. The second is from the gap
    between the losses on training rows and on new ones: both are about equally far from what they tend to (as for
    linear models: Cortes and others, 1993), so half of the gap is what endless rows would gain.
    """
    judged = trials.judged
    quarter, half = (float(np.mean([judged.mean(fit.judged) for fit in fits])) for fits in (quarters, halves))
    own = float(np.mean([judged.mean(trials.own(i)) for i in range(seeds)]))
    before, last = quarter - half, half - own
    error_before = SEED_SHARE * math.hypot(quarter, half) / math.sqrt(len(halves))
    error_last = SEED_SHARE * math.hypot(half / math.sqrt(len(halves)), own / math.sqrt(seeds))
    trust = before**2 / (before**2 + 4 * (error_before**2 + error_last**2)) if before > 0 else 0.0
    seen = min(MOST_SHARE, max(LEAST_SHARE, last / before)) if before > 0 else USUAL_SHARE
    share = trust * seen + (1 - trust) * USUAL_SHARE
    # A fit of less than four epochs has no steps for four times the rows.
    doublings = math.log2(min(4, trials.experiment.epochs))
    by_curve = max(last, 0.0) * (share * min(doublings, 1) + share**2 * max(doublings - 1, 0))
    by_gap = max(gap, 0.0) / 2 * (1 - USUAL_SHARE**doublings)
    return Gain(MORE_ROWS, "too_little_data", min(own, (by_curve + by_gap) / 2),
                math.hypot(error_last / 2, abs(by_curve - by_gap) / 4), seeds)
