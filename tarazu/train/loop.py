"""`fit`: a short loop over epochs and steps. A step is one traced function; everything else is told to callbacks."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.last_axis import size
from tarazu.nn.mode import in_mode
from tarazu.nn.module import Module
from tarazu.record import History
from tarazu.runtime import random
from tarazu.runtime.autograd import no_grad
from tarazu.runtime.tensor import asarray
from tarazu.train.arrays import Arrays, hold_out, pair, require_labels_fit
from tarazu.train.callbacks import Callback, KeepBest
from tarazu.train.failure import TrainingWarning, give_up
from tarazu.train.logits import first_output
from tarazu.train.progress import progress
from tarazu.train.setup import Setup, outputs, scores, setup_of
from tarazu.train.snapshot import restore, snapshot
from tarazu.train.verdict import deliver

Tell = Callable[[str], None]


class Run:
    """A training run under way: what callbacks see."""

    def __init__(self, setup: Setup, train: Arrays, validation: Arrays | None, *, epochs: int, batch_size: int) -> None:
        self.model, self.setup, self.train, self.validation = setup.model, setup, train, validation
        self.epochs, self.batch_size = epochs, min(batch_size, len(train.x))
        self.steps = -(-len(train.x) // self.batch_size)
        self.history = History()
        self.epoch = self.step = 0
        self.loss = math.nan
        self.tensors = setup.state()
        self.good = snapshot(self.tensors)  # the last state under which the loss was finite
        self.failure = ""  # why the run was given up
        self.kept_epoch: int | None = None  # None: the last one
        self.last_validation_losses: np.ndarray | None = None

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = reason


def fit(model: Module, x: Any, y: Any = None, *, epochs: int = 1, batch_size: int = 32, validation_split: float = 0.0,
        validation_data: Any = None, callbacks: Any = (), seed: int | None = None, verbose: Any = "auto") -> History:
    """Train; see `Module.fit`."""
    setup = setup_of(model)
    epochs, batch_size = size("epochs", epochs), size("batch_size", batch_size)
    if seed is not None:
        random.seed(seed)
    train, validation = _parts(setup, x, y, validation_split, validation_data)
    told = [*_with_best(callbacks, validation), *progress(verbose)]
    _build(setup, train, validation)
    run = Run(setup, train, validation, epochs=epochs, batch_size=batch_size)
    _run(run, told)
    if run.failure:
        warnings.warn(run.failure, TrainingWarning, stacklevel=3)  # the line that calls model.fit
    return run.history


def _parts(setup: Setup, x: Any, y: Any, split: float, given: Any) -> tuple[Arrays, Arrays | None]:
    train = pair(x, y)
    if given is not None:
        if split:
            raise ArgumentError("both validation_split and validation_data", expected="one of them",
                                fix="leave one out")
        return train, _validation(given, train)
    if not split:
        return train, None
    if setup.split_seed is None:
        setup.split_seed = int(random.randint(2**31))
    return hold_out(train, split, setup.split_seed, setup.loss)


def _validation(given: Any, train: Arrays) -> Arrays:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ArgumentError(f"validation_data of type {type(given).__name__}", expected="a pair (x, y)",
                            fix="pass validation_data=(x_validation, y_validation)")
    found = pair(*given)
    for name, wanted, has in zip(Arrays._fields, train, found, strict=True):
        if wanted.shape[1:] != has.shape[1:]:
            rows = ", ".join(["rows", *map(str, wanted.shape[1:])])
            raise ShapeError(f"validation_data with {name} of shape {has.shape}", expected=f"shape ({rows})",
                             fix="prepare validation data as the training data were prepared")
    return found


def _build(setup: Setup, *parts: Arrays | None) -> None:
    """Let layers that need to see an input see one, and check what comes out against the targets."""
    given = [part for part in parts if part is not None]
    with in_mode(setup.model, training=False), no_grad():
        shape = first_output(setup.model, setup.loss, asarray(given[0].x[:1])).shape
    for part in given:
        require_labels_fit(setup.loss, part.y, shape)
    setup.prepare()


def _with_best(callbacks: Any, validation: Arrays | None) -> list[Callback]:
    found = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in found:
        if not isinstance(callback, Callback):
            raise ArgumentError(f"{callback!r} among the callbacks",
                                expected="objects of subclasses of tz.train.Callback",
                                fix="make an object of the class: tz.train.EarlyStopping()")
    if validation is None or any(isinstance(callback, KeepBest) for callback in found):
        return found
    return [*found, KeepBest()]


def _run(run: Run, callbacks: list[Callback]) -> None:
    def tell(hook: str) -> None:
        for callback in callbacks:
            getattr(callback, hook)(run)

    tell("on_fit_start")
    try:
        _train(run, tell)
        _measure_last_weights(run)
    finally:
        tell("on_fit_end")
    deliver(run)


def _train(run: Run, tell: Tell) -> None:
    try:
        with in_mode(run.model, training=True):
            while run.epoch < run.epochs and run.history.stopped is None:
                run.epoch += 1
                tell("on_epoch_start")
                if _train_epoch(run, tell):
                    tell("on_epoch_end")
    except KeyboardInterrupt:
        run.history.stopped = "interrupted"
    run.history.stopped = run.history.stopped or "epochs"


def _train_epoch(run: Run, tell: Tell) -> bool:
    """One pass over the training rows; its row goes to the history. Gives False when the run had to be given up."""
    start = time.perf_counter()
    order = random.permutation(len(run.train.x)).numpy()
    sums = np.zeros(1 + len(run.setup.metrics))
    for step in range(1, run.steps + 1):
        run.step, end = step, step * run.batch_size
        rows = order[end - run.batch_size:end]
        values = _step(run, rows)
        if not math.isfinite(run.loss):
            give_up(run, f"the loss was {run.loss}", order[max(end - 2 * run.batch_size, 0):end])
            return False
        sums += np.multiply(values, len(rows))
        tell("on_step_end")
    if not all(np.isfinite(x.numpy()).all() for x in run.setup.optimizer.parameters):
        give_up(run, "a weight became infinite or NaN", rows)
        return False
    means = dict(zip(["loss", *run.setup.metrics], (sums / len(order)).tolist(), strict=True)) | _validated(run)
    seconds, rate = round(time.perf_counter() - start, 4), float(run.setup.optimizer.lr)
    run.history.append(seconds=seconds, **means, learning_rate=rate)
    return True


def _step(run: Run, rows: np.ndarray) -> list[float]:
    before = snapshot(run.tensors)
    try:
        values = [float(value) for value in run.setup.train_step(*run.train, rows)]
    except KeyboardInterrupt:
        restore(before)  # an update that was cut short must leave nothing half done
        raise
    run.loss = values[0]
    if math.isfinite(run.loss):
        run.good = before
    return values


def _validated(run: Run) -> dict[str, float]:
    if run.validation is None:
        return {}
    prediction = outputs(run.model, run.validation.x)
    return {f"val_{name}": value for name, value in scores(run.setup, prediction, asarray(run.validation.y)).items()}


def _measure_last_weights(run: Run) -> None:
    """The validation loss of each sample under the last weights, before the best ones are put back."""
    if run.validation is not None and len(run.history) and not run.failure:
        prediction = outputs(run.model, run.validation.x)
        run.last_validation_losses = run.setup.sample_losses(prediction, asarray(run.validation.y))
