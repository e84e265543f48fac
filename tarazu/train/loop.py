"""`fit`: a short loop over epochs and chunks of steps, each one call of a program; callbacks are told the rest."""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.interpreter import state
from tarazu.nn.last_axis import size
from tarazu.nn.mode import in_mode
from tarazu.nn.module import Module
from tarazu.record import History
from tarazu.runtime import random
from tarazu.runtime.autograd import no_grad
from tarazu.runtime.tensor import Tensor, asarray
from tarazu.train.advance import Done, advance, require_finite_weights
from tarazu.train.arrays import Arrays, hold_out, pair, require_labels_fit, targets
from tarazu.train.callbacks import Callback, KeepBest, wants_steps
from tarazu.train.chunk import Pace, Rows
from tarazu.train.failure import TrainingWarning
from tarazu.train.logits import first_output
from tarazu.train.progress import progress
from tarazu.train.setup import Setup, outputs, scores, setup_of
from tarazu.train.snapshot import snapshot
from tarazu.train.stream import Stream, is_stream, rows_of
from tarazu.train.verdict import deliver

Tell = Callable[[str], None]


class Run:
    """A training run under way: what callbacks see."""

    def __init__(self, setup: Setup, source: Rows | Stream, validation: Arrays | None, *, epochs: int) -> None:
        self.model, self.setup, self.source, self.validation = setup.model, setup, source, validation
        self.epochs, self.batch_size = epochs, source.batch_size
        self.history = History()
        self.epoch = self.step = self.rows = 0  # the last two count in the epoch
        self.loss = math.nan
        self.sums: list[Tensor] = []  # over the epoch's rows: of the loss and of each metric
        self._changed: tuple[int, list[Tensor]] = (-1, [])
        self.start = snapshot(self.changed())
        self.last: Done | None = None
        self.failure = ""  # why the run was given up
        self.kept_epoch: int | None = None  # None: the last one
        self.last_validation_losses: np.ndarray | None = None

    @property
    def steps(self) -> int | None:
        """How many steps an epoch has; None for a stream that has not said so yet."""
        return self.source.steps

    @property
    def train(self) -> Arrays:
        """The rows that the verdict judges: all, or of a stream the first ones."""
        return self.source.train

    def changed(self) -> list[Tensor]:
        """All tensors that a step changes, random states of own generators too."""
        traces, tensors = self._changed
        if traces != self.setup.train_chunk.traces:
            found = [*self.setup.state(), *self.setup.train_chunk.changes]
            tensors = list({id(x): x for x in found}.values())
            self._changed = self.setup.train_chunk.traces, tensors
        return tensors

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = reason


def fit(model: Module, x: Any, y: Any = None, *, epochs: int = 1, batch_size: int = 32, validation_split: float = 0.0,
        validation_data: Any = None, callbacks: Any = (), seed: int | None = None, verbose: Any = "auto",
        steps_per_epoch: int | None = None) -> History:
    """Train; see `Module.fit`."""
    setup = setup_of(model)
    epochs, batch_size = size("epochs", epochs), size("batch_size", batch_size)
    if seed is not None:
        random.seed(seed)
    source: Rows | Stream
    if is_stream(x, y):
        source, validation = _stream(x, epochs, steps_per_epoch, validation_split, validation_data)
    else:
        _require_rows(x, y, steps_per_epoch)
        train, validation = _parts(setup, x, y, validation_split, validation_data)
        source = Rows(train, Pace(), batch_size)
    with contextlib.closing(source):
        told = [*_with_best(callbacks, validation), *progress(verbose)]
        source.pace.is_stepwise = state.interpreter.notes_lines or any(map(wants_steps, told))
        _build(setup, source, validation)
        run = Run(setup, source, validation, epochs=epochs)
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


def _require_rows(x: Any, y: Any, steps_per_epoch: int | None) -> None:
    targets(y)
    if isinstance(x, Iterator):
        raise ArgumentError(f"a stream of batches ({type(x).__name__}), and y", expected="batches (x, y), and no y",
                            fix="let the stream give pairs, and call fit(stream)")
    if steps_per_epoch is not None:
        raise ArgumentError(f"steps_per_epoch={steps_per_epoch!r} for rows in memory",
                            expected="it with a stream of batches only: an epoch is once through all rows",
                            fix="leave it out, or pass an iterable of (x, y) batches as x")


def _stream(x: Any, epochs: int, steps_per_epoch: int | None, split: float,
            given: Any) -> tuple[Stream, Arrays | None]:
    if split:
        raise ArgumentError(f"validation_split={split!r} with a stream of batches",
                            expected="validation_data, as the rows of a stream are not known beforehand",
                            fix="set rows apart before you make the stream: validation_data=(x_val, y_val)")
    source = Stream(x, Pace(), epochs, steps_per_epoch)
    try:
        return source, None if given is None else _validation(given, source.train)
    except BaseException:
        source.close()
        raise


def _validation(given: Any, train: Arrays) -> Arrays:
    if is_stream(given, None):
        given = rows_of(given)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ArgumentError(f"validation_data of type {type(given).__name__}", expected="a pair (x, y), or batches",
                            fix="pass validation_data=(x_validation, y_validation)")
    found = pair(*given)
    for name, wanted, has in zip(Arrays._fields, train, found, strict=True):
        if wanted.shape[1:] != has.shape[1:]:
            rows = ", ".join(["rows", *map(str, wanted.shape[1:])])
            raise ShapeError(f"validation_data with {name} of shape {has.shape}", expected=f"shape ({rows})",
                             fix="prepare validation data as the training data were prepared")
    return found


def _build(setup: Setup, source: Rows | Stream, validation: Arrays | None) -> None:
    """Let layers that need to see an input see one, and check what comes out against the targets."""
    with in_mode(setup.model, training=False), no_grad():
        shape = first_output(setup.model, setup.loss, asarray(source.train.x[:1])).shape
    for part in (source.train, validation):
        if part is not None:
            require_labels_fit(setup.loss, part.y, shape)
    if isinstance(source, Stream):
        source.check = lambda y: require_labels_fit(setup.loss, y, shape)
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
        run.setup.drop_gradients()
        tell("on_fit_end")
    deliver(run)


def _train(run: Run, tell: Tell) -> None:
    try:
        with in_mode(run.model, training=True):
            while run.epoch < run.epochs and run.history.stopped is None:
                run.epoch += 1
                run.step = run.rows = 0
                tell("on_epoch_start")
                if _train_epoch(run, tell):
                    tell("on_epoch_end")
    except KeyboardInterrupt:
        run.history.stopped = "interrupted"
    run.history.stopped = run.history.stopped or "epochs"


def _train_epoch(run: Run, tell: Tell) -> bool:
    """One pass over the training rows; its row goes to the history. Gives False when the run ended without one."""
    start = time.perf_counter()
    run.sums = [asarray(np.zeros(())) for _ in ("loss", *run.setup.metrics)]
    with contextlib.closing(run.source.chunks()) as chunks:
        for chunk in chunks:
            if not advance(run, chunk):
                return False
            tell("on_step_end")
            tell("on_chunk_end")
    if not run.step:
        run.stop("end of the stream")
        return False
    if not require_finite_weights(run):
        return False
    means = dict(zip(["loss", *run.setup.metrics], [float(x) / run.rows for x in run.sums], strict=True))
    values = means | _validated(run)
    seconds, rate = round(time.perf_counter() - start, 4), float(run.setup.optimizer.lr)
    run.history.append(seconds=seconds, **values, learning_rate=rate)
    return True


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
