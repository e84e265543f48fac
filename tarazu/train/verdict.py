"""After a fit: measure the weights of its end and judge the run, when its history is first asked for the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tarazu import diagnose  # loaded once a verdict is asked for
from tarazu.base.pytree import map_leaves
from tarazu.nn.layers.preprocessing.normalization import Normalization
from tarazu.nn.layers.sequences.embedding import TableFeatures
from tarazu.nn.layers.sequential import Sequential
from tarazu.nn.layers.spatial.resizing import Rescaling
from tarazu.nn.losses import traits
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.record import History, Verdict
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.jit.jit import jit
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.substitution import substitute
from tarazu.train.calling import outputs_and_masks
from tarazu.train.evaluate import Predicted, batches_of, pieces, predicted
from tarazu.train.inventory import Inventory
from tarazu.train.metrics import ACCURACIES, valid_steps
from tarazu.train.placement import placement_of
from tarazu.train.sources.arrays import MOST_JUDGED_ROWS, Arrays, class_numbers
from tarazu.train.sources.datasets import mapped_rows
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.own_losses import depends_on_batch
from tarazu.train.trainer.own_steps import OwnLossTrainer, OwnStepTrainer
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.snapshot import Snapshot, keeping_random_state, snapshot
from tarazu.train.trainer.trainer import Trainer, modules_of, same_objects, tensors_of

if TYPE_CHECKING:
    from tarazu.diagnose.measuring.measure import Measured

MOST_CLASSES = 100  # whose shares in both parts are compared
MOST_COPIED_BYTES = 4 * 2**20  # of a part: so much takes a millisecond


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
    on_batch: Callable[[Any], Any] | None  # the maps of batches of the dataset that was trained on

    def judge(self, history: History) -> None:
        """Write measurements and verdict into `history`."""
        if isinstance(self.trainer, OwnStepTrainer) and not self.trainer.has_loss:
            history.verdict = _NO_LOSS
        elif not self._is_whole():
            history.verdict = _OTHER_LAYERS
        elif self.checksums != _checksums(self.train, self.validation):
            history.verdict = _OTHER_ROWS
        else:
            history.measurements = self._measure(history)
            history.verdict = diagnose.judge(history)

    def _is_whole(self) -> bool:
        """Whether the model still has the layers and tensors that it was trained with."""
        model = self.trainer.model
        return same_objects(self.modules, modules_of(model)) and same_objects(self.handles, tensors_of(model))

    def _measure(self, history: History) -> dict[str, Measured]:
        trainer, train = self.trainer, self._mapped(_sample(self.train))
        validation = None if self.validation is None else _sample(self.validation)
        losses_of = _losses_by_outputs(self) if isinstance(trainer, OutputTrainer) else _losses_by_rows(self)
        losses_of_train, train_accuracy = losses_of(self.kept, train)
        losses_of_validation = validation_accuracy = last_losses = None
        if validation:
            losses_of_validation, validation_accuracy = losses_of(self.kept, validation)
            if self.last:
                last_losses, _ = losses_of(self.last, validation)
        return diagnose.measure_fit(
            losses_of_train, losses_of_validation, trivial_losses(trainer, train, train),
            trivial_losses(trainer, train, validation) if validation else None, history.rows,
            num_parameters=sum(p.size for p in trainer.model.parameters() if p.requires_grad),
            kept_epoch=self.kept_epoch, last_validation_losses=last_losses,
            train_accuracy=train_accuracy, validation_accuracy=validation_accuracy,
            trivial_predictor=_trivial_predictor(trainer), is_batch_loss=trainer.is_batch_loss,
            input_scale=_input_scale(trainer, train), shift=_shift(trainer, train, validation),
            train_rows=self.train.rows, validation_rows=None if self.validation is None else self.validation.rows)

    def _mapped(self, part: Arrays) -> Arrays:
        """The rows after the maps of batches."""
        if self.on_batch is None:
            return part
        with keeping_random_state():
            return mapped_rows(self.on_batch, part, self.batch_size)


def _input_scale(trainer: Trainer, train: Arrays) -> float | None:
    """The largest scale of a column of an input; None for whole numbers, as of words."""
    from tarazu.diagnose.measuring.measure import largest_scale

    if not isinstance(trainer, OutputTrainer):
        return None
    scales = [largest_scale(_measured_columns(trainer.model, x)) for x in Arrays.of(train.x).leaves]
    return max((scale for scale in scales if scale is not None), default=None)


def _shift(trainer: Trainer, train: Arrays, validation: Arrays | None) -> float | None:
    """How far the columns of the inputs and the targets differ between both parts; None for batches of one's own."""
    if validation is None or not isinstance(trainer, OutputTrainer):
        return None
    inputs = zip(Arrays.of(train.x).leaves, Arrays.of(validation.x).leaves, strict=True)
    targets = zip(Arrays.of(train.y).leaves, Arrays.of(validation.y).leaves, strict=True)
    pairs = [*inputs, *(_as_columns(*pair) for pair in targets)]
    return max((diagnose.mean_shift(*pair) for pair in pairs if pair[0].shape[1:] == pair[1].shape[1:]), default=0.0)


