"""The trainers of models that have a `compute_loss` or a `train_step` of their own."""

from __future__ import annotations

import contextlib
import re
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.base.messages import listing
from tarazu.base.pytree import map_leaves
from tarazu.ir.types import TensorType
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.ops.shape import expand_dims
from tarazu.runtime import random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.jit.jit import Jit, jit
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.trace import trace_function
from tarazu.runtime.vmap.vmap import vmap
from tarazu.train.metrics import mean_sums
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.reading import Reading
from tarazu.train.trainer.outputs import require_scalar
from tarazu.train.trainer.precision import ScaledHalfPrecision
from tarazu.train.trainer.snapshot import restore, snapshot
from tarazu.train.trainer.trainer import Trainer, Values, drop_new_gradients

Numbers = dict[str, Tensor]  # what a step returns, by names


class OwnTrainer(Trainer):
    """What the trainers of both have in common: batches are any trees, and what a step returns is recorded."""

    method = ""  # of the model, which does what a step does
    _named: tuple[Jit, object, tuple] | None = None  # for which program and rows the names of numbers are known

    @property
    def reading(self) -> Reading:
        return Reading(True, True, True)

    def begin(self, train: Arrays, validation: Arrays | None, batch_size: int) -> None:
        self._require_no_metrics()
        rows = min(batch_size, train.rows)
        batch = train.at(slice(rows))
        if any(module.waits_for_input() for _, module in self.model.named_modules()):
            with self._as_in_a_fit():
                self._build(self.first_rows(train, rows))
        self.prepare()
        self.drop_gradients()
        kind = self.train_chunk, self.on_batch, batch.row_type
        if self._named != kind:  # a trace, which later fits need not repeat
            with self._as_in_a_fit():
                names = self._names_by_tracing(batch, rows)
            self.record({name: {"total": 0, "rows": 0} for name in names})
            self._named = kind

    def _prepare_functions(self) -> None:
        super()._prepare_functions()
        self._named = None

    def _require_no_metrics(self) -> None:
        if any(output.metrics for output in self.outputs):
            raise ArgumentError(f"metrics for a model with a {self.method} of its own",
                                expected="numbers that it returns, which are recorded by their names",
                                fix='return {"loss": loss, "accuracy": ...} and leave metrics out')

    @contextlib.contextmanager
    def _as_in_a_fit(self) -> Iterator[None]:
        """A block in which optimizers are ready for steps; schedules in epochs give any rate, as their steps are told
        later."""
        undo = self.begin_optimizers(1)
        try:
            yield
        finally:
            undo()

    def _build(self, batch: Any) -> None:
        """Let layers that wait for an input see one, by a step in evaluation mode, of which nothing stays."""
        before = snapshot([*self.weights(), random.default.state])
        with in_mode(self.model, training=False):
            self._returned(self.method_that_builds, batch)
        restore(before)
        for _, x in self.model.named_tensors():
            x.grad = None

    @property
    def method_that_builds(self) -> str:
        return self.method

    def _names_by_tracing(self, batch: Arrays, rows: int) -> list[str]:
        """The names of the numbers that a step returns."""
        types = [TensorType(leaf.shape, asarray(leaf[:1]).dtype) for leaf in batch.leaves]

        def step(*leaves: Tensor) -> Values:
            return self._train_step(self.mapped(batch.structure.rebuild(leaves)), rows)[1]

        with in_mode(self.model, training=True):
            traced = trace_function(step, types)
        return [str(name) for name in traced.result_structure.keys]

    def _returned(self, method: str, batch: Any) -> Numbers:
        """What a method of the model returns."""
        with self.policy.in_own_step():
            try:
                returned = getattr(self.model, method)(batch)
            except ValueError as error:
                _require_unpacked(f"{type(self.model).__name__}.{method}", batch, error)
                raise
            return numbers_of(self.model, method, returned)


def _require_unpacked(method: str, batch: Any, error: ValueError) -> None:
    """TrainingError where an error is that of a method which unpacks (x, y, weight) as (x, y), or the reverse."""
    wanted = re.match(r"(?:too many|not enough) values to unpack \(expected ([23])", str(error))
    has = len(batch) if isinstance(batch, tuple | list) else 0
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    if wanted and has == 5 - int(wanted[1]) and frame.f_code.co_name == method.split(".")[-1]:
        parts = "(x, y, weight)" if has == 3 else "(x, y)"
        raise TrainingError(f"{method} unpacks {wanted[1]} values, and the batch has {has}: {parts}",
                            expected="a step for both: sample_weight and class_weight add the weights of the rows, and "
                                     "rows of validation data need have none",
                            fix="x, y, *weight = batch, and multiply the losses of rows by weight[0] where there is one"
                            ) from error


