"""`fit`: a loop over epochs and chunks of steps, each chunk one call of a program; callbacks are notified between."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterable

import numpy as np

from tarazu.base.checks import flag, positive_int
from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import made_of
from tarazu.data import Dataset
from tarazu.ir.interpreter import state
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Batches, ClassWeight, Devices, Inputs, Validation, Verbose
from tarazu.record import History
from tarazu.runtime import processes, random
from tarazu.train.callbacks.base import Callback, require_known_hooks, wants_steps
from tarazu.train.callbacks.checkpoint import Checkpoint, checkpoint_of
from tarazu.train.callbacks.keep_best import KeepBest
from tarazu.train.callbacks.progress import progress
from tarazu.train.callbacks.small import Freeze
from tarazu.train.evaluate import batch_for, scores
from tarazu.train.placement import place_training
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.chunk import Chunk
from tarazu.train.sources.datasets import mapped_rows, require_end_or_limit
from tarazu.train.sources.inputs import Given, Source, batches, of_dataset, require_no_steps, rows
from tarazu.train.sources.stream import Stream, is_stream
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.divergence import warn, warn_of_validation
from tarazu.train.trainer.limits import Limits, limits
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.run_chunk import require_finite_weights, run_chunk
from tarazu.train.trainer.snapshot import snapshot
from tarazu.train.trainer.trainer import Trainer, tensors_of
from tarazu.train.verdict import judge_later

Notify = Callable[[str], None]


def fit(model: Module, x: Inputs | Batches, y: Inputs | None = None, *, epochs: int = 1, batch_size: int = 32,
        validation_split: float = 0.0, validation_data: Validation = None,
        callbacks: Callback | Iterable[Callback] = (), seed: int | None = None, verbose: Verbose = "auto",
        sample_weight: Inputs | None = None, class_weight: ClassWeight = None, shuffle: bool = True,
        steps_per_epoch: int | None = None, max_steps: int | None = None, max_seconds: float | None = None,
        validate_every: int = 1, devices: Devices = None) -> History:
    """Train a compiled model on the rows of `x` and `y`, or on a stream of batches; `model.fit` explains all options.

    TrainingError for a model that is not compiled; ArgumentError, ShapeError or DTypeError for unfit data and options.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("sgd", loss="mse")
    >>> len(tz.train.fit(model, [[1.0], [2.0]], [2.0, 4.0], epochs=3, seed=0, verbose=0))
    3
    """
    trainer = trainer_of(model)
    epochs, batch_size = positive_int("epochs", epochs), positive_int("batch_size", batch_size)
    ends = limits(max_steps, max_seconds, validate_every)
    if isinstance(x, Dataset):
        require_end_or_limit(x, steps_per_epoch, max_steps, max_seconds)
    if seed is not None:
        random.seed(seed)
    own_callbacks = _checked(callbacks)
    checkpoint = checkpoint_of(own_callbacks)
    saved_split_seed = checkpoint.open() if checkpoint else None
    given = Given(x, y, sample_weight, class_weight, batch_size, flag("shuffle", shuffle), validation_split,
                  validation_data)
    source, validation = _source(trainer, given, epochs, steps_per_epoch, saved_split_seed)
    warn(source.notes)
    with contextlib.closing(source):
        callbacks = [*_in_order(own_callbacks, validation), *progress(verbose if processes.is_first() else 0, ends)]
        if checkpoint:
            checkpoint.callbacks = callbacks
        source.pace.single_steps = state.interpreter.notes_lines or any(map(wants_steps, callbacks))
        validation_batch = _build(trainer, source, validation)
        undo = trainer.begin_optimizers(source.steps)
        trainer.placement = place_training(model, trainer.state(), devices)
        trainer.move_to_parameters()
        source.set_placement(trainer.placement)
        run = Run(trainer, source, validation, epochs=epochs, validation_batch=validation_batch)
        source.pace.single_steps |= run.is_large
        source.pace.start(trainer.steps_of_chunks.get(run.batch_size, 1))
        _run(run, ends, callbacks, undo)
    if run.failure:
        warn([run.failure])
    return run.history


def _source(trainer: Trainer, given: Given, epochs: int, steps_per_epoch: int | None,
            saved_split_seed: int | None) -> tuple[Source, Arrays | None]:
    trainer.set_maps(given.x if isinstance(given.x, Dataset) else None)
    if isinstance(given.x, Dataset):
        given = of_dataset(given)
    # Maps of batches may make pairs of anything.
    reading = trainer.reading if trainer.on_batch is None else trainer.reading._replace(takes_any=True)
    if is_stream(given.x, given.y):
        return batches(given, reading, trainer.reading, epochs, steps_per_epoch)
    require_no_steps(steps_per_epoch)
    source, validation = rows(given, reading, trainer.reading, trainer.labels_of,
                              lambda: trainer.choose_split_seed(saved_split_seed))
    if given.validation_split and trainer.on_batch is not None and validation is not None:
        validation = mapped_rows(trainer.on_batch, validation, source.batch_size)
    return source, validation


def _build(trainer: Trainer, source: Source, validation: Arrays | None) -> int:
    """Let layers that need to see an input see one, and check what comes out against the targets.

    Gives how many validation rows are predicted at once: fewer where outputs are large.
    """
    trainer.begin(source.train, validation, source.batch_size)
    if isinstance(source, Stream):
        source.check = trainer.require_stream_fits
    return batch_for(trainer, source.batch_size)


def _checked(callbacks: Callback | Iterable[Callback]) -> list[Callback]:
    listed = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in listed:
        if not isinstance(callback, Callback):
            is_class = isinstance(callback, type) and issubclass(callback, Callback)
            made = made_of(callback) if is_class else "tz.train.EarlyStopping()"
            raise ArgumentError(f"{callback!r} among the callbacks",
                                expected="objects of subclasses of tz.train.Callback",
                                fix=f"make an object of the class: {made}")
        require_known_hooks(callback)
    return listed


def _in_order(callbacks: list[Callback], validation: Arrays | None) -> list[Callback]:
    """The callbacks in order: `KeepBest` is added where there is validation; those that freeze and thaw layers are
    first, and a checkpoint, which saves the state of the others, is last."""
    has_best = validation is None or any(isinstance(callback, KeepBest) for callback in callbacks)
    return sorted(callbacks if has_best else [*callbacks, KeepBest()],
                  key=lambda x: isinstance(x, Checkpoint) - isinstance(x, Freeze))


def _run(run: Run, ends: Limits, callbacks: list[Callback], undo: Callable[[], None]) -> None:
    def notify(hook: str) -> None:
        for callback in callbacks:
            getattr(callback, hook)(run)

    try:
        notify("on_fit_start")
    except BaseException:  # such as a checkpoint of another run
        undo()
        raise
    try:
        _train(run, ends, notify)
        run.trainer.use_evaluation_weights()
        run.last_weights = snapshot(tensors_of(run.model))
    finally:
        run.trainer.drop_gradients()
        run.trainer.free_room_beside_weights()
        with contextlib.ExitStack() as stack:  # each callback comes to its end, whatever another one raises
            for callback in reversed(callbacks):
                stack.callback(callback.on_fit_end, run)
    judge_later(run)


def _train(run: Run, ends: Limits, notify: Notify) -> None:
    try:
        with in_mode(run.model, training=True):
            while run.epoch < run.epochs and run.history.stopped is None:
                run.limit = ends.steps_reached(run)  # by a run that is resumed
                if run.limit and run.position is None:
                    run.stop(run.limit)
                    break
                run.epoch += 1
                run.step = run.rows = 0
                notify("on_epoch_start")
                _train_epoch(run, ends, notify)
    except KeyboardInterrupt:
        run.history.stopped = "interrupted"
    run.history.stopped = run.history.stopped or "epochs"


def _train_epoch(run: Run, ends: Limits, notify: Notify) -> None:
    """One pass over the training rows; its row goes to the history, unless the run ended without one.

    The row of an epoch in which a number was not finite has what was recorded up to that step.
    """
    start = time.perf_counter()
    with contextlib.closing(_chunks(run)) as chunks:
        while not run.limit and (chunk := next(chunks, None)) and run_chunk(run, ends.cut(run, chunk)):
            warn(run.trainer.notes)
            notify("on_step_end")
            run.limit = ends.reached(run)
            notify("on_chunk_end")
    if run.limit:
        run.stop(run.limit)
    if not run.step:
        run.stop("end of the stream")
    elif not run.failure and require_finite_weights(run):
        with run.trainer.evaluating():
            values = run.trainer.results(run.sums) | (_validated(run) if ends.is_validated(run) else {})
            _append(run, start, values)
            warn_of_validation(run, values)
            notify("on_epoch_end")
    else:
        with np.errstate(all="ignore"):
            _append(run, start, run.trainer.results(run.sums))
        run.restart_optimizers()


def _append(run: Run, start: float, values: dict[str, float]) -> None:
    run.history.append(seconds=round(time.perf_counter() - start, 4), **values, **run.trainer.rates())


def _chunks(run: Run) -> Generator[Chunk]:
    """The chunks of an epoch; of one in whose middle a resumed run goes on, those that are left."""
    position, run.position = run.position, None
    is_there = position is not None and isinstance(run.source, Stream) and run.source.start_within(run.epoch - 1,
                                                                                                   position.steps)
    chunks = run.source.chunks()
    run.epoch_generator, run.sums = random.default.state.raw, run.trainer.zero_sums()
    if position is not None:
        chunks = chunks if is_there else position.skip(chunks, run.trainer.notes)
        run.epoch_generator, run.first_batch = position.generator, position.first_batch
        run.step, run.rows, run.sums = position.steps, position.rows, position.sums
    return chunks


def _validated(run: Run) -> dict[str, float]:
    assert run.validation is not None
    values = scores(run.trainer, [run.validation], run.validation_batch)
    return {f"val_{name}": value for name, value in values.items()}
