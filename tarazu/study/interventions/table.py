"""The table of interventions: what each changes, the cause that it undoes, and why it cannot be applied where it can't.

It has the remedies of the diagnosis, and those that it does not try.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tarazu.nn.layers.sequential import Sequential
from tarazu.nn.losses import traits
from tarazu.nn.module.module import Module
from tarazu.study.diagnosis.row_evidence import CORRECTED
from tarazu.study.diagnosis.wrong_targets import FEWEST_ROWS as FEWEST_ROWS_WITH_TARGETS
from tarazu.study.diagnosis.wrong_targets import Doubts, doubts, with_corrected_targets
from tarazu.study.experiment.changes import Rate, dropout_of, hidden_layers, mirroring, shifting
from tarazu.study.experiment.experiment import FEWEST_ROWS, Experiment
from tarazu.study.experiment.remake import decay_of
from tarazu.study.trials.parts import MORE_ROWS
from tarazu.study.trials.remedies import REMEDIES, Remedy
from tarazu.train.sources.arrays import Arrays, joined
from tarazu.train.sources.class_weights import class_weighted
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.snapshot import keeping_random_state

BEST_EPOCH, LONGER = "the weights of the best epoch", "4 x the epochs"
BALANCED = "balanced class weights"
QUARTERS = 4  # the smallest parts of the training rows that the gain of more rows is carried on from
UNEVEN = 2.0  # times as many rows of the most frequent class as of the rarest: below that weights change little


@dataclass
class Case:
    """The fit that is changed: its experiment, a model as it is before any change, and what is in its rows."""

    experiment: Experiment
    seed: int

    @cached_property
    def model(self) -> Module:
        """A fresh model."""
        with keeping_random_state():
            return self.experiment.build()

    @cached_property
    def trainer(self) -> OutputTrainer:
        """How it is trained."""
        trainer = trainer_of(self.model)
        assert isinstance(trainer, OutputTrainer)
        return trainer

    def labels(self, rows: Arrays) -> np.ndarray | None:
        """The class numbers of rows of a model with one output; None where its targets are no classes."""
        return self.trainer.labels_of(rows) if isinstance(rows.y, np.ndarray) else None

    @cached_property
    def wrong(self) -> Doubts | None:
        """The targets that a kernel method calls wrong; None where rows have no single target, or are too few."""
        both = joined([self.experiment.train, self.experiment.validation])
        if not (isinstance(both.x, np.ndarray) and isinstance(both.y, np.ndarray)) or both.y.size != both.rows:
            return None
        if both.rows < FEWEST_ROWS_WITH_TARGETS:
            return None
        labels = self.labels(both)
        if labels is not None and labels.min() < 0:  # signs
            return None
        y = both.y.reshape(-1) if labels is None else labels
        return doubts(both.x.reshape(both.rows, -1), y, self.seed)

    def with_corrected_targets(self) -> Experiment:
        """That with predictions in place of the targets that are in doubt, in both parts."""
        assert self.wrong is not None
        return with_corrected_targets(self.experiment, self.wrong)

    def with_balanced_classes(self) -> Experiment:
        """That with rows of rare classes weighing more in training."""
        return self.experiment.with_rows(class_weighted(self.experiment.train, "balanced"))

    def sure_rows(self) -> np.ndarray:
        """How sure the targets of the validation rows are, from 0 to 1."""
        assert self.wrong is not None
        return 1 - self.wrong.probabilities[self.experiment.train.rows:]


class Intervention(NamedTuple):
    """One thing that is changed: a remedy of the model, or the rows of the experiment.

    `why_not` says why it cannot be applied, "" where it can; `weights` are those of the validation rows that judge it.
    """

    remedy: Remedy
    why_not: Callable[[Case], str] = lambda case: ""
    experiment: Callable[[Case], Experiment] = lambda case: case.experiment
    weights: Callable[[Case], np.ndarray] = lambda case: np.ones(case.experiment.validation.rows)


def why_not(name: str, case: Case) -> str:
    """Why an intervention of the table cannot be applied; "" where it can."""
    intervention = INTERVENTIONS[name]
    reason = intervention.why_not(case)
    if not reason and not intervention.remedy.changes(case.model):
        return "the model is so already, or cannot be changed so"
    return reason


def _without_optimizer(case: Case) -> str:
    return "" if case.trainer.optimizer is not None else "the model is compiled without an optimizer"


def _not_regularized(case: Case) -> str:
    has_some = dropout_of(case.model) or decay_of(case.trainer.optimizer) or case.trainer.regularizer is not None
    return "" if has_some else "the model has none of them"


def _no_layers(case: Case) -> str:
    return "" if isinstance(case.model, Sequential) else "only the layers of a tz.nn.Sequential can be changed"


def _no_hidden_layer(case: Case) -> str:
    return _no_layers(case) or ("" if hidden_layers(case.model) else "the model has no hidden layer")


def _no_dropout(case: Case) -> str:
    return _no_hidden_layer(case) or _has_already("dropout or noise", dropout_of(case.model),
                                                  REMEDIES["dropout of 0.3"], case)


def _no_decay(case: Case) -> str:
    return _without_optimizer(case) or _has_already("weight decay", decay_of(case.trainer.optimizer),
                                                    REMEDIES["weight decay"], case)


def _has_already(what: str, strength: float, remedy: Remedy, case: Case) -> str:
    return f"the model has {what} of {strength:.3g}" if strength and not remedy.changes(case.model) else ""


def _keeps_best(case: Case) -> str:
    return "the fit keeps them already" if case.experiment.keeps_best else ""


def _too_few_rows(case: Case) -> str:
    rows, fewest = case.experiment.train.rows, QUARTERS * FEWEST_ROWS
    return "" if rows >= fewest else f"fits to quarters of the rows take {fewest} training rows, here are {rows}"


def _no_images(case: Case) -> str:
    x = case.experiment.train.x
    is_image = isinstance(x, np.ndarray) and x.ndim == 4
    return "" if is_image else "the inputs are no images (batch, height, width, channels)"


def _no_wrong_targets(case: Case) -> str:
    if case.wrong is None:
        return (f"wrong targets are looked for in {FEWEST_ROWS_WITH_TARGETS} rows or more, each an array with one "
                "number or class number from 0")
    return "" if case.wrong.is_evident else "there is no sign of many wrong targets"


def _even_classes(case: Case) -> str:
    train, found = case.experiment.train, traits(case.trainer.outputs[0].loss)
    labels = case.labels(train)
    if labels is None or found.target == "unknown" or found.ignored_target is not None or (
            found.target != "classes" and train.y.size != train.rows):
        return "the targets are no classes"
    counts = np.unique(labels, return_counts=True)[1]
    if counts.max() >= UNEVEN * counts.min():
        return ""
    return f"the classes are even: the rarest has {100 * counts.min() / len(labels):.0f} % of the rows"


WHY_NOT: dict[str, Callable[[Case], str]] = {
    "a tenth of the learning rate": _without_optimizer,
    "no dropout, no decay": _not_regularized,
    "4 x the width": _no_layers,
    "one layer more": _no_layers,
    BEST_EPOCH: _keeps_best,
    "a quarter of the width": _no_hidden_layer,
    "dropout of 0.3": _no_dropout,
    "weight decay": _no_decay,
}
INTERVENTIONS = {
    MORE_ROWS: Intervention(Remedy("too_little_data", fits=4.0), _too_few_rows),
    **{name: Intervention(remedy, WHY_NOT.get(name, lambda case: "")) for name, remedy in REMEDIES.items()},
    "ten times the learning rate": Intervention(Remedy("too_little_training", Rate(10.0)), _without_optimizer),
    "images mirrored at random": Intervention(Remedy("too_little_data", mirroring), _no_images),
    "images shifted at random": Intervention(Remedy("too_little_data", shifting), _no_images),
    CORRECTED: Intervention(Remedy("label_noise"), _no_wrong_targets, Case.with_corrected_targets, Case.sure_rows),
    BALANCED: Intervention(Remedy("uneven_classes"), _even_classes, Case.with_balanced_classes),
}
