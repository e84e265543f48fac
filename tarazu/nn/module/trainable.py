"""The one door from models to training: `train` stands above `nn`, so it is found by name when it is needed."""

from __future__ import annotations

import importlib
from typing import Any

from tarazu.runtime.tensor.tensor import Tensor


def _training_module() -> Any:
    return importlib.import_module("tarazu.train")


class Trainable:
    """What a model can be asked for that `tarazu.train` does."""

    _trainer: Any = None  # what `compile` prepared
    _predictor: Any = None  # the compiled forward function

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = (),
                precision: str = "float32") -> Any:
        """Say how `fit` trains: the optimizer, the loss and the metrics, by name or as objects.

        `loss` is a name ("cross_entropy", "binary_cross_entropy", "mse", "mae", "huber") or a function of (prediction,
        target) that gives a scalar; a metric is a name ("accuracy", "mae", "mse") or a function likewise.

        `precision` "bfloat16" or "float16" is mixed precision (Micikevicius and others, 2018): float32 weights and
        inputs are cast to that type, the model computes in it, forward and back, and its output is cast back for loss
        and metrics; `evaluate` and `predict` do the same. Weights, running means and the optimizer stay float32, and
        so does a saved model. With float16 the loss is scaled while gradients are computed; a step whose gradients
        overflow is left out. Inputs stay as they are where a layer has `reads_codes` set, as `TableFeatures` has: half
        types hold whole numbers up to 256 or 2048 only. Raises ArgumentError for names that are not known.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.1), loss="mse", precision="bfloat16")
        >>> history = model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=200, seed=0, verbose=0)
        >>> round(model.predict([[3.0]]).item()), model[0].weight.dtype
        (6, tarazu.float32)
        """
        _training_module().compile(self, optimizer, loss, metrics, precision)
        return self

    def fit(self, x: Any, y: Any = None, *, epochs: int = 1, batch_size: int = 32, validation_split: float = 0.0,
            validation_data: Any = None, callbacks: Any = (), seed: int | None = None, verbose: Any = "auto",
            steps_per_epoch: int | None = None, devices: Any = None) -> Any:
        """Train on the rows of `x` and `y`; gives a `tz.record.History` with its verdict.

        Calling it again goes on. `.grad` of the parameters is None afterwards, as the program keeps no gradients.

        In place of rows, `fit(batches)` takes any iterable of pairs (x, y), such as a generator or torch's DataLoader.
        It is read ahead in a thread, so it must not draw from the global generator; `batch_size` and shuffling are its
        own affair, and the verdict judges its first 20,000 rows at most. What can be gone through once only lasts one
        epoch; with `steps_per_epoch` the epochs share it, until it ends.

        `validation_split` sets a random share of the rows apart (classes in proportion), `validation_data` is `(x, y)`,
        or batches; with either, the weights of the best validation epoch are kept. `seed` makes the run repeatable.
        `devices` says where to train: "all" or a list of devices divides each batch among them (data parallel), a mesh
        among those along its axis "data"; None goes where the model is (`model.to("gpu")`, `tz.default_device`), or in
        a run of several processes to all devices of all. A last batch that they do not divide evenly goes whole to
        each. Several processes pass the same rows, of which each reads its part, or each the part of each batch of a
        stream that is its own.

        `verbose`: "auto" (a progress bar in a terminal, else lines), 0 (nothing) or 1 (lines). Raises TrainingError for
        a model that was not compiled; ArgumentError, ShapeError or DTypeError for data that it cannot be trained on.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.1), loss="mse")
        >>> history = model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=500, seed=0, verbose=0)
        >>> round(model.predict([[3.0]]).item(), 2)
        6.0
        """
        return _training_module().fit(
            self, x, y, epochs=epochs, batch_size=batch_size, validation_split=validation_split,
            validation_data=validation_data, callbacks=callbacks, seed=seed, verbose=verbose,
            steps_per_epoch=steps_per_epoch, devices=devices)

    def evaluate(self, x: Any, y: Any, *, batch_size: int = 1024) -> dict[str, float]:
        """The loss and the metrics on `x` and `y`, by name; in evaluation mode, computed in batches."""
        return _training_module().evaluate(self, x, y, batch_size=batch_size)

    def predict(self, x: Any, *, batch_size: int = 1024) -> Tensor:
        """The outputs for `x` in evaluation mode, computed in batches."""
        return _training_module().predict(self, x, batch_size=batch_size)

    def save(self, path: Any) -> None:
        """Write the model to the folder `path`; `tz.load(path)` makes it again."""
        _training_module().save(self, path)
