"""The course of a diagnosis: looks at the rows, one fit, then trials of remedies where it is least sure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from tarazu.diagnose.judging.thresholds import worth
from tarazu.study.diagnosis.decide import probabilities, unmeasured
from tarazu.study.diagnosis.row_evidence import RowEvidence
from tarazu.study.experiment.experiment import Experiment
from tarazu.study.trials.parts import MORE_ROWS, PartFit, gain_of_rows, part_fits
from tarazu.study.trials.remedies import BIAS, CHANGES_OF_SEQUENTIAL, REMEDIES, VARIANCE, Remedy
from tarazu.study.trials.trials import Budget, Gain, Trials

SURE = 0.9  # of a cause: no more fits are made
MOST_SEEDS = 3
UNFINISHED = 0.75  # a validation loss that was lowest before this share of the epochs will not fall in more of them
MOST_COMPARED = 3  # causes that another seed is spent on


class Investigation:
    """Gathers gains for one experiment until its cause is sure, or the budget of fits is spent."""

    def __init__(self, experiment: Experiment, seed: int, budget: Budget, names: Sequence[str] = ()) -> None:
        self.experiment, self.budget, self.seeds = experiment, budget, 1
        self.rows = RowEvidence.of(experiment, seed, names)
        self.impossible: set[str] = set()  # remedies that change nothing of this model
        self.trials = self.first_trials = Trials(self.rows.experiment, self.rows.judged, budget, seed)
        self.gains: dict[str, Gain] = {}
        self.halves: list[PartFit] = []
        self.quarters: list[PartFit] = []
        self.skipped: dict[str, str] = {}  # what could help and was not tried for want of budget, and its cause

    def run(self) -> None:
        """Make the trials; what is known so far stays where it is interrupted."""
        if self.rows.refute_doubts(self.trials.own()):
            self._judge_anew()
        self.halves = part_fits(self.trials, 2, 2)
        self._measure_faults()
        if self.rows.cured is not self.trials.experiment:
            self.trials = dataclasses.replace(self.trials, experiment=self.rows.cured, _losses={})
        self._try_remedies()
        while self._has_to_compare():
            self._compare()

    def _judge_anew(self) -> None:
        """Go on with other weights of the judged rows; the fits stay."""
        loss = self.trials.train_loss * self.trials.judged.trivial / self.rows.judged.trivial
        self.trials = self.first_trials = dataclasses.replace(self.trials, judged=self.rows.judged, train_loss=loss)

    @property
    def own_loss(self) -> float:
        """Of the judged rows, in trivial losses."""
        judged = self.trials.judged
        return float(np.mean([judged.mean(self.trials.own(i)) for i in range(self.seeds)]))

    @property
    def probabilities(self) -> dict[str, float]:
        """Of the causes; what could help and was not tried is known by its prior only."""
        return probabilities([*self.gains.values(), *(unmeasured(*each) for each in self.skipped.items())],
                             self.own_loss)

    def keep_what_is_known(self) -> None:
        """After an interruption: count the seeds that were finished only, so that the numbers need no other fit."""
        if not self.trials.own_fits:
            self.trials = self.first_trials
        self.seeds = self.trials.own_fits
        self.skipped |= {name: cause for name, cause in (self.rows.suspected | self._candidates()).items()
                         if name not in self.gains and name not in self.impossible}

    def _try_remedies(self) -> None:
        for name, cause in self._candidates().items():
            if not self.budget.allows(self._fits_of(name)):
                if name not in REMEDIES or self.trials.changes(REMEDIES[name]):
                    self.skipped[name] = cause
            elif name in REMEDIES:
                self._measure(name)
            else:
                self.quarters = part_fits(self.trials, 4, 2)
                self._measure_rows()

    def _candidates(self) -> dict[str, str]:
        """The remedies that could help, with their causes."""
        if self.own_loss < worth(0.0):  # a gain cannot be greater than the loss
            return {}
        found = {name: remedy.cause for name, remedy in REMEDIES.items() if self._can_help(remedy)}
        return found | ({MORE_ROWS: "too_little_data"} if self._gap >= self._worth else {})

    @staticmethod
    def _fits_of(name: str) -> float:
        return REMEDIES[name].fits if name in REMEDIES else 2.0

    def _can_help(self, remedy: Remedy) -> bool:
        if remedy.times_epochs > 1 and self.trials.progress <= UNFINISHED:
            return False
        return {BIAS: self.trials.train_loss, VARIANCE: self._gap}.get(remedy.lowers, math.inf) >= self._worth

    @property
    def _worth(self) -> float:
        return worth(self.own_loss)

    @property
    def _gap(self) -> float:
        return self.own_loss - self.trials.train_loss

    def _measure(self, name: str) -> None:
        gain = self.trials.gain(name, self.seeds)
        if gain is None:
            self.impossible.add(name)
            if REMEDIES[name].change in CHANGES_OF_SEQUENTIAL and not self.trials.experiment.is_sequential:
                self.skipped[name] = REMEDIES[name].cause
        else:
            self.gains[name] = gain

    def _measure_rows(self) -> None:
        gain = gain_of_rows(self.trials, self.halves, self.quarters, self._gap, self.seeds)
        self.gains[gain.by] = gain

    def _measure_faults(self) -> None:
        for gain in self.rows.gains(self.first_trials, self.halves, self.seeds):
            self.gains[gain.by] = gain

    def _has_to_compare(self) -> bool:
        return (self.seeds < MOST_SEEDS and next(iter(self.probabilities.values())) < SURE
                and self.budget.allows(2))

    def _compare(self) -> None:
        """Another seed for the fit itself, and for the best remedies of the causes that are most probable."""
        self.seeds += 1
        likely = list(self.probabilities)[:MOST_COMPARED]
        best: dict[str, Gain] = {}
        for gain in self.gains.values():
            if gain.by in REMEDIES and (gain.cause not in best or gain.mean > best[gain.cause].mean):
                best[gain.cause] = gain
        for cause in likely:
            if cause in best and self.budget.allows(REMEDIES[best[cause].by].fits):
                self._measure(best[cause].by)
        if "leakage" in likely or "label_noise" in likely:
            self._measure_faults()
        if "too_little_data" in likely and self.quarters and self.budget.allows(2):
            self.halves += part_fits(self.trials, 2, 2, draw=self.seeds - 1)
        if self.quarters:
            self._measure_rows()