def numbers_of(model: Module, method: str, returned: object) -> Numbers:
    """What a method of the model returned, as numbers by names; TrainingError or ArgumentError for what is none."""
    if isinstance(returned, Tensor):
        returned = {"loss": returned}
    name = f"{type(model).__name__}.{method}"
    if not isinstance(returned, dict) or not returned:
        what = "None" if returned is None else f"a {type(returned).__name__}"
        raise TrainingError(f"{name} returned {what}", expected="the loss, or a dict of numbers by names",
                            fix='return loss, or {"loss": loss, "kl": kl}')
    if method == "compute_loss" and "loss" not in returned:
        raise TrainingError(f"{name} returned {listing(returned)}", expected='"loss" among them',
                            fix='return {"loss": loss, ...}')
    _require_names(name, returned)
    return {key: require_scalar(value, f"{name} for {key!r}") if isinstance(value, Tensor) else asarray(value)
            for key, value in returned.items()}


def _require_names(name: str, returned: dict[Any, Any]) -> None:
    """ArgumentError for names that the history has for something else."""
    taken = [str(key) for key in returned if key in ("epoch", "seconds") or str(key).startswith("val_")]
    if taken:
        raise ArgumentError(f"{name} returned {listing(taken)}, which the history has for something else",
                            expected="other names than epoch, seconds and those that begin with val_",
                            fix="rename it")


def has_own(model: Module, method: str) -> bool:
    """Whether the class of a model has a method of its own in place of the one that every model has."""
    return getattr(type(model), method) is not getattr(Module, method)


class OwnLossTrainer(OwnTrainer):
    """Trains what `compute_loss(batch)` of the model gives: the loss, or a dict with it and what else to record."""

    method = "compute_loss"

    def _prepare_functions(self) -> None:
        super()._prepare_functions()
        self._evaluated = jit(self._evaluate)

    def _loss(self, batch: Any) -> tuple[Tensor, Numbers]:
        numbers = self._returned("compute_loss", batch)
        numbers["loss"] = self.regularized(numbers["loss"])
        return numbers["loss"], numbers

    def loss_of(self, batch: Any) -> Tensor | None:
        return self._loss(batch)[0]

    def _train_step(self, batch: Any, rows: int) -> tuple[Tensor, Values]:
        for optimizer in self.optimizers().values():
            optimizer.zero_grad()
        assert self.optimizer is not None
        loss, numbers = self.loss_scale.step(lambda: self._loss(batch), self.optimizer, self.weights())
        drop_new_gradients()
        return loss, {name: mean_sums(value.detach(), rows) for name, value in numbers.items()}

    def _evaluate(self, batch: Any, rows: int) -> Values:
        return {name: mean_sums(value.detach(), rows) for name, value in self._loss(batch)[1].items()}

    def losses_of_rows(self, batch: Any) -> Tensor:
        """The loss of each row of a batch by itself, shape (rows,)."""
        return vmap(lambda row: self._loss(map_leaves(lambda x: expand_dims(x, 0), row))[0].reshape(()))(batch)

    def sums_of(self, batch: Arrays) -> dict[str, dict[str, np.ndarray]]:
        """The sums over the rows of a batch, in evaluation mode."""
        with in_mode(self.model, training=False), no_grad():
            values = self._evaluated(map_leaves(self.placement.inputs, batch.tree), batch.rows)
        return map_leaves(np.asarray, values)


class OwnStepTrainer(OwnLossTrainer):
    """Trains by `train_step(batch)` of the model: one whole update, which returns what to record.

    Validation and `evaluate` use its `compute_loss`, where it has one or was compiled with a loss.
    """

    method = "train_step"

    def begin(self, train: Arrays, validation: Arrays | None, batch_size: int) -> None:
        if isinstance(self.policy, ScaledHalfPrecision):
            raise ArgumentError("precision='float16' with a train_step of its own", expected="steps whose loss Tarazu "
                                "can scale, as gradients are lost in float16", fix="use precision='bfloat16'")
        if validation is not None:
            self.require_loss("validation data")
        super().begin(train, validation, batch_size)

    def require_loss(self, what: str) -> None:
        """ArgumentError for a model that trains without saying what its loss is."""
        if not self.has_loss:
            raise ArgumentError(f"{what} for a model with a train_step and no compute_loss",
                                expected="a loss to evaluate by", fix="write compute_loss(batch) too")

    def loss_of(self, batch: Any) -> Tensor | None:
        return super().loss_of(batch) if self.has_loss else None

    @property
    def method_that_builds(self) -> str:
        """A loss rather than a whole step: optimizers need the parameters of all layers."""
        return "compute_loss" if self.has_loss else self.method

    @property
    def has_loss(self) -> bool:
        return bool(self.outputs) or has_own(self.model, "compute_loss")

    def _train_step(self, batch: Any, rows: int) -> tuple[Tensor, Values]:
        numbers = self._returned("train_step", batch)
        drop_new_gradients()
        values = [value.detach() for value in numbers.values()]
        watched = numbers["loss"] if "loss" in numbers else sum(values[1:], values[0])
        return watched, {name: mean_sums(value.detach(), rows) for name, value in numbers.items()}
