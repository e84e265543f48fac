"""After a fit: measure the kept weights, judge the run, write both into the history."""

from __future__ import annotations

import numpy as np

from tarazu.diagnose import (
    judge,
    measure_fit,
    trivial_classification_losses,
    trivial_multilabel_losses,
    trivial_regression_losses,
)
from tarazu.nn import losses
from tarazu.runtime.tensor.tensor import asarray
from tarazu.train.evaluate import outputs
from tarazu.train.metrics import accuracy, binary_accuracy
from tarazu.train.sources.arrays import MOST_JUDGED_ROWS, Arrays, class_numbers
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.trainer import Trainer

# What the trivial predictor of each loss always predicts.
TRIVIAL_PREDICTORS = {losses.cross_entropy: "the class frequencies", losses.mse: "the mean", losses.mae: "the median",
                      losses.binary_cross_entropy: "the frequency of each output"}


def judge_run(run: Run) -> None:
    """Measurements and verdict for the history of `run`."""
    train = _sample(run.train)
    validation = None if run.validation is None else _sample(run.validation)
    losses_of_train, train_accuracy = _measured(run.trainer, train)
    losses_of_validation, validation_accuracy = _measured(run.trainer, validation) if validation else (None, None)
    is_same_sample = validation is run.validation
    run.history.measurements = measure_fit(
        losses_of_train, losses_of_validation, _trivial_losses(run.trainer, train, train),
        _trivial_losses(run.trainer, train, validation) if validation else None, run.history.rows,
        num_parameters=sum(p.size for p in run.model.parameters() if p.requires_grad), kept_epoch=run.kept_epoch,
        last_validation_losses=run.last_validation_losses if is_same_sample else None,
        train_accuracy=train_accuracy, validation_accuracy=validation_accuracy,
        trivial_predictor=TRIVIAL_PREDICTORS.get(run.trainer.loss))
    run.history.verdict = judge(run.history)


def _sample(part: Arrays) -> Arrays:
    if len(part.x) <= MOST_JUDGED_ROWS:
        return part
    return part.at(np.random.default_rng(0).permutation(len(part.x))[:MOST_JUDGED_ROWS])


def _measured(trainer: Trainer, part: Arrays) -> tuple[np.ndarray, float | None]:
    """The loss of each sample, and the accuracy where that is one of the metrics."""
    prediction, target = outputs(trainer.model, part.x), asarray(part.y)
    metric = next((metric for metric in trainer.metrics.values() if metric in (accuracy, binary_accuracy)), None)
    sample_accuracy = None if metric is None else float(metric(prediction, target).mean())
    return trainer.sample_losses(prediction, target), sample_accuracy


def _trivial_losses(trainer: Trainer, train: Arrays, part: Arrays) -> np.ndarray | None:
    """The losses of the best prediction that looks at no input; None for a loss that Tarazu does not know."""
    if trainer.loss is losses.cross_entropy:
        labels, others = class_numbers(train.y), class_numbers(part.y)
        return None if labels is None or others is None else trivial_classification_losses(labels, others)
    if trainer.loss is losses.binary_cross_entropy:
        is_hard = all(np.isin(y, (0, 1)).all() for y in (train.y, part.y))
        return trivial_multilabel_losses(_rows(train.y), _rows(part.y)) if is_hard else None
    kinds = {losses.mse: "squared", losses.mae: "absolute"}
    kind = kinds.get(trainer.loss)
    return trivial_regression_losses(train.y, part.y, kind) if kind else None


def _rows(y: np.ndarray) -> np.ndarray:
    return y.reshape(len(y), -1)
