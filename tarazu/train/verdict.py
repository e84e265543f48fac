"""After a fit: measure the weights of its end and judge the run, when its history is first asked for the verdict."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from tarazu.diagnose import (
    judge,
    measure_fit,
    trivial_classification_losses,
    trivial_multilabel_losses,
    trivial_regression_losses,
)
from tarazu.diagnose.measuring.measure import Measured, largest_scale
from tarazu.nn.layers.sequences.embedding import TableFeatures
from tarazu.nn.losses import traits
from tarazu.nn.module.module import Module
from tarazu.record import History, Verdict
from tarazu.runtime import random
from tarazu.runtime.jit.jit import jit
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.substitution import substitute
from tarazu.train.evaluate import batches_of, pieces
from tarazu.train.metrics import ACCURACIES
from tarazu.train.placement import placement_of
from tarazu.train.sources.arrays import MOST_JUDGED_ROWS, Arrays, class_numbers
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.snapshot import Snapshot, restore, snapshot
from tarazu.train.trainer.trainer import Trainer, modules_of, same_objects, tensors_of

MOST_COPIED_BYTES = 4 * 2**20  # of a part: so much takes a millisecond
COMPARED_ROWS = 256  # of a part that is not copied, by which a change is noticed


class EndOfRun(NamedTuple):
    """All that the verdict on a run is measured from. The arrays of weights are never written to, so none is copied."""

    trainer: Trainer
    modules: list[Module]
    handles: list[Tensor]  # of the model
    kept: Snapshot  # the weights at the end of the fit
    last: Snapshot  # those of the last epoch, where others were kept
    kept_epoch: int | None
    train: Arrays
    validation: Arrays | None
    checksums: list[int]  # of the arrays of both parts, which may be the caller's own
    batch_size: int

    def judge(self, history: History) -> None:
        """Write measurements and verdict into `history`."""
        if not self._is_whole():
            history.verdict = _OTHER_LAYERS
        elif self.checksums != _checksums(self.train, self.validation):
            history.verdict = _OTHER_ROWS
        else:
            history.measurements = self._measure(history)
            history.verdict = judge(history)

    def _is_whole(self) -> bool:
        """Whether the model still has the layers and tensors that it was trained with."""
        model = self.trainer.model
        return same_objects(self.modules, modules_of(model)) and same_objects(self.handles, tensors_of(model))

    def _measure(self, history: History) -> dict[str, Measured]:
        trainer, train = self.trainer, _sample(self.train)
        validation = None if self.validation is None else _sample(self.validation)
        outputs = _Outputs(self)
        losses_of_train, train_accuracy = _measured(trainer, outputs.of(self.kept, train), train)
        losses_of_validation = validation_accuracy = last_losses = None
        if validation:
            batches = outputs.of(self.kept, validation)
            losses_of_validation, validation_accuracy = _measured(trainer, batches, validation)
            if self.last:
                last_losses, _ = _measured(trainer, outputs.of(self.last, validation), validation)
        return measure_fit(
            losses_of_train, losses_of_validation, _trivial_losses(trainer, train, train),
            _trivial_losses(trainer, train, validation) if validation else None, history.rows,
            num_parameters=sum(p.size for p in trainer.model.parameters() if p.requires_grad),
            kept_epoch=self.kept_epoch, last_validation_losses=last_losses,
            train_accuracy=train_accuracy, validation_accuracy=validation_accuracy,
            trivial_predictor=traits(trainer.loss).trivial_predictor, is_batch_loss=trainer.is_batch_loss,
            input_scale=largest_scale(_measured_columns(trainer.model, train.x)), train_rows=len(self.train.x),
            validation_rows=None if self.validation is None else len(self.validation.x))


def _measured_columns(model: Module, inputs: np.ndarray) -> np.ndarray:
    """The inputs without the columns of codes that a `TableFeatures` layer of the model embeds, which have no scale."""
    for module in modules_of(model):
        if isinstance(module, TableFeatures) and inputs.shape[1:] == (module.num_dense + len(module.embeddings),):
            return inputs[:, :module.num_dense]
    return inputs


_OTHER_ROWS = Verdict("undecided", "undecided: the arrays passed to fit were written to before its verdict was "
                      "asked for")
_OTHER_LAYERS = Verdict("undecided", "undecided: the model got other layers before its verdict was asked for")


def judge_later(run: Run) -> None:
    """Let the history of `run` have its measurements and its verdict when it is first asked for them."""
    kept_last = run.kept_epoch in (None, len(run.history)) or run.failure
    train, validation = _kept(run.train), None if run.validation is None else _kept(run.validation)
    end = EndOfRun(run.trainer, modules_of(run.model), tensors_of(run.model), snapshot(tensors_of(run.model)),
                   [] if kept_last else run.last_weights, run.kept_epoch, train, validation,
                   _checksums(train, validation), run.batch_size)
    run.history.judge_later(end.judge)


def _kept(part: Arrays) -> Arrays:
    """The rows, copied where that costs little: the caller may write to its arrays after the fit."""
    is_small = part.x.nbytes + part.y.nbytes <= MOST_COPIED_BYTES
    return Arrays(part.x.copy(), part.y.copy()) if is_small else part


def _checksums(train: Arrays, validation: Arrays | None) -> list[int]:
    """A number for each array, of rows at equal distances, that changes when what is in them does."""
    arrays = [*train, *(validation or ())]
    return [zlib.crc32(x[::max(1, len(x) // COMPARED_ROWS)].tobytes()) for x in arrays]


class _Outputs:
    """The outputs of a model with given weights, which leaves those that the model has now alone."""

    def __init__(self, end: EndOfRun) -> None:
        model, policy = end.trainer.model, end.trainer.policy

        def forward(inputs: Tensor, weights: list[Tensor]) -> Tensor:
            with substitute(end.handles, weights):
                return policy.forward(model, inputs)

        self._model, self._forward, self._batch_size = model, jit(forward), end.batch_size

    def of(self, weights: Snapshot, part: Arrays) -> Iterator[np.ndarray]:
        """The outputs for the rows of a part, one batch after the other."""
        values = [Tensor(raw) for _, raw in weights]
        return batches_of(lambda inputs: self._forward(inputs, values), placement_of(self._model), self._model, part.x,
                          self._batch_size)


def _sample(part: Arrays) -> Arrays:
    if len(part.x) <= MOST_JUDGED_ROWS:
        return part
    return part.at(np.random.default_rng(0).permutation(len(part.x))[:MOST_JUDGED_ROWS])


def _measured(trainer: Trainer, batches: Iterator[np.ndarray], part: Arrays) -> tuple[np.ndarray, float | None]:
    """The loss of each sample, and the accuracy where that is one of the metrics."""
    metric = next((metric for metric in trainer.metrics.values() if metric in ACCURACIES), None)
    losses, right = [], []
    with keeping_random_state():
        for prediction, target in pieces(batches, part.y):
            losses.append(trainer.sample_losses(prediction, target))
            if metric is not None:
                right.append(metric(prediction, target).numpy())
    return np.concatenate(losses), float(asarray(np.concatenate(right)).mean()) if right else None


@contextlib.contextmanager
def keeping_random_state() -> Iterator[None]:
    """A block after which the global generator is where it was: when a verdict is asked for changes no later draw."""
    before = snapshot([random.default.state])
    try:
        yield
    finally:
        restore(before)


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
