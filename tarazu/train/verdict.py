"""After a fit: measure the kept weights, judge the run, write both into the history."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tarazu.diagnose import (
    judge,
    measure_fit,
    trivial_classification_losses,
    trivial_multilabel_losses,
    trivial_regression_losses,
)
from tarazu.diagnose.measuring.measure import largest_scale
from tarazu.nn.losses import traits
from tarazu.runtime.tensor.creation import asarray
from tarazu.train.evaluate import outputs
from tarazu.train.metrics import ACCURACIES
from tarazu.train.sources.arrays import MOST_JUDGED_ROWS, Arrays, class_numbers
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.trainer import Trainer


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
        trivial_predictor=traits(run.trainer.loss).trivial_predictor, is_batch_loss=run.trainer.is_batch_loss,
        input_scale=largest_scale(train.x))
    run.history.verdict = judge(run.history)


def _sample(part: Arrays) -> Arrays:
    if len(part.x) <= MOST_JUDGED_ROWS:
        return part
    return part.at(np.random.default_rng(0).permutation(len(part.x))[:MOST_JUDGED_ROWS])


def _measured(trainer: Trainer, part: Arrays) -> tuple[np.ndarray, float | None]:
    """The loss of each sample, and the accuracy where that is one of the metrics."""
    prediction, target = outputs(trainer.model, part.x), asarray(part.y)
    metric = next((metric for metric in trainer.metrics.values() if metric in ACCURACIES), None)
    sample_accuracy = None if metric is None else float(metric(prediction, target).mean())
    return trainer.sample_losses(prediction, target), sample_accuracy


def _trivial_losses(trainer: Trainer, train: Arrays, part: Arrays) -> np.ndarray | None:
    """The losses of the best prediction that looks at no input; None where it is not known."""
    predictor = traits(trainer.loss).trivial_predictor
    return None if predictor is None else TRIVIAL_LOSSES[predictor](train.y, part.y)


def _of_class_frequencies(train: np.ndarray, part: np.ndarray) -> np.ndarray | None:
    labels, others = class_numbers(train), class_numbers(part)
    return None if labels is None or others is None else trivial_classification_losses(labels, others)


def _of_output_frequencies(train: np.ndarray, part: np.ndarray) -> np.ndarray | None:
    rows = [y.reshape(len(y), -1) for y in (train, part)]
    is_hard = all(np.isin(y, (0, 1)).all() for y in rows)
    return trivial_multilabel_losses(*rows) if is_hard else None


# By the trivial predictor of a loss (see `LossTraits`): its losses on a part, from the targets of training and part.
TRIVIAL_LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray | None]] = {
    "the class frequencies": _of_class_frequencies,
    "the frequency of each output": _of_output_frequencies,
    "the mean": partial(trivial_regression_losses, loss="squared"),
    "the median": partial(trivial_regression_losses, loss="absolute"),
}
