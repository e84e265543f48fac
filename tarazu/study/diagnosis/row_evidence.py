"""What the rows themselves tell of causes: leaks, another kind of rows in validation, wrong targets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import listing
from tarazu.study.diagnosis.second_opinion import held_out_predictions
from tarazu.study.diagnosis.wrong_targets import Doubts, doubts, with_corrected_targets
from tarazu.study.experiment.experiment import Experiment
from tarazu.study.rows.leakage import SuspectFeature, leakage_of
from tarazu.study.rows.plain import PlainRows, plain_pair
from tarazu.study.rows.row_order import SHARED, copies_p_value, sources_of_copies
from tarazu.study.rows.shift import SHIFTED, ColumnDifference, column_differences
from tarazu.study.rows.two_samples import ranked_area
from tarazu.study.trials.parts import PartFit
from tarazu.study.trials.trials import Gain, Judged, Trials
from tarazu.train.sources.arrays import Arrays, joined
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.verdict import trivial_losses

CORRECTED, MIXED = "corrected targets", "rows like those of validation"
COPIES_WORTH_A_LOOK = 0.1  # of the validation rows
FEWEST_JUDGED = 30
HELD_OUT = 1 / 3  # of the training rows, where all validation rows are copies of them
# Standard deviations from chance of the classifier that tells validation rows from training rows; one fit in 30,000 has
# more by chance.
SHIFT_WORTH_A_LOOK = 4.0


@dataclass
class RowEvidence:
    """The experiment whose fits are judged, the rows that judge them, and what was found in the rows."""

    experiment: Experiment
    judged: Judged
    seed: int
    honest: list[tuple[Experiment, np.ndarray]]  # experiments without the leak, and the judged rows of each
    leak: str = ""  # in words
    copies: float = 0.0  # the share of validation rows that are copies of training rows
    shift: tuple[float, float] = (0.5, 0.0)  # the area under the curve of that classifier, and its z
    wrong: Doubts | None = None
    has_copies: bool = False  # more than nature repeats rows, so that other rows judge
    names: tuple[str, ...] = ()  # of the columns of x, if they have some; columns of one name are one feature
    leaking: tuple[SuspectFeature, ...] = ()
    shifted: tuple[ColumnDifference, ...] = ()  # the columns that differ, the most different first
    _losses: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, experiment: Experiment, seed: int, names: Sequence[str] = ()) -> RowEvidence:
        """Look at the rows of an experiment, without a fit."""
        parts = (Arrays.of(part.x).leaves for part in (experiment.train, experiment.validation))
        source, repeated = sources_of_copies(*parts)
        copies = float((source >= 0).mean())
        p_value = copies_p_value(int((source >= 0).sum()), len(source), repeated, experiment.train.rows)
        if copies >= COPIES_WORTH_A_LOOK and p_value <= SHARED:
            return cls._with_copies(experiment, seed, source, copies)
        found = cls(experiment, _judged(experiment, experiment.validation), seed, [], copies=copies,
                    names=tuple(names))
        if _are_tables(experiment):
            found._look_for_shift()
            found._look_for_leaks()
            if not found.is_shifted:  # of rows of two kinds a common predictor errs for other reasons
                found._look_for_wrong_targets()
        return found

    @classmethod
    def _with_copies(cls, experiment: Experiment, seed: int, source: np.ndarray, copies: float) -> RowEvidence:
        new = np.flatnonzero(source < 0)
        if len(new) >= FEWEST_JUDGED:
            rows = experiment.validation.at(new)
        else:
            held = np.random.default_rng(seed).random(experiment.train.rows) < HELD_OUT
            rows = experiment.train.at(held)
            experiment = experiment.with_rows(experiment.train.at(~held), experiment.validation.at(
                (source < 0) | ~held[source]))
        half = np.random.default_rng(seed).permutation(rows.rows) % 2 == 0
        honest = [(experiment.with_rows(experiment.train, rows.at(part)), ~part) for part in (half, ~half)]
        return cls(experiment, _judged(experiment, rows), seed, honest, "copies of training rows", copies,
                   has_copies=True)

    def _look_for_leaks(self) -> None:
        train, validation = self.experiment.train, self.experiment.validation
        plain = self._plain_rows()
        if self.is_shifted:  # rows of two kinds together have dependences that neither has
            plain = (plain[0], plain[0])
        self.leaking = leakage_of(*plain, self.seed).suspects
        if not self.leaking:
            return
        columns = [column for suspect in self.leaking for column in suspect.columns]
        self.leak = listing(suspect.name for suspect in self.leaking)
        rows = _shuffled(validation, columns, self.seed)
        self.judged = _judged(self.experiment, rows)
        without = self.experiment.with_rows(_shuffled(train, columns, self.seed), rows)
        self.honest = [(without, np.ones(rows.rows, bool))]

    @property
    def is_shifted(self) -> bool:
        """Whether validation rows are of another kind than training rows, as far as a classifier tells."""
        return self.shift[1] >= SHIFT_WORTH_A_LOOK

    def _look_for_shift(self) -> None:
        self.shift = _shift(self.experiment)
        if self.is_shifted:
            found = [column for column in column_differences(*self._plain_rows()) if column.p_value <= SHIFTED]
            most = {column.name: column for column in sorted(found, key=lambda column: column.distance)}
            self.shifted = tuple(sorted(most.values(), key=lambda column: -column.distance))

    def _plain_rows(self) -> tuple[PlainRows, PlainRows]:
        """The rows of both parts as a matrix each, with the names of its columns."""
        train, validation = self.experiment.train, self.experiment.validation
        found = plain_pair(train.x, train.y, validation.x, validation.y, None)
        return (replace(found[0], names=self.names), replace(found[1], names=self.names)) if self.names else found

    def _look_for_wrong_targets(self) -> None:
        experiment = self.experiment
        both = joined([experiment.train, experiment.validation])
        y = np.asarray(both.y).reshape(both.rows, -1)[:, 0]
        self.wrong = doubts(np.asarray(both.x).reshape(both.rows, -1), y, self.seed)
        if self.wrong.is_evident:
            doubt = self.wrong.probabilities[experiment.train.rows:]
            self.judged = _judged(experiment, self.judged.rows, 1 - doubt)

    def refute_doubts(self, losses: np.ndarray) -> bool:
        """Drop doubts of targets that a model predicts better than targets could be, if so many were wrong.

        `losses` are those of the judged rows. Of a share r of numbers that are drawn anew, the best model removes
        (1 - r)^2 of the trivial loss; of classes, it keeps the entropy of r. True if doubts were dropped: then all rows
        judge alike.
        """
        if self.wrong is None or not self.wrong.is_evident or self.wrong.is_far:
            return False
        doubt = self.wrong.probabilities
        share = self.wrong.interval[0] * float(doubt[self.experiment.train.rows:].mean() / max(doubt.mean(), 1e-12))
        share, all_alike = min(share, 0.5), _judged(self.experiment, self.judged.rows)
        is_class = np.issubdtype(np.asarray(self.experiment.train.y).dtype, np.integer)
        least = -share * math.log(share) - (1 - share) * math.log(1 - share) if is_class and share > 0 else (
            all_alike.trivial * (1 - (1 - share) ** 2))
        if not float(losses.mean() + 2 * losses.std() / math.sqrt(len(losses))) < least:  # NaN refutes nothing
            return False
        self.wrong, self.judged = None, all_alike
        return True

    @property
    def cured(self) -> Experiment:
        """The experiment by which other remedies are tried: with copies among the validation rows nothing tells when to
        stop, and what bears that best seems to help.
        """
        return self.honest[0][0] if self.has_copies else self.experiment

    @property
    def suspected(self) -> dict[str, str]:
        """What undoes each fault that was found in the rows, and the cause that it is of."""
        found = {}
        if self.honest:
            found[f"without {self.leak}"] = "leakage"
        if self.wrong is not None and self.wrong.is_evident:
            found[CORRECTED] = "label_noise"
        if self.shift[1] >= SHIFT_WORTH_A_LOOK:
            found[MIXED] = "shift"
        return found

    def gains(self, trials: Trials, halves: list[PartFit], seeds: int = 1) -> list[Gain]:
        """What undoing each of the faults that were found gains, over so many seeds of those that cost few fits."""
        made = [self._gain_without_leak(trials, seeds), self._gain_of_clean_targets(trials, seeds),
                self._gain_without_shift(trials, halves)]
        return [gain for gain in made if gain is not None]

    def _gain_without_leak(self, trials: Trials, seeds: int) -> Gain | None:
        if not self.honest:
            return None
        pairs = [(trials.own(i), self._cured("leak", i, self._losses_without_leak, trials)) for i in range(seeds)]
        return trials.gain_of(f"without {self.leak}", "leakage", pairs)

    def _losses_without_leak(self, seed: int, trials: Trials) -> np.ndarray:
        losses = np.empty(self.judged.rows.rows)
        for experiment, rows in self.honest:
            losses[rows] = _fitted_losses(experiment, seed, self.judged.rows.at(rows), trials)
        return losses

    def _cured(self, name: str, number: int, measure: Callable[[int, Trials], np.ndarray],
               trials: Trials) -> np.ndarray:
        """The losses of the judged rows after a cure, measured once for each seed."""
        if (name, number) not in self._losses:
            self._losses[name, number] = measure(self.seed + number, trials)
        return self._losses[name, number]

    def _gain_of_clean_targets(self, trials: Trials, seeds: int) -> Gain | None:
        if self.wrong is None or not self.wrong.is_evident:
            return None
        pairs = [(trials.own(i), self._cured("targets", i, self._losses_of_clean_targets, trials))
                 for i in range(seeds)]
        gain = trials.gain_of(CORRECTED, "label_noise", pairs)
        return replace(gain, mean=max(gain.mean, self._least_gain_of_clean_targets()))

    def _losses_of_clean_targets(self, seed: int, trials: Trials) -> np.ndarray:
        assert self.wrong is not None
        return _fitted_losses(with_corrected_targets(self.experiment, self.wrong), seed, self.judged.rows, trials)

    def _least_gain_of_clean_targets(self) -> float:
        """What a model loses that has learned the frequencies of the targets as they are, in trivial losses.

        It gives the right class a share of 1 - rate, or a number that lies by that share nearer to the mean. The rate
        is taken at the low end of its interval.
        """
        assert self.wrong is not None
        rate = self.wrong.interval[0]
        if self.wrong.is_far:
            return 0.0
        if np.issubdtype(np.asarray(self.experiment.train.y).dtype, np.integer):
            return -math.log(1 - rate) / self.judged.trivial
        return rate**2

    def _gain_without_shift(self, trials: Trials, halves: list[PartFit]) -> Gain | None:
        if not self.is_shifted:
            return None
        judged, experiment = self.judged, self.experiment
        own = judged.mean(trials.own())
        gap = float(np.mean([judged.mean(part.judged) - float(part.losses.mean()) / judged.trivial for part in halves]))
        mixed = trials.gain_of(MIXED, "shift",
                               [(trials.own(), self._cured("shift", 0, self._losses_of_mixed_rows, trials))])
        # A loss falls fast with the first rows of the new kind: about with the root of their share.
        count = experiment.validation.rows // 2
        share = math.sqrt(count / (experiment.train.rows + count))
        return replace(mixed, mean=min(own, max(gap, mixed.mean / share)), error=mixed.error / share)

    def _losses_of_mixed_rows(self, seed: int, trials: Trials) -> np.ndarray:
        """After fits to the training rows and half of the validation rows, of the other half."""
        experiment, losses = self.experiment, np.empty(self.judged.rows.rows)
        half = np.random.default_rng(self.seed).permutation(experiment.validation.rows) % 2 == 0
        for part in (half, ~half):
            more = joined([experiment.train, experiment.validation.at(part)])
            mixed = experiment.with_rows(more, experiment.validation.at(~part))
            losses[~part] = _fitted_losses(mixed, seed, self.judged.rows.at(~part), trials)
        return losses


def _fitted_losses(experiment: Experiment, seed: int, rows: Arrays, trials: Trials) -> np.ndarray:
    """The losses of rows after a fit, which is counted."""
    fitted = experiment.fit(seed=seed)
    assert fitted is not None
    trials.budget.spend(1.0)
    return fitted.losses(rows)


def _judged(experiment: Experiment, rows: Arrays, weights: np.ndarray | None = None) -> Judged:
    trainer = trainer_of(experiment.build())
    losses = trivial_losses(trainer, rows, rows)
    if losses is None:
        raise ArgumentError(f"a diagnosis of {type(trainer.model).__name__}, for whose loss the best prediction that "
                            "looks at no inputs is not known",
                            expected="a loss of classes or numbers of `tz.nn.LOSSES`",
                            fix='compile it with such a loss, for example "cross_entropy" or "mse"')
    return Judged.of(rows, losses, weights)


def _shuffled(rows: Arrays, columns: list[int], seed: int) -> Arrays:
    """The rows with some columns in another order, in which they tell nothing."""
    x = np.array(rows.x)
    flat = x.reshape(len(x), -1)
    flat[:, columns] = flat[np.random.default_rng(seed).permutation(len(x))][:, columns]
    return Arrays.of((x, rows.y))


def _are_tables(experiment: Experiment) -> bool:
    return all(isinstance(part, np.ndarray) for rows in (experiment.train, experiment.validation)
               for part in (rows.x, rows.y))


def _shift(experiment: Experiment) -> tuple[float, float]:
    """How well held-out scores tell validation rows from training rows, and how far from chance that is."""
    both = joined([experiment.train, experiment.validation])
    x, y = np.asarray(both.x).reshape(both.rows, -1), np.asarray(both.y).reshape(both.rows, -1)
    is_new = np.arange(both.rows) >= experiment.train.rows
    targets = np.eye(int(y.max()) + 1)[y[:, 0]] if np.issubdtype(y.dtype, np.integer) else np.hstack([y, y**2])
    scores = held_out_predictions(np.hstack([x, targets]), is_new[:, None].astype(float))[:, 0]
    area, pairs = ranked_area(scores, is_new), int(is_new.sum()) * int((~is_new).sum())
    return area, (area - 0.5) / math.sqrt((both.rows + 1) / (12 * pairs))