def _as_columns(train: np.ndarray, validation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets as columns of numbers: whether a row is of a class, for each class, or what they are."""
    classes = np.unique(train) if train.ndim == 1 and train.dtype.kind in "iu" else np.empty(0)
    if not 0 < len(classes) <= MOST_CLASSES:
        return train, validation
    return train[:, None] == classes, validation[:, None] == classes


def _measured_columns(model: Module, inputs: np.ndarray) -> np.ndarray:
    """The inputs as the first layer scales them, where it does, and without the columns of codes that a `TableFeatures`
    layer of the model embeds, which have no scale.
    """
    first = model
    while isinstance(first, Sequential) and len(first):
        first = first[0]
    if isinstance(first, Normalization | Rescaling):
        return first(asarray(inputs)).numpy()
    for module in modules_of(model):
        if isinstance(module, TableFeatures) and inputs.shape[1:] == (module.num_dense + len(module.embeddings),):
            return inputs[:, :module.num_dense]
    return inputs


_OTHER_ROWS = Verdict("undecided", "undecided: the arrays passed to fit were written to before its verdict was "
                      "asked for")
_OTHER_LAYERS = Verdict("undecided", "undecided: the model got other layers before its verdict was asked for")
_NO_LOSS = Verdict("undecided", "undecided: the model has a train_step, and no compute_loss(batch) to judge it by")


def judge_later(run: Run) -> None:
    """Let the history of `run` have its measurements and its verdict when it is first asked for them."""
    kept_last = run.kept_epoch in (None, len(run.history)) or run.failure
    train, validation = _kept(run.train), None if run.validation is None else _kept(run.validation)
    end = EndOfRun(run.trainer, modules_of(run.model), tensors_of(run.model), snapshot(tensors_of(run.model)),
                   [] if kept_last else run.last_weights, run.kept_epoch, train, validation,
                   _checksums(train, validation), run.batch_size, run.trainer.on_batch)
    run.history.judge_later(end.judge)


def _kept(part: Arrays) -> Arrays:
    """The rows, copied where that costs little: the caller may write to its arrays after the fit."""
    return part.copy() if part.nbytes <= MOST_COPIED_BYTES else part


def _checksums(train: Arrays, validation: Arrays | None) -> list[int]:
    """A number for each array, of rows at equal distances, that changes when what is in them does."""
    return train.checksums() + (validation.checksums() if validation else [])


def _sample(part: Arrays) -> Arrays:
    if part.rows <= MOST_JUDGED_ROWS:
        return part
    return part.at(np.random.default_rng(0).permutation(part.rows)[:MOST_JUDGED_ROWS])


LossesOf = Callable[[Snapshot, Arrays], tuple[np.ndarray, float | None]]  # of given weights: of each row; the accuracy


def _losses_by_outputs(end: EndOfRun) -> LossesOf:
    """The losses of rows from the outputs of a model, whose weights stay what they are now."""
    trainer = end.trainer
    assert isinstance(trainer, OutputTrainer)
    model, policy = trainer.model, trainer.policy

    def forward(inputs: Any, weights: list[Tensor]) -> Any:
        with substitute(end.handles, weights):
            return outputs_and_masks(lambda: policy.forward(model, inputs))

    compiled = jit(forward)

    def losses_of(weights: Snapshot, part: Arrays) -> tuple[np.ndarray, float | None]:
        values = [Tensor(raw) for _, raw in weights]
        made = batches_of(lambda inputs: compiled(inputs, values), placement_of(model), Inventory(model),
                          Arrays.of(part.x), end.batch_size)
        return _measured(trainer, predicted(made, part))

    return losses_of


def _measured(trainer: OutputTrainer, batches: Iterator[Predicted]) -> tuple[np.ndarray, float | None]:
    """The loss of each sample, and the accuracy where that is one of the metrics of the only output."""
    functions = [metric.function for metric in trainer.metrics.values() if metric.function in ACCURACIES]
    metric = functions[0] if functions and len(trainer.outputs) == 1 else None
    output = trainer.outputs[0]
    losses, right = [], []
    with keeping_random_state():
        for prediction, part in pieces(batches):
            outputs, masks = map_leaves(asarray, prediction.tree)
            losses.append(trainer.sample_losses(outputs, masks, part))
            if metric is not None:
                given, target, mask = output.of(outputs), asarray(output.of(part.y)), output.of(masks)
                if mask is not None:
                    given, target = map(asarray, valid_steps(given, target, mask))
                right.append(metric(given, target).numpy())
    return np.concatenate(losses), float(asarray(np.concatenate(right)).mean()) if right else None


def _losses_by_rows(end: EndOfRun) -> LossesOf:
    """The losses of rows by `compute_loss` of the model, for batches of one row each."""
    trainer = end.trainer
    assert isinstance(trainer, OwnLossTrainer)

    def with_weights(function: Callable[[Any], Any], batch: Any, weights: list[Tensor]) -> Any:
        with substitute(end.handles, weights):
            return function(batch)

    of_rows, of_batch = (jit(partial(with_weights, function)) for function in (trainer.losses_of_rows, trainer.loss_of))

    def losses_of(weights: Snapshot, part: Arrays) -> tuple[np.ndarray, float | None]:
        values, losses = [Tensor(raw) for _, raw in weights], []
        with keeping_random_state(), in_mode(trainer.model, training=False), no_grad():
            trainer.is_batch_loss = trainer.is_batch_loss or depends_on_batch(
                lambda batch: of_rows(batch, values), lambda batch: of_batch(batch, values), part)
            for batch in part.batches(end.batch_size):
                given = map_leaves(trainer.placement.inputs, batch.tree)
                losses.append(np.full(batch.rows, float(of_batch(given, values))) if trainer.is_batch_loss
                              else of_rows(given, values).numpy())
        return np.concatenate(losses), None

    return losses_of


def _trivial_predictor(trainer: Trainer) -> str | None:
    """What the best prediction that looks at no input always predicts, in words; None where it is not known."""
    names = {traits(output.loss).trivial_predictor for output in trainer.outputs}
    if not isinstance(trainer, OutputTrainer) or None in names:
        return None
    return names.pop() if len(names) == 1 else "the best constant of each output"


def trivial_losses(trainer: Trainer, train: Arrays, part: Arrays) -> np.ndarray | None:
    """The losses of the best prediction that looks at no input; None where it is not known."""
    if _trivial_predictor(trainer) is None or (isinstance(trainer, OutputTrainer) and trainer.has_masks):
        return None
    total = np.zeros(part.rows)
    for output in trainer.outputs:
        predictor = TRIVIAL_LOSSES[str(traits(output.loss).trivial_predictor)]
        losses = predictor(output.of(train.y), output.of(part.y))
        if losses is None:
            return None
        weight = output.weight_of(part.weight)
        total += output.weight * (losses if weight is None else losses * weight)
    return total


def _of_class_frequencies(train: np.ndarray, part: np.ndarray) -> np.ndarray | None:
    labels, others = class_numbers(train), class_numbers(part)
    return None if labels is None or others is None else diagnose.trivial_classification_losses(labels, others)


def _of_output_frequencies(train: np.ndarray, part: np.ndarray) -> np.ndarray | None:
    rows = [y.reshape(len(y), -1) for y in (train, part)]
    is_hard = all(np.isin(y, (0, 1)).all() for y in rows)
    return diagnose.trivial_multilabel_losses(*rows) if is_hard else None


# By the trivial predictor of a loss (see `LossTraits`): its losses on a part, from the targets of training and part.
TRIVIAL_LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray | None]] = {
    "the class frequencies": _of_class_frequencies,
    "the frequency of each output": _of_output_frequencies,
    "the mean": lambda train, part: diagnose.trivial_regression_losses(train, part, loss="squared"),
    "the median": lambda train, part: diagnose.trivial_regression_losses(train, part, loss="absolute"),
}
