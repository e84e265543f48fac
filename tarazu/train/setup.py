"""What `compile` prepares: optimiser, loss, metrics, and the train step as one traced function."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from tarazu.base.errors import TrainingError
from tarazu.nn import losses
from tarazu.nn.module import Module
from tarazu.ops.index import take
from tarazu.ops.reduce import mean
from tarazu.optim.named import optimizer as find_optimizer
from tarazu.runtime.autograd import no_grad
from tarazu.runtime.jit import Jit, jit
from tarazu.runtime.tensor import Tensor, asarray
from tarazu.train.metrics import named_metrics


class Setup:
    """How one model is trained."""

    def __init__(self, model: Module, optimizer: Any, loss: Any, metrics: Any) -> None:
        self.model = model
        self.optimizer = find_optimizer(optimizer)
        self.loss, self.loss_name = losses.loss(loss), loss if isinstance(loss, str) else getattr(loss, "__name__", "loss")
        self.metrics = named_metrics(metrics)
        self.train_step: Jit = jit(self._train_step)

    def _train_step(self, x: Tensor, y: Tensor, rows: Tensor) -> tuple[Tensor, list[Tensor]]:
        """One step on the given rows; gives their mean loss and mean metrics."""
        inputs, targets = take(x, rows), take(y, rows)
        self.optimizer.zero_grad()
        prediction = self.model(inputs)
        loss = self.loss(prediction, targets)
        loss.backward()
        self.optimizer.step()
        prediction = prediction.detach()
        return loss, [mean(metric(prediction, targets)) for metric in self.metrics.values()]

    def attach(self) -> None:
        """Give the optimiser the model's parameters, unless it has just these."""
        wanted, have = self.model.parameters(), self.optimizer.parameters
        if list(map(id, wanted)) != list(map(id, have)):
            self.optimizer.attach(wanted)

    def sample_losses(self, prediction: Tensor, target: Tensor) -> np.ndarray:
        """The loss of each sample, shape (samples,). A loss without `reduction` is asked about one sample at a time."""
        with no_grad():
            if "reduction" in inspect.signature(self.loss).parameters:
                return np.asarray(self.loss(prediction, target, reduction="none").numpy())
            rows = range(len(prediction))
            return np.array([float(self.loss(prediction[i:i + 1], target[i:i + 1])) for i in rows])


def compile(model: Module, optimizer: Any, loss: Any, metrics: Any) -> None:
    """Prepare `model` for training; its weights stay."""
    if loss is None:
        raise TrainingError("compile() without a loss", expected=f"one of {', '.join(losses.LOSSES)}, or a function",
                            fix='classes: model.compile(loss="cross_entropy"); numbers: loss="mse"')
    model._setup = Setup(model, optimizer, loss, metrics)


def setup_of(model: Module) -> Setup:
    """What `compile` prepared."""
    if model._setup is None:
        raise TrainingError(f"{type(model).__name__} is not compiled", expected="model.compile(...) first",
                            fix='for example model.compile(optimizer="adam", loss="cross_entropy", metrics=["accuracy"])')
    return model._setup


def predict(model: Module, x: Any, *, batch_size: int = 1024) -> Tensor:
    """The outputs for `x` in evaluation mode, computed in batches."""
    from tarazu.train.arrays import features

    inputs = features(x)
    with evaluation(model), no_grad():
        if model._predictor is None:
            model._predictor = jit(model.__call__) if model._is_built else None
        forward = model._predictor or model
        parts = [forward(asarray(inputs[i:i + batch_size])).numpy() for i in range(0, len(inputs), batch_size)]
    return asarray(np.concatenate(parts) if len(parts) > 1 else parts[0])


def evaluate(model: Module, x: Any, y: Any, *, batch_size: int = 1024) -> dict[str, float]:
    """The loss and the metrics on `x` and `y`, by name."""
    from tarazu.train.arrays import pair

    setup = setup_of(model)
    inputs, targets = pair(x, y, setup)
    return scores(setup, predict(model, inputs, batch_size=batch_size), asarray(targets))


def scores(setup: Setup, prediction: Tensor, target: Tensor) -> dict[str, float]:
    """The loss and the metrics of predictions, by name."""
    with no_grad():
        found = {"loss": float(setup.loss(prediction, target))}
        return found | {name: float(mean(metric(prediction, target))) for name, metric in setup.metrics.items()}


class evaluation:  # noqa: N801 - used like a function
    """A block in which a model is in evaluation mode (or, with `mode=True`, in training mode)."""

    def __init__(self, model: Module, *, mode: bool = False) -> None:
        self._model, self._mode = model, mode

    def __enter__(self) -> None:
        self._before = [(module, module._is_training) for _, module in self._model.named_modules()]
        self._model.train(self._mode)

    def __exit__(self, *_: object) -> None:
        for module, mode in self._before:
            module._is_training = mode
