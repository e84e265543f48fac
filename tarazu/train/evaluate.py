"""The use of a model in evaluation mode: predictions in batches, and the loss and metrics of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

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
from tarazu.train.padding import can_pad, padded, padded_size
from tarazu.train.placement import Placement, placement_of
from tarazu.train.sources.arrays import features, pair, require_labels_fit
from tarazu.train.sources.stream import inputs_of, is_stream, rows_of
from tarazu.train.trainer.logits import require_one_tensor
from tarazu.train.trainer.precision import FULL
from tarazu.train.trainer.trainer import Trainer, modules_of, same_objects, trainer_of

PREDICTED_ROWS = 1024  # in a batch of predictions, unless the caller says otherwise
MOST_BYTES = 16 * 2**20  # of predictions that losses and metrics are computed of at once
PIECES = 4  # in so many parts of that they are cut where there are more: a loss needs several arrays of their size


def predict(model: Module, x: ArrayLike | Batches, *, batch_size: int = PREDICTED_ROWS) -> Tensor:
    """The outputs for `x`, (rows, ...), in evaluation mode, computed in batches; also `model.predict(x)`.

    In place of rows `x` may be batches (x, y), as for `fit`, or an iterator of x alone; targets do not matter.
    ShapeError, DTypeError or ArgumentError for rows that are no finite numbers of one shape.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(3)])
    >>> tz.train.predict(model, [[1.0, 2.0]]).shape
    (1, 3)
    """
    inputs = features(x) if not is_stream(x, None) or _is_list_of_lists(x) else inputs_of(x)
    return outputs(model, inputs, positive_int("batch_size", batch_size))


def _is_list_of_lists(x: object) -> bool:
    """Whether it is one, which then are rows: of two arrays, too."""
    return isinstance(x, list) and isinstance(x[0], list)


def outputs(model: Module, inputs: np.ndarray, batch_size: int = PREDICTED_ROWS) -> Tensor:
    """`predict` for inputs that were checked before."""
    return asarray(np.concatenate(list(predictions(model, inputs, batch_size))))


def predictions(model: Module, inputs: np.ndarray, batch_size: int = PREDICTED_ROWS) -> Iterator[np.ndarray]:
    """The outputs for `inputs`, which were checked before, one batch after the other."""
    return batches_of(_forward(model, inputs), placement_of(model), model, inputs, batch_size)


def batches_of(forward: Callable[[Tensor], Tensor], placement: Placement, model: Module, inputs: np.ndarray,
               batch_size: int) -> Iterator[np.ndarray]:
    """What `forward`, which calls `model`, gives for each batch of the inputs in evaluation mode."""
    def outputs_for(rows: np.ndarray) -> np.ndarray:
        size = padded_size(len(rows), batch_size)
        if size > len(rows) and not can_pad(model, inputs, placement):
            size = len(rows)
        with in_mode(model, training=False), no_grad():
            output = forward(placement.inputs(padded(rows, size))).numpy()
        return output[:len(rows)] if size > len(rows) else output

    for i in range(0, len(inputs), batch_size):
        yield outputs_for(inputs[i:i + batch_size])  # no name here holds a batch while the next one is computed


def pieces(parts: Iterable[np.ndarray], targets: np.ndarray) -> Iterator[tuple[Tensor, Tensor]]:
    """Predictions that come batch by batch, with their targets: all at once where that takes at most MOST_BYTES."""
    gathered: list[np.ndarray] = []
    rows = size = first = 0
    for part in parts:
        if gathered and size + part.nbytes > MOST_BYTES:
            yield from _cut(gathered, targets[first:first + rows])
            first, rows, size = first + rows, 0, 0
        gathered.append(part)
        rows, size = rows + len(part), size + part.nbytes
        del part
        if size > MOST_BYTES:
            yield from _cut(gathered, targets[first:first + rows])
            first, rows, size = first + rows, 0, 0
    if gathered:
        yield from _cut(gathered, targets[first:])


def _cut(parts: list[np.ndarray], targets: np.ndarray) -> Iterator[tuple[Tensor, Tensor]]:
    """Predictions and their targets; in pieces where they take more than MOST_BYTES."""
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    parts.clear()
    if whole.nbytes <= MOST_BYTES:
        yield asarray(whole), asarray(targets)
        return
    rows = max(1, MOST_BYTES // PIECES * len(whole) // whole.nbytes)
    for i in range(0, len(whole), rows):
        yield asarray(whole[i:i + rows]), asarray(targets[i:i + rows])


def _forward(model: Module, inputs: np.ndarray) -> Jit:
    """The compiled model, made anew when the model has other layers, or another precision, than before."""
    used = FULL if model._trainer is None else model._trainer.policy
    if model._predictor is None or not same_objects([used, *modules_of(model)], model._predictor[0]):
        with in_mode(model, training=False), no_grad():
            first = model(asarray(inputs[:1]))  # layers that need to see an input before they are traced see one
        require_one_tensor(model, first)
        model._predictor = [used, *modules_of(model)], jit(used.compilable(model))
    return model._predictor[1]


def evaluate(model: Module, x: ArrayLike | Batches, y: ArrayLike | None = None, *,
             batch_size: int = PREDICTED_ROWS) -> dict[str, float]:
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
    batches = predictions(model, arrays.x, positive_int("batch_size", batch_size))
    return scores(trainer, batches, arrays.y, is_checked=False)


def scores(trainer: Trainer, batches: Iterable[np.ndarray], targets: np.ndarray, *,
           is_checked: bool = True) -> dict[str, float]:
    """The loss and the metrics of predictions that come batch by batch, by name; means over rows.

    Without `is_checked` class numbers are compared with the number of outputs before.
    """
    values: list[dict[str, float]] = []
    rows: list[int] = []
    for prediction, target in pieces(batches, targets):
        if not is_checked and not rows:
            require_labels_fit(trainer.loss, targets, prediction.shape)
        values.append(_scores(trainer, prediction, target))
        rows.append(len(target))
    if len(values) == 1:
        return values[0]
    return {name: float(np.average([one[name] for one in values], weights=rows)) for name in values[0]}


def _scores(trainer: Trainer, prediction: Tensor, target: Tensor) -> dict[str, float]:
    with no_grad():
        loss = float(trainer.regularized(trainer.loss(prediction, target)))
        metrics = {name: float(mean(metric(prediction, target))) for name, metric in trainer.metrics.items()}
    return {"loss": loss, **metrics}
