"""Wrong targets by a second opinion: their rate, whether that is evidence, and the rows in doubt."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tarazu.study.diagnosis.second_opinion import held_out_predictions
from tarazu.study.experiment.experiment import Experiment
from tarazu.study.rows.class_noise import WrongTargets, wrong_classes
from tarazu.study.rows.number_noise import wrong_numbers
from tarazu.train.sources.arrays import Arrays

FEWEST_ROWS = 240
# From these rates on (the low end of the interval) wrong targets are worth a trial: one class in ten does little harm
# to probabilities; far fewer numbers do, where they are so far off that each counts for many.
WORTH_A_TRIAL, FAR_WORTH_A_TRIAL = 0.1, 0.02
# Where classes overlap, the second opinion errs on rows whose targets are right. Of its errors so many have to be wrong
# targets, at the low end too: where most have another reason, doubtful rows would be taken for wrong ones.
SHARE_OF_ERRORS = 0.5
FAR = 2.0  # standard deviations of the targets' core


class Doubts(NamedTuple):
    """The rate of wrong targets with its interval, and of each row how probably its target is one."""

    rate: float
    interval: tuple[float, float]
    is_evident: bool
    is_far: bool  # whether they are numbers far off, in place of those of other rows
    probabilities: np.ndarray  # (rows,)
    instead: np.ndarray  # what the targets should be: class numbers, or numbers
    suspicion: np.ndarray  # (rows,), the greatest of the row that is most in doubt


def doubts(x: np.ndarray, y: np.ndarray, seed: int = 0) -> Doubts:
    """Those among targets that are class numbers (integers) or numbers."""
    return _of_classes(x, y, seed) if np.issubdtype(y.dtype, np.integer) else _of_numbers(x, y.astype(np.float64), seed)


def corrected(rows: Arrays, wrong: Doubts, which: slice) -> Arrays:
    """The rows with predictions in place of targets, as far as these are wrong; `which` of the doubts are theirs."""
    y, doubt = np.asarray(rows.y), wrong.probabilities[which].reshape(-1, *[1] * (rows.y.ndim - 1))
    predicted = wrong.instead[which].reshape(doubt.shape)
    if np.issubdtype(y.dtype, np.integer):
        changed = np.where(doubt >= 0.5, predicted, y)
    else:
        changed = y + doubt * (predicted - y)
    return Arrays.of((rows.x, changed.astype(y.dtype)))


def with_corrected_targets(experiment: Experiment, wrong: Doubts) -> Experiment:
    """The experiment with predictions in place of targets, as far as these are wrong, in both parts."""
    count = experiment.train.rows
    return experiment.with_rows(corrected(experiment.train, wrong, slice(0, count)),
                                corrected(experiment.validation, wrong, slice(count, None)))


def _of_classes(x: np.ndarray, y: np.ndarray, seed: int) -> Doubts:
    scores = np.clip(held_out_predictions(x, np.eye(int(y.max()) + 1)[y], seed), 1e-3, None)
    shares = scores / scores.sum(axis=1, keepdims=True)
    found = wrong_classes(shares, y)
    lead = shares.max(axis=1) - np.take_along_axis(shares, y[:, None], axis=1)[:, 0]
    probabilities = np.zeros(len(y))
    probabilities[np.argsort(-lead)[:round(found.rate * len(y))]] = 1.0
    predicted = shares.argmax(axis=1)
    made = _doubts(found, False, probabilities, predicted, lead)
    explains = found.low >= SHARE_OF_ERRORS * float((predicted != y).mean())
    return made._replace(is_evident=made.is_evident and explains)


def _of_numbers(x: np.ndarray, y: np.ndarray, seed: int) -> Doubts:
    middle, scale = float(np.median(y)), _spread(y)
    predicted = held_out_predictions(x, np.clip(y, middle - 4 * scale, middle + 4 * scale)[:, None], seed)[:, 0]
    core = 2.5 * _spread(y - predicted)
    predicted = held_out_predictions(x, np.clip(y, predicted - core, predicted + core)[:, None], seed)[:, 0]
    found = wrong_numbers(predicted, y)
    errors = np.abs(y - predicted)
    is_far = bool(np.average(errors > FAR * scale, weights=found.suspicion) > 0.5) if found.suspicion.any() else False
    return _doubts(found, is_far, found.suspicion, np.asarray(found.instead), found.suspicion)


def _doubts(found: WrongTargets, is_far: bool, probabilities: np.ndarray, instead: np.ndarray,
            suspicion: np.ndarray) -> Doubts:
    least = FAR_WORTH_A_TRIAL if is_far else WORTH_A_TRIAL
    is_evident = len(probabilities) >= FEWEST_ROWS and found.rate > 0 and found.low >= least
    return Doubts(found.rate, (found.low, found.high), is_evident, is_far, probabilities, instead,
                  suspicion)


def _spread(values: np.ndarray) -> float:
    """The standard deviation of a normal core, from the median distance to the median."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) + 1e-12
