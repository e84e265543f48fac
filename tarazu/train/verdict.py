"""After a fit: measure the kept weights, judge the run, write both into the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tarazu.diagnose import (
    judge,
    measure_fit,
    trivial_classification_losses,
    trivial_multilabel_losses,
    trivial_regression_losses,
)
from tarazu.nn import losses
from tarazu.runtime.tensor import asarray
from tarazu.train.arrays import Arrays
from tarazu.train.metrics import accuracy
from tarazu.train.setup import Setup, predict, scores

if TYPE_CHECKING:
    from tarazu.train.loop import Run

MOST_SAMPLES = 20_000  # of each part: more would cost time and change no verdict


def deliver(run: Run) -> None:
    """Measurements and verdict for the history of `run`."""
    train, validation = _sample(run.train), _sample(run.validation)
    found = {"train": _measured(run.setup, train), "validation": _measured(run.setup, validation)}
    trivial = [_trivial_losses(run.setup, train, part) for part in (train, validation)]
    is_same_sample = run.last_validation_losses is not None and validation is run.validation
    run.history.measurements = measure_fit(
        found["train"][0], found["validation"][0], trivial[0], trivial[1], run.history.rows,
        num_parameters=sum(p.size for p in run.model.parameters() if p.requires_grad), kept_epoch=run.kept_epoch,
        last_validation_losses=run.last_validation_losses if is_same_sample else None,
        train_accuracy=found["train"][1], validation_accuracy=found["validation"][1])
    run.history.verdict = judge(run.history)


def _sample(part: Arrays | None) -> Arrays | None:
    if part is None or len(part.x) <= MOST_SAMPLES:
        return part
    rows = np.random.default_rng(0).permutation(len(part.x))[:MOST_SAMPLES]
    return Arrays(part.x[rows], part.y[rows])


def _measured(setup: Setup, part: Arrays | None) -> tuple[np.ndarray | None, float | None]:
    """The loss of each sample, and the accuracy where that is one of the metrics."""
    if part is None:
        return None, None
    prediction, target = predict(setup.model, part.x), asarray(part.y)
    name = next((name for name, metric in setup.metrics.items() if metric is accuracy), None)
    share = scores(setup, prediction, target)[name] if name else None
    return setup.sample_losses(prediction, target), share


def _trivial_losses(setup: Setup, train: Arrays, part: Arrays | None) -> np.ndarray | None:
    """The losses of the best prediction that looks at no input; None for a loss that Tarazu does not know."""
    if part is None:
        return None
    if setup.loss is losses.cross_entropy:
        labels, others = (_class_numbers(a.y) for a in (train, part))
        return trivial_classification_losses(labels, others) if labels.ndim == 1 else None
    if setup.loss is losses.binary_cross_entropy:
        return trivial_multilabel_losses(train.y.reshape(len(train.y), -1), part.y.reshape(len(part.y), -1))
    kinds = {losses.mse: "squared", losses.mae: "absolute"}
    kind = kinds.get(setup.loss)
    return trivial_regression_losses(train.y, part.y, kind) if kind else None


def _class_numbers(y: np.ndarray) -> np.ndarray:
    if y.dtype.kind == "f":
        return y.argmax(-1)
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
