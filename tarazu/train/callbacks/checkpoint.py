"""Checkpoints: the whole state of a training run, written after its epochs, from which a later fit resumes."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.checkpoint_folder import Content, read, write
from tarazu.train.callbacks.run_state import Callbacks, plain_values, resume, tensors
from tarazu.train.save.first_process import write_on_first_process
from tarazu.train.trainer.position import Position
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.run_chunk import failed_update


class Checkpoint(Callback):
    """Writes the state of the run to `folder` after every `every`-th epoch and the last; a fit that finds one there
    resumes from it.

    With `every_steps` it also writes within epochs, after the first chunk of steps (a quarter of a second) that ends so
    many steps after the last time. A run that `max_steps` or `max_seconds` ended is written where it stopped, and goes
    on from there with a limit that it has not reached, or with none.

    The same script run again after a crash gives what it would have given without, to the same bits: weights, losses,
    verdict. `epochs` counts those before the crash too. Callbacks of your own that keep something from epoch to epoch
    have `state_dict` and `load_state_dict`. Data are not kept: pass the same. The batches of a stream that were trained
    on in the epoch, and with `steps_per_epoch` those of completed epochs, are read again and skipped, so an iterator
    has to start from its first batch again; a TrainingWarning says where the stream gives others than before. `fit`
    raises ArgumentError for a checkpoint of a run with other data, loss, batch size or layers, and for a folder with
    other files; FileFormatError for a damaged one.

    >>> import pathlib, tempfile
    >>> import tarazu as tz
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "run.ckpt"
    >>> def train(epochs):
    ...     model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    ...     checkpoint = tz.train.Checkpoint(folder)
    ...     return model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=epochs, seed=0, callbacks=checkpoint, verbose=0)
    >>> len(train(epochs=2))
    2
    >>> [row["epoch"] for row in train(epochs=3)]  # trains one epoch more
    [1, 2, 3]
    """

    def __init__(self, folder: str | os.PathLike, every: int = 1, *, every_steps: int | None = None) -> None:
        self.folder, self.every = Path(folder), positive_int("every", every)
        self.every_steps = None if every_steps is None else positive_int("every_steps", every_steps)
        self._last_step = 0  # in all epochs, at which it was written
        self.callbacks: Callbacks = ()  # those of the run, whose state is kept too
        self._content: Content | None = None

    def open(self) -> int | None:
        """Read the checkpoint in the folder; gives the seed by which that run held rows out, None without one."""
        self._content = read(self.folder)
        return None if self._content is None else self._content.values["split_seed"]

    def on_fit_start(self, run: Run) -> None:
        if self._content is not None:
            content, self._content = self._content, None
            resume(run, self.callbacks, content, self.folder)
        self._last_step = run.total_steps

    def on_chunk_end(self, run: Run) -> None:
        is_due = self.every_steps is not None and run.total_steps - self._last_step >= self.every_steps
        if (is_due or run.limit) and not failed_update(run):
            self._write(run, run.here())

    def on_epoch_end(self, run: Run) -> None:
        if run.limit:
            return  # the state before the evaluation of the epoch so far, from which the epoch goes on, is written
        if run.epoch % self.every == 0 or run.epoch == run.epochs or run.history.stopped is not None:
            self._write(run, None)

    def _write(self, run: Run, position: Position | None) -> None:
        is_evaluated = position is None  # at the end of an epoch
        if is_evaluated:
            run.trainer.use_training_weights()
        try:
            self._write_as_trained(run, position)
        finally:
            if is_evaluated:
                run.trainer.use_evaluation_weights()

    def _write_as_trained(self, run: Run, position: Position | None) -> None:
        self._last_step = run.total_steps
        values = plain_values(run, self.callbacks, position)
        write_to = partial(write, self.folder, f"{run.epoch}-{run.step if position else 'end'}", values)
        write_on_first_process("a checkpoint", tensors(run, self.callbacks, position).items(), write_to)


def checkpoint_of(callbacks: Callbacks) -> Checkpoint | None:
    """The checkpoint among the callbacks, None without one; ArgumentError for several."""
    checkpoints = [callback for callback in callbacks if isinstance(callback, Checkpoint)]
    if len(checkpoints) > 1:
        raise ArgumentError(f"{len(checkpoints)} checkpoints among the callbacks",
                            expected="one, as a run resumes from one", fix="leave one out")
    return checkpoints[0] if checkpoints else None
