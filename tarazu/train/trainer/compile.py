"""`compile`: which trainer a model has."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import TrainingError
from tarazu.nn import losses
from tarazu.nn.module.module import Module
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.regularizers import Regularizers
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.calling import call, outputs_and_masks
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.outputs import Losses, OutputMetrics, loss_parts, weighted_sum
from tarazu.train.trainer.own_steps import Numbers, OwnLossTrainer, OwnStepTrainer, has_own, numbers_of
from tarazu.train.trainer.trainer import Trainer


def compile(model: Module, optimizer: str | Optimizer | None = None, loss: Losses = None, metrics: OutputMetrics = (),
            precision: str = "float32", regularizer: Regularizers | None = None) -> None:
    """Say how `model` is trained, by names or objects; `model.compile` explains all options. Its weights stay.

    TrainingError without a loss, but for models with a `compute_loss` or a `train_step` of their own; ArgumentError for
    an unknown name.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)])
    >>> tz.train.compile(model, tz.optim.SGD(lr=0.1), "mse", ["mae"])
    """
    kind = _kind_of(model)
    if loss is None and kind is OutputTrainer:
        raise TrainingError("compile() without a loss", expected=f"one of {', '.join(losses.LOSSES)}, or a function",
                            fix='classes: model.compile(loss="cross_entropy"); numbers: loss="mse"; or write '
                                "compute_loss(batch)")
    has_optimizers = kind is OwnStepTrainer and model.own_optimizers()
    trainer = kind(model, optimizer or (None if has_optimizers else "adam"), loss, metrics, precision,
                   regularizer)
    if model._trainer is not None:
        trainer.split_seed = model._trainer.split_seed
    model._trainer = trainer


def _kind_of(model: Module) -> type[Trainer]:
    if has_own(model, "train_step"):
        return OwnStepTrainer
    return OwnLossTrainer if has_own(model, "compute_loss") else OutputTrainer


def trainer_of(model: Module) -> Trainer:
    """What `compile` prepared; a model whose `train_step` has optimizers of its own needs none."""
    if model._trainer is None and has_own(model, "train_step") and model.own_optimizers():
        compile(model)
    if model._trainer is None:
        raise TrainingError(f"{type(model).__name__} is not compiled", expected="model.compile(...) first",
                            fix='for example model.compile(optimizer="adam", loss="cross_entropy")')
    if model._trainer.model is not model:  # after copy.copy(model)
        model._trainer = model._trainer.of(model)
    return model._trainer


def compute_loss(model: Module, batch: Any) -> Tensor:
    """The loss that `compile` was told, of a batch (x, y) or (x, y, weight) of tensors; also `model.compute_loss`.

    TrainingError for a model that was compiled without a loss.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, kernel_initializer="zeros")]).compile(loss="mse")
    >>> tz.train.compute_loss(model, (tz.ones(2, 3), tz.ones(2, 1))).item()
    1.0
    """
    outputs = trainer_of(model).outputs
    if not outputs:
        raise TrainingError(f"compute_loss of {type(model).__name__}, which was compiled without a loss",
                            expected="a loss", fix="pass loss= to compile, or leave super().compute_loss out")
    prediction, masks = outputs_and_masks(lambda: call(model, batch[0]))
    return weighted_sum(outputs, loss_parts(outputs, prediction, batch, masks))


def train_step(model: Module, batch: Any) -> Numbers:
    """One update by `compute_loss` and the optimizer of `compile`; gives what that returns. Also `model.train_step`.

    TrainingError for a model that was compiled without a loss or an optimizer; TraceError where the first step is one
    that is being compiled: the optimizer has no state then that calls could share.

    >>> import tarazu as tz
    >>> model = tz.nn.Dense(1, in_features=1, kernel_initializer="zeros").compile(tz.optim.SGD(lr=0.25), loss="mse")
    >>> [tz.train.train_step(model, (tz.ones(1, 1), tz.ones(1, 1)))["loss"].item() for _ in range(2)]
    [1.0, 0.0]
    """
    trainer = trainer_of(model)
    if trainer.optimizer is None:
        raise TrainingError(f"train_step of {type(model).__name__}, which was compiled without an optimizer",
                            expected="compile() with one", fix="model.compile(tz.optim.Adam(lr=0.001))")
    numbers = numbers_of(model, "compute_loss", model.compute_loss(batch))
    if not trainer.optimizer.parameters:  # after the loss, as layers may have waited for an input
        trainer.optimizer.attach_at_first_step(model.named_parameters())
    trainer.optimizer.zero_grad()
    numbers["loss"].backward()
    trainer.optimizer.step()
    return {name: value.detach() for name, value in numbers.items()}
