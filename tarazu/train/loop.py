"""`fit`: a short loop over epochs and steps. A step is one traced function; everything else is told to callbacks."""

from __future__ import annotations

import math
import time
import warnings
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.nn.module import Module
from tarazu.record import History
from tarazu.runtime import random
from tarazu.runtime.autograd import no_grad
from tarazu.runtime.tensor import Tensor, asarray
from tarazu.train.arrays import Arrays, hold_out, pair, require_labels_fit
from tarazu.train.callbacks import Callback, KeepBest, restore, snapshot
from tarazu.train.progress import progress
from tarazu.train.setup import Setup, evaluation, predict, scores, setup_of
from tarazu.train.verdict import deliver


class TrainingWarning(UserWarning):
    """A run that ended before its time because a loss was not finite."""


class Run:
    """A training run under way: what callbacks see."""

    def __init__(self, setup: Setup, train: Arrays, validation: Arrays | None, *, epochs: int, batch_size: int) -> None:
        self.model, self.setup, self.train, self.validation = setup.model, setup, train, validation
        self.epochs, self.batch_size = epochs, min(batch_size, len(train.x))
        self.steps = -(-len(train.x) // self.batch_size)
        self.history = History()
        self.epoch = self.step = 0
        self.loss = math.nan
        self.kept_epoch: int | None = None  # None: the last one
        self.last_validation_losses: np.ndarray | None = None

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = reason


def fit(model: Module, x: Any, y: Any = None, *, epochs: int = 1, batch_size: int = 32, validation_split: float = 0.0,
        validation_data: Any = None, callbacks: Any = (), seed: int | None = None, verbose: Any = "auto") -> History:
    """Train; see `Module.fit`."""
    setup = setup_of(model)
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not isinstance(value, int) or value < 1:
            raise ArgumentError(f"{name}={value!r}", expected="a whole number of at least 1", fix=f"pass for example {name}=10")
    if seed is not None:
        random.seed(seed)
    train, validation = _parts(setup, x, y, validation_split, validation_data)
    _build(setup, train, validation)
    run = Run(setup, train, validation, epochs=epochs, batch_size=batch_size)
    return _run(run, [*_with_best(callbacks, validation), *progress(verbose)])


def _parts(setup: Setup, x: Any, y: Any, split: float, given: Any) -> tuple[Arrays, Arrays | None]:
    train = pair(x, y, setup)
    if given is not None:
        if split:
            raise ArgumentError("both validation_split and validation_data", expected="one of them", fix="leave one out")
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise ArgumentError(f"validation_data of type {type(given).__name__}", expected="a pair (x, y)",
                                fix="pass validation_data=(x_validation, y_validation)")
        return train, pair(*given, setup)
    if not split:
        return train, None
    return hold_out(train, split, int(random.randint(2**31)), setup)


def _build(setup: Setup, *parts: Arrays | None) -> None:
    """Let layers that need to see an input see one, and check what comes out against the targets."""
    with evaluation(setup.model), no_grad():
        outputs = setup.model(asarray(parts[0].x[:1])).shape  # type: ignore[union-attr]
    for part in parts:
        if part is not None:
            require_labels_fit(setup, part, outputs)
    setup.attach()


def _with_best(callbacks: Any, validation: Arrays | None) -> list[Callback]:
    found = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
    if validation is None or any(isinstance(callback, KeepBest) for callback in found):
        return found
    return [*found, KeepBest()]


def _run(run: Run, callbacks: list[Callback]) -> History:
    def tell(hook: str) -> None:
        for callback in callbacks:
            getattr(callback, hook)(run)

    tell("on_fit_start")
    try:
        while run.epoch < run.epochs and run.history.stopped is None:
            run.epoch += 1
            tell("on_epoch_start")
            if _train_epoch(run, tell):
                tell("on_epoch_end")
    except KeyboardInterrupt:
        run.history.stopped = "interrupted"
    finally:
        _measure_last_weights(run)
        tell("on_fit_end")
    run.history.stopped = run.history.stopped or "epochs"
    deliver(run)
    return run.history


def _train_epoch(run: Run, tell: Any) -> bool:
    """One pass over the training rows; its row goes to the history. Gives False when a loss was not finite."""
    start = time.perf_counter()
    order = random.permutation(len(run.train.x)).numpy()
    x, y = asarray(run.train.x), asarray(run.train.y)
    names = ["loss", *run.setup.metrics]
    sums = dict.fromkeys(names, 0.0)
    good = before = snapshot(run.model)
    with evaluation(run.model, mode=True):
        for run.step, first in enumerate(range(0, len(order), run.batch_size), start=1):
            rows = order[first:first + run.batch_size]
            before, values = snapshot(run.model), _step(run, x, y, rows, good)
            if not math.isfinite(values[0]):
                _give_up(run, rows, good)
                return False
            good = before
            for name, value in zip(names, values, strict=True):
                sums[name] += value * len(rows)
            tell("on_step_end")
    row = {name: total / len(order) for name, total in sums.items()}
    rate = float(run.setup.optimizer.lr)
    run.history.append(seconds=0.0, **row, **_validated(run), learning_rate=rate)
    run.history.rows[-1]["seconds"] = round(time.perf_counter() - start, 4)
    return True


def _step(run: Run, x: Tensor, y: Tensor, rows: np.ndarray, good: Any) -> list[float]:
    try:
        loss, metrics = run.setup.train_step(x, y, rows)
    except KeyboardInterrupt:
        restore(good)  # an update that was cut short must leave nothing half done
        raise
    run.loss = float(loss)
    return [run.loss, *map(float, metrics)]


def _validated(run: Run) -> dict[str, float]:
    if run.validation is None:
        return {}
    prediction = predict(run.model, run.validation.x)
    return {f"val_{name}": value for name, value in scores(run.setup, prediction, asarray(run.validation.y)).items()}


def _measure_last_weights(run: Run) -> None:
    """The validation loss of each sample under the last weights, before the best ones are put back."""
    if run.validation is not None and len(run.history) and run.history.stopped != "not finite":
        prediction = predict(run.model, run.validation.x)
        run.last_validation_losses = run.setup.sample_losses(prediction, asarray(run.validation.y))


def _give_up(run: Run, rows: np.ndarray, good: Any) -> None:
    restore(good)
    run.history.stopped = "not finite"
    warnings.warn(f"training stopped: the loss was {run.loss} in epoch {run.epoch}, step {run.step} of {run.steps}; "
                  f"likely cause: {_likely_cause(run, rows)}. The model holds the last good weights.",
                  TrainingWarning, stacklevel=6)


def _likely_cause(run: Run, rows: np.ndarray) -> str:
    largest = max(np.abs(part[rows].astype(np.float64)).max() for part in run.train)
    if largest > 1e4:
        return f"values as large as {largest:.3g} in the batch; scale inputs and targets (tz.data.Standardiser)"
    with evaluation(run.model), no_grad():
        again = float(run.setup.loss(run.model(asarray(run.train.x[rows])), asarray(run.train.y[rows])))
    if math.isfinite(again):
        return f"a learning rate that is too high ({float(run.setup.optimizer.lr):.3g}); try a tenth of it, or clip_norm=1.0"
    return "an operation such as log(0) or 0 / 0 in the model or the loss"
