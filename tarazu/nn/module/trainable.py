"""The methods of a model that `tarazu.train` carries out: compile, fit, evaluate, predict, save.

`nn` may not import `train`, so the package is imported by name when a method is first called.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, TypeAlias, Union

from tarazu.base.device import Device
from tarazu.base.hints.missing import with_keyword_hints
from tarazu.nn.module.loaded import Loaded
from tarazu.ops.typing import ArrayLike, DeviceLike
from tarazu.runtime.collection import importing

# One array, or several in a tuple, list or dict: of inputs, of targets, of weights.
Inputs: TypeAlias = Union[ArrayLike, tuple["Inputs", ...], list["Inputs"], dict[str, "Inputs"]]  # noqa: UP007
Batches: TypeAlias = Iterable[Any]  # a stream of (inputs, targets), of (inputs, targets, weights), or of any trees
Validation: TypeAlias = tuple[Inputs, ...] | Batches | None
ClassWeight: TypeAlias = Mapping[int, float] | str | None  # by class, or "balanced"
Devices: TypeAlias = DeviceLike | Sequence[str | Device] | None
Verbose: TypeAlias = int | str  # "auto", 0, 1 or 2


@functools.cache
def _training_module() -> Any:
    with importing():
        return importlib.import_module("tarazu.train")


class Trainable:
    """The methods of a model that `tarazu.train` carries out.

    Optimizers, callbacks and histories are typed Any: their classes stand above `nn` or beside it.
    """

    _trainer: Any = None  # what `compile` prepared
    _predictor: Any = None  # the compiled forward function

    @with_keyword_hints
    def compile(self, optimizer: Any = None, loss: Any = None, metrics: Any = (), precision: str = "float32",
                regularizer: Any = None) -> Self:
        """Say how `fit` trains: the optimizer, the loss and the metrics, by name or as objects; gives the model back.

        `loss` is a name (a key of `tz.nn.LOSSES`) or a function of (prediction, target) that gives a scalar, such as
        `functools.partial(tz.nn.cross_entropy, label_smoothing=0.1)`; a metric is a name (a key of `tz.train.METRICS`,
        such as "accuracy", "f1", "auc"), an object with options (`tz.train.Recall(average=None)`), a function that
        gives a number per row, or a `tz.train.Metric`; an optimizer is a name (a key of `tz.optim.OPTIMIZERS`, "adam"
        if left out) or an object.

        A model with several outputs, in a dict or a tuple, has a loss for each: `loss={"box": "mse", "kind":
        ("cross_entropy", 0.3)}` is their sum, with 0.3 of the second; None is no loss. `metrics={"kind": "accuracy"}`
        has the same names. Targets stand in a dict or tuple like the outputs.

        A model with a method `compute_loss(batch)` or `train_step(batch)` of its own needs no loss.

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

    def compute_loss(self, batch: Any) -> Any:
        """The loss of a batch, a scalar tensor, or a dict with "loss" and other numbers to record; to be overridden.

        `batch` is what `fit` was given, in rows of one batch, as tensors: (x, y), (x, y, weight), or any other tuple,
        list or dict. It is called in training, in validation and by `evaluate`; `self.training` says which. That of
        each model is the loss that `compile` was told; TrainingError where it was told none.

        >>> import tarazu as tz
        >>> class Autoencoder(tz.nn.Module):
        ...     def __init__(self):
        ...         self.encoder, self.decoder = tz.nn.Dense(1, in_features=2), tz.nn.Dense(2, in_features=1)
        ...     def compute_loss(self, batch):
        ...         return tz.nn.mse(self.decoder(self.encoder(batch)), batch)
        >>> history = Autoencoder().compile("adam").fit(tz.ones(8, 2), epochs=2, seed=0, verbose=0)
        >>> list(history.history)
        ['loss', 'learning_rate']
        """
        return _training_module().compute_loss(self, batch)

    def train_step(self, batch: Any) -> Any:
        """One update by a batch; gives a dict of numbers to record, or the loss. To be overridden.

        That of each model sets gradients to None, calls `compute_loss`, and takes a step of the optimizer of `compile`.
        An own one may use several optimizers, which are attributes of the model, and then needs no `compile`. It is
        traced into the program of `fit` as it stands. TrainingError for a model that was compiled without a loss.

        >>> import tarazu as tz
        >>> class Line(tz.nn.Module):
        ...     def __init__(self):
        ...         self.dense = tz.nn.Dense(1, in_features=1)
        ...         self.optimizer = tz.optim.SGD(self.parameters(), lr=0.1)
        ...     def train_step(self, batch):
        ...         x, y = batch
        ...         self.optimizer.zero_grad()
        ...         loss = tz.nn.mse(self.dense(x), y)
        ...         loss.backward()
        ...         self.optimizer.step()
        ...         return {"loss": loss}
        >>> model = Line()
        >>> history = model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=500, seed=0, verbose=0)
        >>> round(model.dense(tz.tensor([[3.0]])).item(), 2)
        6.0
        """
        return _training_module().train_step(self, batch)

    def prepare_inputs(self, x: Any) -> Any:
        """What the model is called with, of the inputs that `fit`, `evaluate` or `predict` gets: these themselves.

        A model that takes something else than numbers turns it into numbers here, outside of the compiled program.

        >>> import tarazu as tz
        >>> class Reversed(tz.nn.Sequential):
        ...     def prepare_inputs(self, x):
        ...         return [row[::-1] for row in x]
        >>> Reversed([tz.nn.Flatten()]).predict([[1.0, 2.0]])
        Tensor([[2., 1.]], dtype=float32)
        """
        return x

    @with_keyword_hints
    def fit(self, x: Inputs | Batches, y: Inputs | None = None, *, epochs: int = 1, batch_size: int = 32,
            validation_split: float = 0.0, validation_data: Validation = None, callbacks: Any = (),
            seed: int | None = None, verbose: Verbose = "auto", sample_weight: Inputs | None = None,
            class_weight: ClassWeight = None, shuffle: bool = True, steps_per_epoch: int | None = None,
            max_steps: int | None = None, max_seconds: float | None = None, validate_every: int = 1,
            devices: Devices = None) -> Any:
        """Train on the rows of `x` and `y`; gives a `tz.record.History` with its verdict.

        `x` is (rows, ...), and `y` has a target for each row. Rows are shuffled in each epoch, unless `shuffle=False`,
        and taken in batches of `batch_size`. Calling it again continues the training; where layers came in meanwhile,
        or the optimizer trained another model, all its state starts anew. `.grad` of the parameters is None afterwards.

        Several inputs are a tuple or list of arrays, which `forward` gets one by one, or a dict, which it gets by name;
        a model with several outputs has targets in a tuple or dict likewise. A model with a `compute_loss` or
        `train_step` of its own takes any tuples, lists and dicts of arrays, with or without `y`.

        `sample_weight` has a weight of 0 or more for each row, by which its loss is multiplied: the loss of a batch is
        the sum of weighted losses over the number of rows, as in Keras. `class_weight` gives each class a weight,
        {0: 1.0, 1: 5.0}, or is "balanced": rows / (classes * rows of the class). Validation is without class weights;
        metrics are not weighted.

        In place of rows, `fit(batches)` takes any iterable of (x, y) or (x, y, weight), such as a generator or torch's
        DataLoader. It is read ahead in a thread, so it must not draw from the global generator; its batches are neither
        shuffled nor cut to `batch_size`, and the verdict judges its first 20,000 rows at most. An iterator, which can
        be read only once, serves for one epoch; with `steps_per_epoch` the epochs share it, until it ends.

        `validation_split` holds out a random share of the rows (classes in proportion), `validation_data` is `(x, y)`,
        `(x, y, weight)`, or batches; with either, the weights of the best validation epoch are kept.

        Training also ends after `max_steps` steps of all epochs together, or after the first chunk of steps (a quarter
        of a second) that ends after `max_seconds` seconds; the history then has a row of the epoch so far. With
        `validate_every=n` only every n-th epoch is validated, and the last. A dataset without end needs one of these
        limits, or `steps_per_epoch`.

        Where a loss or a weight becomes NaN or infinite, training ends with a `tz.train.TrainingWarning` that says at
        which step, and the likely cause. The last good weights are kept (an optimizer that remembers more than 64 MB
        starts anew); the last row of the history has the numbers of the epoch up to that step.

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

        `verbose`: "auto" or 1 (in a terminal or a notebook a bar with rate, time left and the numbers so far, else a
        line for an epoch, of long runs for about 20), 2 (a line for every epoch), 0 (nothing). TrainingError for a
        model that was not compiled; ArgumentError, ShapeError or DTypeError for data that it cannot be trained on.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.1), loss="mse")
        >>> history = model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=500, seed=0, verbose=0)
        >>> round(model.predict([[3.0]]).item(), 2)
        6.0
        """
        if isinstance(validation_data, tuple):
            validation_data = (self.prepare_inputs(validation_data[0]), *validation_data[1:])
        return _training_module().fit(
            self, self.prepare_inputs(x), y, epochs=epochs, batch_size=batch_size, validation_split=validation_split,
            validation_data=validation_data, callbacks=callbacks, seed=seed, verbose=verbose,
            sample_weight=sample_weight, class_weight=class_weight, shuffle=shuffle, steps_per_epoch=steps_per_epoch,
            max_steps=max_steps, max_seconds=max_seconds, validate_every=validate_every, devices=devices)

    @with_keyword_hints
    def evaluate(self, x: Inputs | Batches, y: Inputs | None = None, *, sample_weight: Inputs | None = None,
                 batch_size: int = 1024) -> dict[str, float]:
        """The loss and the metrics on `x` and `y`, by name; in evaluation mode, computed in batches.

        In place of rows `x` may be batches (x, y), such as torch's DataLoader. Losses are weighted with `sample_weight`
        as in `fit`. TrainingError for a model that was not compiled; ShapeError, DTypeError or ArgumentError for unfit
        rows.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential([tz.nn.Dense(1, kernel_initializer="zeros")]).compile(loss="mse", metrics=["mae"])
        >>> model.evaluate([[1.0], [2.0]], [2.0, 4.0])
        {'loss': 10.0, 'mae': 3.0}
        """
        return _training_module().evaluate(self, self.prepare_inputs(x), y, sample_weight=sample_weight,
                                           batch_size=batch_size)

    @with_keyword_hints
    def predict(self, x: Inputs | Batches, *, batch_size: int = 1024) -> Any:
        """The outputs for `x`, (rows, ...) or batches as for `fit`, in evaluation mode, computed in batches.

        Several inputs are passed as to `fit`; several outputs come in the dict or tuple that the model gives.
        ShapeError, DTypeError or ArgumentError for rows that are no finite numbers of one shape.

        >>> import tarazu as tz
        >>> tz.nn.Sequential([tz.nn.Dense(3)]).predict([[1.0, 2.0]]).shape
        (1, 3)
        """
        return _training_module().predict(self, self.prepare_inputs(x), batch_size=batch_size)

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
        2 of 2 tensors loaded
        >>> bool((twin.weight == model.weight).all())
        True
        """
        _training_module().save_weights(self, path)

    def load_weights(self, path: str | os.PathLike, *, strict: bool = True) -> Loaded:
        """Take over the tensors in a file that `save_weights` wrote, or those in the folder of a saved model.

        All paths, shapes and dtypes have to be the model's own; else nothing is changed. With `strict=False` the
        tensors that have the same path and shape are taken over, as for a model with another head; the report that
        comes back says which were not. ArgumentError for other paths, for none that fits, and for layers that have yet
        to see an input, ShapeError for other shapes, DTypeError for other dtypes, FileFormatError for a file that is
        missing or damaged.

        >>> import tempfile
        >>> import tarazu as tz
        >>> model, twin = (tz.nn.Dense(1, in_features=2) for _ in range(2))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/line.tz")
        ...     twin.load_weights(f"{folder}/line.tz")
        2 of 2 tensors loaded
        >>> bool((twin.weight == model.weight).all())
        True
        """
        return _training_module().load_weights(self, path, strict=strict)
