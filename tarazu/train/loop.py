"""`fit`: a loop over epochs and chunks of steps, each chunk one call of a program; callbacks are notified between."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterable

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.ir.interpreter import state
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Batches, Devices, Validation, Verbose
from tarazu.ops.typing import ArrayLike
from tarazu.record import History
from tarazu.runtime import processes, random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.trace.origins import frames_to_user
from tarazu.train.callbacks.base import Callback, require_known_hooks, wants_steps
from tarazu.train.callbacks.checkpoint import Checkpoint, checkpoint_of
from tarazu.train.callbacks.keep_best import KeepBest
from tarazu.train.callbacks.progress import progress
from tarazu.train.evaluate import MOST_BYTES, PREDICTED_ROWS, predictions, scores
from tarazu.train.placement import place_training
from tarazu.train.sources.arrays import Arrays, require_labels_fit
from tarazu.train.sources.inputs import batches, require_no_steps, rows
from tarazu.train.sources.rows import Rows
from tarazu.train.sources.stream import Stream, is_stream
from tarazu.train.trainer.divergence import TrainingWarning
from tarazu.train.trainer.logits import first_output
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.run_chunk import require_finite_weights, run_chunk
from tarazu.train.trainer.snapshot import snapshot
from tarazu.train.trainer.trainer import Trainer, tensors_of, trainer_of
from tarazu.train.verdict import judge_later

Notify = Callable[[str], None]


def fit(model: Module, x: ArrayLike | Batches, y: ArrayLike | None = None, *, epochs: int = 1, batch_size: int = 32,
        validation_split: float = 0.0, validation_data: Validation = None,
        callbacks: Callback | Iterable[Callback] = (), seed: int | None = None, verbose: Verbose = "auto",
        steps_per_epoch: int | None = None, devices: Devices = None) -> History:
    """Train a compiled model on the rows of `x` and `y`, or on a stream of batches; `model.fit` explains all options.

    TrainingError for a model that is not compiled; ArgumentError, ShapeError or DTypeError for unfit data and options.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("sgd", loss="mse")
    >>> len(tz.train.fit(model, [[1.0], [2.0]], [2.0, 4.0], epochs=3, seed=0, verbose=0))
    3
    """
    trainer = trainer_of(model)
    epochs, batch_size = positive_int("epochs", epochs), positive_int("batch_size", batch_size)
    if seed is not None:
        random.seed(seed)
    own_callbacks = _checked(callbacks)
    checkpoint = checkpoint_of(own_callbacks)
    saved_split_seed = checkpoint.open() if checkpoint else None
    source: Rows | Stream
    if is_stream(x, y):
        source, validation = batches(x, epochs, steps_per_epoch, validation_split, validation_data)
    else:
        require_no_steps(steps_per_epoch)
        source, validation = rows(x, y, batch_size, validation_split, validation_data, trainer.loss,
                                  lambda: trainer.choose_split_seed(saved_split_seed))
    _warn(source.notes)
    with contextlib.closing(source):
        callbacks = [*_in_order(own_callbacks, validation), *progress(verbose if processes.is_first() else 0)]
        if checkpoint:
            checkpoint.callbacks = callbacks
        source.pace.single_steps = state.interpreter.notes_lines or any(map(wants_steps, callbacks))
        validation_batch = _build(trainer, source, validation)
        undo = trainer.optimizer.begin(source.steps)
        trainer.placement = place_training(model, trainer.state(), devices)
        trainer.move_to_parameters()
        source.set_placement(trainer.placement)
        run = Run(trainer, source, validation, epochs=epochs, validation_batch=validation_batch)
        _run(run, callbacks, undo)
    if run.failure:
        _warn([run.failure])
    return run.history


def _warn(notes: list[str]) -> None:
    """Warn of each of the notes, once, at the user's line."""
    while notes:
        warnings.warn(notes.pop(), TrainingWarning, stacklevel=frames_to_user())


