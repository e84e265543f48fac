"""The use of a model in evaluation mode: predictions in batches, and the loss and metrics of them."""

from __future__ import annotations

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Batches
from tarazu.ops.reduce import mean
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.jit.jit import Jit, jit
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.placement import placement_of
from tarazu.train.sources.arrays import features, pair, require_labels_fit
from tarazu.train.sources.stream import is_stream, rows_of
from tarazu.train.trainer.logits import require_one_tensor
from tarazu.train.trainer.precision import FULL
from tarazu.train.trainer.trainer import Trainer, modules_of, same_objects, trainer_of


def predict(model: Module, x: ArrayLike, *, batch_size: int = 1024) -> Tensor:
    """The outputs for `x`, (rows, ...), in evaluation mode, computed in batches; also `model.predict(x)`.

    ShapeError, DTypeError or ArgumentError for rows that are no finite numbers of one shape.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(3)])
    >>> tz.train.predict(model, [[1.0, 2.0]]).shape
    (1, 3)
    """
    return outputs(model, features(x), positive_int("batch_size", batch_size))


def outputs(model: Module, inputs: np.ndarray, batch_size: int = 1024) -> Tensor:
    """`predict` for inputs that were checked before."""
    with in_mode(model, training=False), no_grad():
        forward, placement = _forward(model, inputs), placement_of(model)
        parts = [forward(placement.inputs(inputs[i:i + batch_size])).numpy() for i in range(0, len(inputs), batch_size)]
    return asarray(np.concatenate(parts))


def _forward(model: Module, inputs: np.ndarray) -> Jit:
    """The compiled model, made anew when the model has other layers, or another precision, than before."""
    used = FULL if model._trainer is None else model._trainer.policy
    if model._predictor is None or not same_objects([used, *modules_of(model)], model._predictor[0]):
        first = model(asarray(inputs[:1]))  # layers that need to see an input before they are traced see one
        require_one_tensor(model, first)
        model._predictor = [used, *modules_of(model)], jit(used.compilable(model))
    return model._predictor[1]


def evaluate(model: Module, x: ArrayLike | Batches, y: ArrayLike | None = None, *,
             batch_size: int = 1024) -> dict[str, float]:
    """The loss and the metrics on `x` and `y`, which have equally many rows, by name; also `model.evaluate(x, y)`.

    In place of rows `x` may be batches (x, y), as for `fit`. TrainingError for a model that is not compiled;
    ShapeError, DTypeError or ArgumentError for unfit rows.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, kernel_initializer="zeros")]).compile(loss="mse", metrics=["mae"])
    >>> tz.train.evaluate(model, [[1.0], [2.0]], [2.0, 4.0])
    {'loss': 10.0, 'mae': 3.0}
    """
    trainer = trainer_of(model)
    arrays = rows_of(x) if is_stream(x, y) else pair(x, y)
    prediction = outputs(model, arrays.x, positive_int("batch_size", batch_size))
    require_labels_fit(trainer.loss, arrays.y, prediction.shape)
    return scores(trainer, prediction, asarray(arrays.y))


def scores(trainer: Trainer, prediction: Tensor, target: Tensor) -> dict[str, float]:
    """The loss and the metrics of predictions, by name."""
    with no_grad():
        loss = float(trainer.loss(prediction, target))
        metrics = {name: float(mean(metric(prediction, target))) for name, metric in trainer.metrics.items()}
    return {"loss": loss, **metrics}
