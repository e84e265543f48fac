"""The methods of a model that `tarazu.train` carries out: compile, fit, evaluate, predict, save.

`nn` may not import `train`, so the package is imported by name when a method is first called.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, TypeAlias

from tarazu.base.device import Device
from tarazu.ops.typing import ArrayLike, DeviceLike
from tarazu.runtime.tensor.tensor import Tensor

Batches: TypeAlias = Iterable[tuple[ArrayLike, ArrayLike]]  # a stream of (inputs, targets)
Validation: TypeAlias = tuple[ArrayLike, ArrayLike] | Batches | None
Devices: TypeAlias = DeviceLike | Sequence[str | Device] | None
Verbose: TypeAlias = int | str  # "auto", 0 or 1
NameOrFunction: TypeAlias = str | Callable[..., Tensor]


def _training_module() -> Any:
    return importlib.import_module("tarazu.train")


class Trainable:
    """The methods of a model that `tarazu.train` carries out.

    Optimizers, callbacks and histories are typed Any: their classes stand above `nn` or beside it.
    """

    _trainer: Any = None  # what `compile` prepared
    _predictor: Any = None  # the compiled forward function

    def compile(self, optimizer: Any = "adam", loss: NameOrFunction | None = None,
                metrics: NameOrFunction | Iterable[NameOrFunction] = (), precision: str = "float32",
                regularizer: Callable[[Tensor], Tensor] | Mapping[str, Callable[[Tensor], Tensor]] | None = None,
                ) -> Self:
        """Say how `fit` trains: the optimizer, the loss and the metrics, by name or as objects; gives the model back.

        `loss` is a name (a key of `tz.nn.LOSSES`) or a function of (prediction, target) that gives a scalar; a metric
        is a name ("accuracy", "mae", "mse") or a function likewise; an optimizer is a name (a key of
        `tz.optim.OPTIMIZERS`) or an object.

        `precision` "bfloat16" or "float16" is mixed precision (Micikevicius and others, 2018): float32 weights and
        inputs are cast to that type, the model computes in it, forward and back, and its output is cast back for loss
        and metrics; `evaluate` and `predict` do the same. Weights, running means and the optimizer stay float32, and
        so does a saved model. With float16 the loss is scaled while gradients are computed; a step whose gradients
        overflow is left out. Inputs stay as they are where a layer has `reads_codes` set, as `TableFeatures` has: half
        types hold whole numbers up to 256 or 2048 only.

        `regularizer` is a function of a parameter (`tz.optim.L2(1e-4)`) whose values for all that is trained are added
        to "loss" and "val_loss"; a dict has functions by patterns of paths, {"*.weight": tz.optim.L2(1e-4)}.

        TrainingError without a loss, ArgumentError for unknown names.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.1), loss="mse", precision="bfloat16")
        >>> history = model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=200, seed=0, verbose=0)
        >>> round(model.predict([[3.0]]).item()), model[0].weight.dtype
        (6, tarazu.float32)
        """
        _training_module().compile(self, optimizer, loss, metrics, precision, regularizer)
        return self

    def fit(self, x: ArrayLike | Batches, y: ArrayLike | None = None, *, epochs: int = 1, batch_size: int = 32,
            validation_split: float = 0.0, validation_data: Validation = None, callbacks: Any = (),
            seed: int | None = None, verbose: Verbose = "auto", steps_per_epoch: int | None = None,
            devices: Devices = None) -> Any:
        """Train on the rows of `x` and `y`; gives a `tz.record.History` with its verdict.

        `x` is (rows, ...), and `y` has a target for each row. Rows are shuffled in each epoch and taken in batches of
        `batch_size`. Calling it again continues the training; where layers came in meanwhile, or the optimizer trained
        another model, all its state starts anew. `.grad` of the parameters is None afterwards.

        In place of rows, `fit(batches)` takes any iterable of pairs (x, y), such as a generator or torch's DataLoader.
        It is read ahead in a thread, so it must not draw from the global generator; its batches are neither shuffled
        nor cut to `batch_size`, and the verdict judges its first 20,000 rows at most. An iterator, which can be read
        only once, serves for one epoch; with `steps_per_epoch` the epochs share it, until it ends.

        `validation_split` holds out a random share of the rows (classes in proportion), `validation_data` is `(x, y)`,
        or batches; with either, the weights of the best validation epoch are kept.

        `seed` seeds the global generator at the start: order of the rows, dropout and rows held out are then the same
        in each run, and so are the weights of layers that wait for their first input. Weights that are made when a
        layer is constructed were drawn before: call `tz.random.seed(0)` before you make the model.

        `devices` are those to train on: "all" or a list of devices divides each batch among them (data parallel), a
        mesh among those along its axis "data"; None is the device of the model (`model.to("gpu")`,
        `tz.default_device`), or in a run of several processes all devices of all. A last batch that they do not divide
        evenly is put whole on each. Several processes all pass the same rows, of which each reads its part, or streams
        that give each process its own part of each batch.

        The verdict is measured when the history is first asked for it, printed, saved or copied: on the weights of the
        end of this fit, whatever the model became since, and on the rows, which must not be changed in place before.

        `verbose`: "auto" (a progress bar in a terminal, else lines), 0 (nothing), 1 (lines). TrainingError for a model
        that was not compiled; ArgumentError, ShapeError or DTypeError for data that it cannot be trained on.

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

    def evaluate(self, x: ArrayLike | Batches, y: ArrayLike | None = None, *,
                 batch_size: int = 1024) -> dict[str, float]:
        """The loss and the metrics on `x` and `y`, by name; in evaluation mode, computed in batches.

        In place of rows `x` may be batches (x, y), such as torch's DataLoader. TrainingError for a model that was not
        compiled; ShapeError, DTypeError or ArgumentError for unfit rows.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential([tz.nn.Dense(1, kernel_initializer="zeros")]).compile(loss="mse", metrics=["mae"])
        >>> model.evaluate([[1.0], [2.0]], [2.0, 4.0])
        {'loss': 10.0, 'mae': 3.0}
        """
        return _training_module().evaluate(self, x, y, batch_size=batch_size)

    def predict(self, x: ArrayLike | Batches, *, batch_size: int = 1024) -> Tensor:
        """The outputs for `x`, (rows, ...) or batches as for `fit`, in evaluation mode, computed in batches.

        ShapeError, DTypeError or ArgumentError for rows that are no finite numbers of one shape.

        >>> import tarazu as tz
        >>> tz.nn.Sequential([tz.nn.Dense(3)]).predict([[1.0, 2.0]]).shape
        (1, 3)
        """
        return _training_module().predict(self, x, batch_size=batch_size)

    def save(self, path: str | os.PathLike, *, optimizer: bool = True) -> None:
        """Write the model to the folder `path`; `tz.load(path)` makes it again.

        Kept are the layers with all that was changed in them, which of them are shared, weights and which are frozen,
        and with `optimizer` what `compile` was told and the state of the optimizer, so that a loaded model trains on as
        this one would. A `tz.train.TrainingWarning` names classes and functions that another program will not find, and
        what `compile` was told where that cannot be saved. ArgumentError for a path where something else is, and for
        attributes and arguments of layers that cannot be saved: a model that was saved there before stays.

        >>> import tempfile
        >>> import tarazu as tz
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tz.nn.Dense(1, in_features=2).save(f"{folder}/line.tz")
        ...     tz.load(f"{folder}/line.tz").count_parameters()
        3
        """
        _training_module().save(self, path, optimizer=optimizer)

    def save_weights(self, path: str | os.PathLike) -> None:
        """Write all tensors, by their paths, to the safetensors file `path`; `load_weights` reads it.

        Classes, functions and what `compile` was told are not in it, so any model can be saved so. ArgumentError for a
        folder, and for a model with layers that have yet to see an input.

        >>> import tempfile
        >>> import tarazu as tz
        >>> model, twin = (tz.nn.Dense(1, in_features=2) for _ in range(2))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save_weights(f"{folder}/line.safetensors")
        ...     twin.load_weights(f"{folder}/line.safetensors")
        >>> bool((twin.weight == model.weight).all())
        True
        """
        _training_module().save_weights(self, path)

    def load_weights(self, path: str | os.PathLike) -> None:
        """Take over the tensors in a file that `save_weights` wrote, or those in the folder of a saved model.

        All paths, shapes and dtypes have to be the model's own; else nothing is changed. ArgumentError for other paths
        and for layers that have yet to see an input, ShapeError for other shapes, DTypeError for other dtypes,
        FileFormatError for a file that is missing or damaged.

        >>> import tempfile
        >>> import tarazu as tz
        >>> model, twin = (tz.nn.Dense(1, in_features=2) for _ in range(2))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/line.tz")
        ...     twin.load_weights(f"{folder}/line.tz")
        >>> bool((twin.weight == model.weight).all())
        True
        """
        _training_module().load_weights(self, path)
