"""The fits of an experiment and of its changes, each made when it is first asked for, judged by the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tarazu.record import History
from tarazu.study.experiment.experiment import DIVERGED, Experiment
from tarazu.study.trials.remedies import REMEDIES, Remedy
from tarazu.train.sources.arrays import Arrays
from tarazu.train.trainer.snapshot import keeping_random_state


@dataclass(frozen=True)
class Gain:
    """By how much a change lowers the loss, as a share of the trivial loss: `mean`, and its standard error.

    >>> Gain("4 x the rows", "too_little_data", 0.25, 0.0625, 1).interval
    (0.125, 0.375)
    """

    by: str
    cause: str
    mean: float
    error: float
    seeds: int
    errors: float = 2.0  # to each side of the interval

    @property
    def interval(self) -> tuple[float, float]:
        """About 95 % of it: so many standard errors to both sides, more than two where few seeds give the error.

        >>> Gain("4 x the rows", "too_little_data", 0.25, 0.0, 1).interval
        (0.25, 0.25)
        """
        return self.mean - self.errors * self.error, self.mean + self.errors * self.error


@dataclass(frozen=True)
class Judged:
    """The rows that fits are judged by, and the weight that each has: 0 for one whose target is in doubt."""

    rows: Arrays
    weights: np.ndarray  # (rows,)
    trivial: float  # the loss of the best prediction that looks at no features

    @classmethod
    def of(cls, rows: Arrays, losses: np.ndarray, weights: np.ndarray | None = None) -> Judged:
        """Those of rows with the trivial `losses` of each."""
        given = np.ones(rows.rows) if weights is None else weights
        return cls(rows, given / given.mean(), float(np.average(losses, weights=given)))

    def mean(self, losses: np.ndarray) -> float:
        """The weighted mean, in trivial losses; one that is none, or very large, counts as DIVERGED."""
        value = float((self.weights * losses).mean()) / self.trivial
        return value if value < DIVERGED else DIVERGED  # NaN too


# From one seed to another the difference of two losses varies by about this share of the larger one: the median over
# the fits of the benchmark of causes is 2 %, the ninth decile 9 %. It counts as two seeds beside those that were seen.
SEED_SHARE, SEEN_BEFORE = 0.05, 2


def seed_error(larger: float, gains: list[float]) -> float:
    """The standard error of the mean of gains over seeds, of losses up to `larger`."""
    count = len(gains)
    squares = SEEN_BEFORE * (SEED_SHARE * larger) ** 2 + float(np.var(gains)) * count
    return math.sqrt(squares / (SEEN_BEFORE + count - 1) / count)


def clipped(losses: np.ndarray, most: float) -> np.ndarray:
    """Losses with `most` in place of larger ones and of what is none."""
    return np.minimum(np.nan_to_num(losses, nan=most, posinf=most), most)


@dataclass
class Budget:
    """How many fits may be made, and how many were; `on_fit` is told of each."""

    fits: float
    on_fit: Callable[[float], None] = lambda spent: None
    spent: float = 0.0

    def allows(self, fits: float) -> bool:
        """Whether so many more may be made."""
        return self.spent + fits <= self.fits

    def spend(self, fits: float) -> None:
        """Note that so many were made."""
        self.spent += fits
        self.on_fit(self.spent)


@dataclass
class Trials:
    """The fits of one experiment, by the name of what is changed and the number of the seed."""

    experiment: Experiment
    judged: Judged
    budget: Budget
    seed: int = 0
    train_loss: float = math.nan  # of the experiment's own fit, in trivial losses
    progress: float = math.nan  # the share of its epochs after which its validation loss was lowest
    history: History | None = None  # of the experiment's own fit
    _losses: dict[tuple[str, str, int], np.ndarray | None] = field(default_factory=dict)

    @property
    def own_fits(self) -> int:
        """How many seeds the experiment's own fit was made with."""
        return sum(not name and weights == self._kept for name, weights, _ in self._losses)

    @property
    def _kept(self) -> str:
        return "best" if self.experiment.keeps_best else "last"

    def know_own(self, number: int, losses: np.ndarray) -> None:
        """Take over the losses of the judged rows after the experiment's own fit, which was made before."""
        self._losses["", self._kept, number] = losses

    def own(self, number: int = 0, weights: str = "kept") -> np.ndarray:
        """The losses of the judged rows after the experiment's own fit."""
        losses = self.losses("", Remedy(""), number, weights)
        assert losses is not None
        return losses

    def changes(self, remedy: Remedy) -> bool:
        """Whether a remedy changes anything of the model, without a fit."""
        with keeping_random_state():
            return remedy.changes(self.experiment.build())

    def losses(self, name: str, remedy: Remedy, number: int, weights: str = "kept") -> np.ndarray | None:
        """The losses of the judged rows, (rows,), after a fit with a remedy; None where that changes nothing."""
        weights = self._kept if weights == "kept" else weights
        if (name, weights, number) not in self._losses:
            fitted = self.experiment.fit(seed=self.seed + number, change=remedy.change,
                                         epochs=remedy.times_epochs * self.experiment.epochs)
            self.budget.spend(0.0 if fitted is None else remedy.fits)
            if fitted is not None and not name and not number:
                self.history = fitted.history
                self.progress = fitted.best_epoch / max(1, len(fitted.history))
                loss = float(fitted.losses(self.experiment.train).mean()) / self.judged.trivial
                self.train_loss = min(DIVERGED, loss)
            for which in {"best", self._kept}:
                self._losses[name, which, number] = None if fitted is None else fitted.losses(self.judged.rows, which)
        return self._losses[name, weights, number]

    def gain(self, name: str, seeds: int = 1) -> Gain | None:
        """What a remedy of the table gains, over so many seeds; None where there is nothing to change."""
        remedy = REMEDIES[name]
        if remedy.weights == "best":
            if self.experiment.keeps_best:
                return None
            return self.gain_of(name, remedy.cause, [(self.own(i), self.own(i, "best")) for i in range(seeds)])
        if self.losses(name, remedy, 0) is None:
            return None
        gain = self._gain(name, remedy, seeds, "kept")
        if remedy.cause == "learning_rate_too_high" and not self.experiment.keeps_best:
            # Small steps also train less. What they gain beyond that is seen where the best epoch is kept.
            gain = min(gain, self._gain(name, remedy, seeds, "best"), key=lambda found: found.mean)
        return gain

    def _gain(self, name: str, remedy: Remedy, seeds: int, weights: str) -> Gain:
        pairs = []
        for i in range(seeds):
            changed = self.losses(name, remedy, i, weights)
            assert changed is not None
            pairs.append((self.own(i, weights), changed))
        return self.gain_of(name, remedy.cause, pairs)

    def gain_of(self, name: str, cause: str, pairs: list[tuple[np.ndarray, np.ndarray]]) -> Gain:
        """The gain of pairs of losses, before and after; the error is that of the rows and, with several, of seeds."""
        judged, count = self.judged, len(pairs)
        means = [(judged.mean(before), judged.mean(after)) for before, after in pairs]
        gains = [before - after for before, after in means]
        most = DIVERGED * judged.trivial * len(judged.weights)
        rows = judged.weights * np.mean([clipped(before, most) - clipped(after, most) for before, after in pairs], 0)
        of_rows = float(rows.std()) / math.sqrt(len(rows)) / judged.trivial
        of_seeds = seed_error(float(np.mean([max(pair) for pair in means])), gains)
        return Gain(name, cause, float(np.mean(gains)), min(DIVERGED, math.hypot(of_rows, of_seeds)), count)
