"""What `compile` prepares: optimizer, loss, metrics, and the train step as one traced function."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tarazu.base.device import CPU
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.ir.interpreter import state
from tarazu.nn import losses
from tarazu.nn.losses import Loss
from tarazu.nn.module.module import Module
from tarazu.ops.control_flow.loops import while_loop
from tarazu.ops.create import arange, zeros_like
from tarazu.ops.elementwise import astype
from tarazu.ops.indexing.index import take
from tarazu.ops.reduce import mean
from tarazu.ops.shape import reshape
from tarazu.optim.named import find_optimizer
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.regularizers import Regularizers, penalty, require_regularizers
from tarazu.runtime import random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.device import move, whole
from tarazu.runtime.jit.jit import Jit, jit
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes
from tarazu.runtime.trace.captures import KEPT
from tarazu.runtime.trace.trace import Trace
from tarazu.train.metrics import BUILT_IN, Metrics, named_metrics, number_classes_note
from tarazu.train.placement import Placement
from tarazu.train.trainer.own_losses import broadcast_note, is_of_batches, losses_of_rows
from tarazu.train.trainer.precision import policy

_COPIED = ("model", "optimizer", "given_loss", "given_metrics", "precision", "regularizer", "split_seed", "loss_scale")


class Trainer(GuardedAttributes):
    """How one model is trained."""

    UNGUARDED = frozenset({"placement"})  # each fit sets it; where a program runs is part of its signature

    def __init__(self, model: Module, optimizer: str | Optimizer, loss: str | Loss, metrics: Metrics = (),
                 precision: str = "float32", regularizer: Regularizers | None = None) -> None:
        self.model = model
        self.optimizer = find_optimizer(optimizer)
        # As they were given, for saved models and copies; metrics may be an iterator, which is read once.
        self.given_loss, self.precision = loss, precision
        self.given_metrics = [metrics] if isinstance(metrics, str) or not isinstance(metrics, Iterable) else [*metrics]
        require_regularizers(regularizer)
        self.regularizer = regularizer
        self.split_seed: int | None = None  # kept, so that later fits do not train on rows held out before
        self._prepare_functions()
        self.loss_scale = self.policy.loss_scale()

    def _prepare_functions(self) -> None:
        """Make all that follows from what was given, and what each trainer has for itself."""
        self.loss = losses.find_loss(self.given_loss)
        self.metrics = named_metrics(self.given_metrics, self.loss)
        self.policy = policy(self.precision)
        self.placement = Placement(CPU)
        self.train_chunk: Jit = jit(self._train_chunk)
        self.input_shape: tuple[int, ...] | None = None  # of a sample of the last fit, for `model.summary`
        self.notes: list[str] = []  # of what the next chunk warns, found while it was traced
        self._noted_broadcasts: set[str] = set()
        self.is_batch_loss = False  # whether the loss was found to be no mean over rows
        self._trained: list[Tensor] = []
        self._modules: list[Module] = []
        self._parameters: list[Tensor] = []  # of the model at the last fit, for an optimizer that was made with some

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: what was given, and what training changes."""
        return {name: vars(self)[name] for name in _COPIED}

    def __setstate__(self, content: dict[str, Any]) -> None:
        vars(self).update(content)
        self._prepare_functions()

    def of(self, model: Module) -> Trainer:
        """A trainer of `model`, which shares the parameters, with this one's optimizer."""
        twin = copy.copy(self)
        twin.model = model
        return twin

    def _train_chunk(self, x: Tensor, y: Tensor, order: Tensor | None, first: Tensor, count: Tensor, sums: list[Tensor],
                     batch: int) -> tuple[Tensor, list[Tensor]]:
        """`count` steps of `batch` rows each, from order[first] on; `count` may change without a new trace.

        Gives the last loss, and `sums` with the sums over rows of loss and metrics added, all in float64.
        """
        def step(carry: tuple[Tensor, Tensor, list[Tensor]]) -> tuple[Tensor, Tensor, list[Tensor]]:
            i, _, totals = carry
            rows = first + i if order is None else take(order, first + i * batch + arange(batch))
            inputs, targets = [self.placement.batch(take(part, rows)) for part in (x, y)]
            values = [reshape(astype(v, "float64"), ()) for v in self._train_step(inputs, targets)]
            return i + 1, values[0], [total + value * batch for total, value in zip(totals, values, strict=True)]

        start = zeros_like(count), zeros_like(sums[0]), sums
        if state.interpreter.notes_lines:  # debug_nans looks at single operations; to it a loop is one
            return step(start)[1:]
        with no_grad():  # for what goes round the loop: inside it gradients are recorded all the same
            return while_loop(lambda carry: carry[0] < count, step, start)[1:]

    def _train_step(self, inputs: Tensor, targets: Tensor) -> list[Tensor]:
        """One step on a batch; gives its mean loss and mean metrics."""
        self.optimizer.zero_grad()
        loss, prediction = self.loss_scale.step(lambda: self._loss(inputs, targets), self.optimizer, self._weights())
        _drop_new_gradients()
        prediction = prediction.detach()
        return [loss.detach(), *[self._mean_metric(name, prediction, targets) for name in self.metrics]]

    def _loss(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        prediction = self.policy.forward(self.model, inputs)
        loss = self.loss(prediction, targets)
        _require_scalar(loss)
        if self.loss not in losses.TRAITS:
            self._note_broadcast("the loss", loss, prediction, targets)
        return self.regularized(loss), prediction

    def regularized(self, loss: Tensor) -> Tensor:
        """The loss with the penalty of the weights, where `compile` was told a regularizer."""
        added = penalty(self.regularizer, self.model.named_parameters())
        return loss if added is None else loss + added

    def _mean_metric(self, name: str, prediction: Tensor, targets: Tensor) -> Tensor:
        metric = self.metrics[name]
        value = mean(metric(prediction, targets))
        if metric not in BUILT_IN:
            self._note_broadcast(f"metric {name!r}", value, prediction, targets)
        return value

    def _note_broadcast(self, what: str, value: Tensor, prediction: Tensor, targets: Tensor) -> None:
        note = broadcast_note(what, value, prediction, targets)
        if note and what not in self._noted_broadcasts:
            self._noted_broadcasts.add(what)
            self.notes.append(note)

    def note_classes(self, targets: np.ndarray, outputs: tuple[int, ...]) -> None:
        """Note for a warning that an accuracy does not fit the targets; `outputs` is the shape of a batch."""
        note = number_classes_note(self.metrics.values(), targets, outputs)
        self.notes += [note] if note else []

    def choose_split_seed(self, saved: int | None) -> int:
        """The seed by which rows are held out: the `saved` one of a checkpoint, else that of earlier fits."""
        if saved is not None:
            return saved
        if self.split_seed is None:
            self.split_seed = int(random.randint(2**31))
        return self.split_seed

    def drop_gradients(self) -> None:
        """Set `.grad` of all that is trained to None."""
        for x in self._trained:
            x.grad = None

    def prepare(self) -> None:
        """Take in what the model has become since the last fit: its layers, and its parameters for the optimizer."""
        modules, wanted = modules_of(self.model), self.model.parameters()
        if not any(x.requires_grad for x in wanted):
            raise TrainingError(f"a model without anything to train: {len(wanted)} parameters, all of them frozen",
                                expected="at least one parameter with requires_grad=True",
                                fix="add a layer with weights, or thaw them: model.freeze(False)")
        if not same_objects(modules, self._modules):
            self._modules, self.train_chunk = modules, jit(self._train_chunk)
        self._prepare_optimizer(wanted)
        self._trained = [*wanted, *self.optimizer.parameters]

    def _prepare_optimizer(self, wanted: list[Tensor]) -> None:
        """Let the optimizer have the model's parameters, or, where it was made with some, check that they fit."""
        if not self.optimizer.was_given_parameters:
            if not same_objects(wanted, self.optimizer.parameters):
                self.optimizer.attach(self.model.named_parameters())
            return
        given, before, now = [{*map(id, x)} for x in (self.optimizer.parameters, self._parameters, wanted)]
        if not now & given:
            raise ArgumentError("an optimizer that was made with parameters of another model",
                                expected="parameters of this model, or none",
                                fix='leave them out: model.compile(optimizer=tz.optim.Adam(lr=0.001), ...)')
        if before and before <= given and not now <= given:
            new = [path for path, x in self.model.named_parameters() if id(x) not in given]
            raise ArgumentError(f"an optimizer without {', '.join(new)}, which came into the model after the last fit",
                                expected="an optimizer of all parameters, as before",
                                fix="call optimizer.attach(model.parameters()), whose state then starts anew")
        self._parameters = wanted

    def move_to_parameters(self) -> None:
        """Put all that is kept for the parameters where they are, after the model was moved."""
        self.optimizer.move_to_parameters()
        for x in self.loss_scale.state():
            move(x, whole(self.optimizer.parameters[0].device if self.optimizer.parameters else CPU))

    def state(self) -> list[Tensor]:
        """All tensors that a step changes."""
        return [*self._weights(), *self.loss_scale.state()]

    def _weights(self) -> list[Tensor]:
        """The tensors of model and optimizer."""
        return [x for _, x in [*self.model.named_tensors(), *self.optimizer.named_state()]]

    def sample_losses(self, prediction: Tensor, target: Tensor) -> np.ndarray:
        """The loss of each sample, shape (samples,).

        A loss without `reduction` is asked about single rows. One of whole batches, such as a correlation, gives all
        rows the loss of them together, and `is_batch_loss` says so from then on.
        """
        with no_grad():
            if "reduction" in inspect.signature(self.loss).parameters:
                return np.asarray(self.loss(prediction, target, reduction="none").numpy())
            self.is_batch_loss = self.is_batch_loss or is_of_batches(self.loss, prediction, target)
            if self.is_batch_loss:
                return np.full(len(prediction), float(self.loss(prediction, target)))
            return losses_of_rows(self.loss, prediction, target)


def _drop_new_gradients() -> None:
    """In a trace: set every gradient that it has made to None, so that gradients are no outputs of the program."""
    assert isinstance(state.interpreter, Trace)
    for change in state.interpreter.changes():
        if change.grad is not KEPT:
            change.handle.grad = None


def _require_scalar(loss: object) -> None:
    if not isinstance(loss, Tensor) or loss.size != 1:
        what = f"a tensor of shape {loss.shape}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise TrainingError(f"the loss function gave {what}", expected="a scalar tensor", fix="reduce it with .mean()")


def modules_of(model: Module) -> list[Module]:
    """The model and all modules below it."""
    return [module for _, module in model.named_modules()]


def tensors_of(model: Module) -> list[Tensor]:
    """The weights of the model and all other tensors of its state."""
    return [x for _, x in model.named_tensors()]


def same_objects(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether two sequences hold the same objects in the same order."""
    return list(map(id, first)) == list(map(id, second))


def compile(model: Module, optimizer: str | Optimizer, loss: str | Loss | None, metrics: Metrics = (),
            precision: str = "float32", regularizer: Regularizers | None = None) -> None:
    """Say how `model` is trained, by names or objects; `model.compile` explains all options. Its weights stay.

    TrainingError without a loss, ArgumentError for an unknown name.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)])
    >>> tz.train.compile(model, tz.optim.SGD(lr=0.1), "mse", ["mae"])
    """
    if loss is None:
        raise TrainingError("compile() without a loss", expected=f"one of {', '.join(losses.LOSSES)}, or a function",
                            fix='classes: model.compile(loss="cross_entropy"); numbers: loss="mse"')
    trainer = Trainer(model, optimizer, loss, metrics, precision, regularizer)
    if model._trainer is not None:
        trainer.split_seed = model._trainer.split_seed
    model._trainer = trainer


def trainer_of(model: Module) -> Trainer:
    """What `compile` prepared."""
    if model._trainer is None:
        raise TrainingError(f"{type(model).__name__} is not compiled", expected="model.compile(...) first",
                            fix='for example model.compile(optimizer="adam", loss="cross_entropy")')
    if model._trainer.model is not model:  # after copy.copy(model)
        model._trainer = model._trainer.of(model)
    return model._trainer