def _build(trainer: Trainer, source: Rows | Stream, validation: Arrays | None) -> int:
    """Let layers that need to see an input see one, and check what comes out against the targets.

    Gives how many validation rows are predicted at once: fewer where outputs are large.
    """
    train = source.train
    trainer.input_shape = train.x.shape[1:]
    with in_mode(trainer.model, training=False), no_grad():
        output = first_output(trainer.model, trainer.loss, asarray(train.x[:1]))
    shape = output.shape
    for part in (train, validation):
        if part is not None:
            require_labels_fit(trainer.loss, part.y, shape)
    trainer.note_classes(train.y, shape)
    if isinstance(source, Stream):
        source.check = lambda y: require_labels_fit(trainer.loss, y, shape)
    trainer.prepare()
    is_small = PREDICTED_ROWS * output.size * output.dtype.itemsize <= MOST_BYTES
    return PREDICTED_ROWS if is_small else source.batch_size


def _checked(callbacks: Callback | Iterable[Callback]) -> list[Callback]:
    listed = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in listed:
        if not isinstance(callback, Callback):
            raise ArgumentError(f"{callback!r} among the callbacks",
                                expected="objects of subclasses of tz.train.Callback",
                                fix="make an object of the class: tz.train.EarlyStopping()")
        require_known_hooks(callback)
    return listed


def _in_order(callbacks: list[Callback], validation: Arrays | None) -> list[Callback]:
    """The callbacks in order: `KeepBest` is added where there is validation; a checkpoint, which saves the state of the
    others, is last."""
    has_best = validation is None or any(isinstance(callback, KeepBest) for callback in callbacks)
    return sorted(callbacks if has_best else [*callbacks, KeepBest()], key=lambda x: isinstance(x, Checkpoint))


def _run(run: Run, callbacks: list[Callback], undo: Callable[[], None]) -> None:
    def notify(hook: str) -> None:
        for callback in callbacks:
            getattr(callback, hook)(run)

    try:
        notify("on_fit_start")
    except BaseException:  # such as a checkpoint of another run
        undo()
        raise
    try:
        _train(run, notify)
        run.trainer.optimizer.use_evaluation_weights()
        run.last_weights = snapshot(tensors_of(run.model))
    finally:
        run.trainer.drop_gradients()
        notify("on_fit_end")
    judge_later(run)


def _train(run: Run, notify: Notify) -> None:
    try:
        with in_mode(run.model, training=True):
            while run.epoch < run.epochs and run.history.stopped is None:
                run.epoch += 1
                run.step = run.rows = 0
                notify("on_epoch_start")
                if _train_epoch(run, notify):
                    with run.trainer.optimizer.evaluating():
                        notify("on_epoch_end")
    except KeyboardInterrupt:
        run.history.stopped = "interrupted"
    run.history.stopped = run.history.stopped or "epochs"


def _train_epoch(run: Run, notify: Notify) -> bool:
    """One pass over the training rows; its row goes to the history. Gives False when the run ended without one."""
    start = time.perf_counter()
    run.sums = run.zero_sums()
    with contextlib.closing(run.source.chunks()) as chunks:
        for chunk in chunks:
            if not run_chunk(run, chunk):
                return False
            _warn(run.trainer.notes)
            notify("on_step_end")
            notify("on_chunk_end")
    if not run.step:
        run.stop("end of the stream")
        return False
    if not require_finite_weights(run):
        return False
    means = dict(zip(["loss", *run.trainer.metrics], [float(x) / run.rows for x in run.sums], strict=True))
    with run.trainer.optimizer.evaluating():
        values = means | _validated(run)
    seconds, rate = round(time.perf_counter() - start, 4), float(run.trainer.optimizer.lr)
    run.history.append(seconds=seconds, **values, learning_rate=rate)
    return True


def _validated(run: Run) -> dict[str, float]:
    if run.validation is None:
        return {}
    batches = predictions(run.model, run.validation.x, run.validation_batch)
    return {f"val_{name}": value for name, value in scores(run.trainer, batches, run.validation.y).items()}
