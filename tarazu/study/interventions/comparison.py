"""The fits of a comparison: of the model as it is and of each intervention, by the same seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tarazu.record import History
from tarazu.study.decompose.predictions import Reading
from tarazu.study.experiment.experiment import DIVERGED, Experiment, Fitted, losses_of_rows
from tarazu.study.interventions.paired import Pair, chosen_by_others, paired_gain
from tarazu.study.interventions.table import BALANCED, BEST_EPOCH, INTERVENTIONS, LONGER, QUARTERS, Case
from tarazu.study.trials.parts import MORE_ROWS, PartFit, gain_of_rows, part_fits
from tarazu.study.trials.remedies import Remedy
from tarazu.study.trials.trials import Budget, Gain, Judged, Trials
from tarazu.train.callbacks.base import Callback
from tarazu.train.sources.arrays import Arrays
from tarazu.train.trainer.run import Run
from tarazu.train.verdict import trivial_losses

PARTS = 2  # fits to halves, and as many to quarters


@dataclass
class Outcome:
    """What a fit leaves: losses of the validation rows with the kept weights, and after each epoch where that is asked.

    `misses` is 1 for each validation row that is called another class than it has.
    """

    losses: np.ndarray
    by_epoch: np.ndarray | None  # (epochs, rows)
    misses: np.ndarray | None
    is_stopped: bool  # early


@dataclass
class Comparison:
    """Makes the fits of a case and of the interventions `names`; `on_fit` is told how much of `cost` is done."""

    case: Case
    names: Sequence[str]
    seeds: int
    on_fit: Callable[[float], None] = lambda spent: None
    trivial: float = math.nan
    own: list[Outcome] = field(default_factory=list)
    train_losses: list[float] = field(default_factory=list)
    pairs: dict[str, list[Pair]] = field(default_factory=dict)
    misses: list[Pair] = field(default_factory=list)  # as it is, and with balanced class weights
    diverged: Counter[str] = field(default_factory=Counter)  # by intervention, "" for the model as it is
    not_applicable: dict[str, str] = field(default_factory=dict)
    history: History | None = None
    fits: int = 0
    _parts: list[list[PartFit]] = field(default_factory=list)  # fits to halves, and to quarters
    _rows_gain: Gain | None = None
    _spent: float = 0.0

    def __post_init__(self) -> None:
        rows = self.case.experiment.validation
        losses = trivial_losses(self.case.trainer, rows, rows)
        self.trivial = math.nan if losses is None else float(losses.mean())

    @property
    def cost(self) -> float:
        """That of all fits, in fits of the model as it is."""
        once = 2.0 * PARTS if MORE_ROWS in self.names else 0.0
        return once + self.seeds * (1 + sum(INTERVENTIONS[n].remedy.fits for n in self.names if n != MORE_ROWS))

    @property
    def loss(self) -> float:
        """The mean validation loss of the model as it is, of fits that did not diverge."""
        return float(np.mean([own.losses.mean() for own in self.own])) if self.own else math.nan

    @property
    def unit(self) -> float:
        """What gains are shares of: the trivial loss, or the model's own loss where none is known."""
        return self.trivial if self.trivial > 0 else abs(self.loss) or 1.0

    def run(self) -> None:
        """Make the fits, those of one seed before those of the next."""
        for seed in range(self.case.seed, self.case.seed + self.seeds):
            own = self._own(seed)
            if own is None:
                continue
            for name in self.names:
                if name == MORE_ROWS:
                    self._try_more_rows()
                elif name not in self.not_applicable:
                    self._try(name, own, seed)

    def gains(self) -> list[Gain]:
        """What the interventions gain by the fits that are made, best first."""
        made = [paired_gain(name, INTERVENTIONS[name].remedy.cause, pairs, INTERVENTIONS[name].weights(self.case),
                            self.unit) for name, pairs in self.pairs.items()]
        made += [self._rows_gain] if self._rows_gain is not None else []
        return sorted(made, key=lambda gain: -gain.mean)

    def _own(self, seed: int) -> Outcome | None:
        """A fit of the model as it is; None where it diverged."""
        fitted, own = self._fit("", self.case.experiment, Remedy(""), seed)
        if fitted is None or own is None:
            return None
        self.own.append(own)
        self.train_losses.append(float(fitted.losses(self.case.experiment.train).mean()))
        self.history = self.history or fitted.history
        if own.is_stopped and len(self.own) == 1 and LONGER in self.names:
            self.not_applicable[LONGER] = "the fit ends by early stopping before its epochs are over"
        return own

    def _try(self, name: str, own: Outcome, seed: int) -> None:
        if name == BEST_EPOCH:
            self._note(name, own.losses, _by_best_epoch(own, seed))
            return
        if name == LONGER and own.is_stopped:  # more epochs make the same fit
            self._note(name, own.losses, own.losses)
            return
        intervention = INTERVENTIONS[name]
        _, changed = self._fit(name, intervention.experiment(self.case), intervention.remedy, seed)
        if changed is None:
            return
        if changed.losses.mean() > DIVERGED * max(self.unit, own.losses.mean()):
            self.diverged[name] += 1
            return
        if changed.by_epoch is not None:
            self._note(name, _by_best_epoch(own, seed), _by_best_epoch(changed, seed))
        else:
            self._note(name, own.losses, changed.losses)
        if own.misses is not None and changed.misses is not None:
            self.misses.append((own.misses, changed.misses))

    def _note(self, name: str, before: np.ndarray, after: np.ndarray) -> None:
        self.pairs.setdefault(name, []).append((before, after))

    def _try_more_rows(self) -> None:
        """Fits on halves and quarters with the first seed; what they say is reckoned again with each later one."""
        experiment = self.case.experiment
        rows = experiment.validation
        trials = Trials(experiment, Judged(rows, np.ones(rows.rows), self.unit), Budget(math.inf), self.case.seed)
        for number, own in enumerate(self.own):
            trials.know_own(number, own.losses)
        if not self._parts:
            self._parts = [part_fits(trials, parts, PARTS) for parts in (2, QUARTERS)]
            self._spend(2.0 * PARTS, 2 * PARTS)
        halves, quarters = self._parts
        if all(np.isfinite(part.judged).all() for part in (*halves, *quarters)):
            gap = self.loss - float(np.mean(self.train_losses))
            self._rows_gain = gain_of_rows(trials, halves, quarters, gap / self.unit, len(self.own))
        else:
            self.diverged[MORE_ROWS] = sum(not np.isfinite(part.judged).all() for part in (*halves, *quarters))

    def _fit(self, name: str, experiment: Experiment, remedy: Remedy,
             seed: int) -> tuple[Fitted | None, Outcome | None]:
        """A fit with a remedy, and what it leaves; None twice where it diverged."""
        watchers = [EpochLosses(self.case.experiment.validation)] if self._is_watched(name) else []
        fitted = experiment.fit(seed=seed, change=remedy.change, epochs=remedy.times_epochs * experiment.epochs,
                                watchers=watchers)
        self._spend(remedy.fits, 1)
        if fitted is not None and not fitted.has_diverged:
            losses = fitted.losses(self.case.experiment.validation)
            if np.isfinite(losses).all():
                by_epoch = np.array(watchers[0].losses) if watchers else None
                is_stopped = fitted.history.stopped == "early stopping"
                return fitted, Outcome(losses, by_epoch, self._misses(name, fitted), is_stopped)
        self.diverged[name] += 1
        return None, None

    def _is_watched(self, name: str) -> bool:
        """Whether a fit is judged by the best epoch as other rows choose it: the best of more gains by chance."""
        by_choice = LONGER if self.case.experiment.keeps_best else BEST_EPOCH
        return by_choice in self.names and name in ("", by_choice)

    def _misses(self, name: str, fitted: Fitted) -> np.ndarray | None:
        """For each validation row 1 where it is called another class than it has."""
        if BALANCED not in self.names or name not in ("", BALANCED):
            return None
        rows = self.case.experiment.validation
        outputs, reading = fitted.outputs(rows), Reading.of(self.case.model)
        logits, targets = reading.logits(outputs), reading.targets(rows.y, outputs)
        labels = targets.argmax(axis=-1) if targets.ndim == logits.ndim else targets
        return np.asarray(logits.argmax(axis=-1) != labels, np.float64).reshape(rows.rows)

    def _spend(self, cost: float, fits: int) -> None:
        self.fits += fits
        self._spent += cost
        self.on_fit(self._spent)


class EpochLosses(Callback):
    """Keeps the losses of rows after each epoch."""

    def __init__(self, rows: Arrays) -> None:
        self._rows = rows
        self.losses: list[np.ndarray] = []

    def on_epoch_end(self, run: Run) -> None:
        self.losses.append(losses_of_rows(run.model, self._rows))


def _by_best_epoch(outcome: Outcome, seed: int) -> np.ndarray:
    assert outcome.by_epoch is not None
    return chosen_by_others(outcome.by_epoch, seed)
