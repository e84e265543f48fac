"""A training run under way."""

from __future__ import annotations

import math
from typing import NamedTuple

from tarazu.base.errors import ArgumentError
from tarazu.optim.optimizer import Optimizer
from tarazu.record import History
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.chunk import Chunk
from tarazu.train.sources.rows import Rows
from tarazu.train.sources.stream import Stream
from tarazu.train.trainer.position import Position
from tarazu.train.trainer.snapshot import Snapshot, snapshot
from tarazu.train.trainer.trainer import Trainer, Values


class CompletedChunk(NamedTuple):
    """The last chunk whose losses were finite, the values from before it, and the step that it ended with."""

    chunk: Chunk
    before: Snapshot
    step: int


class Run:
    """A training run under way, as callbacks see it.

    `model` and `history` (a row per completed epoch); `epoch`, which counts from 1, and `epochs`; `step` and `rows` of
    this epoch, `total_steps` of all; `steps` of an epoch, None while a stream has not ended once; `batch_size`; `loss`
    of the last step; `learning_rate`, which may be set. `stop(reason)` ends training after this epoch. `resumed_from`
    names the checkpoint that the run resumed from, "" without one.

    >>> import tarazu as tz
    >>> class Patience(tz.train.Callback):
    ...     def on_epoch_end(self, run):
    ...         if run.epoch == 2:
    ...             run.stop("two are enough")
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> history = model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=10, seed=0, callbacks=Patience(), verbose=0)
    >>> len(history), history.stopped
    (2, 'two are enough')
    """

    def __init__(self, trainer: Trainer, source: Rows | Stream, validation: Arrays | None, *, epochs: int,
                 validation_batch: int) -> None:
        self.model, self.trainer, self.source, self.validation = trainer.model, trainer, source, validation
        self.epochs, self.batch_size = epochs, source.batch_size
        self.history = History()
        self.resumed_from = ""  # the checkpoint
        self.epoch = self.step = self.rows = 0  # the last two count in the epoch
        self.total_steps = 0  # in all epochs
        self.loss = math.nan
        self.position: Position | None = None  # where a resumed run goes on in its first epoch
        self.epoch_generator: object = None  # the state of the global generator at the start of the epoch
        self.first_batch = 0  # the checksum of the epoch's first batch
        self.sums: Values = {}  # over the epoch's rows: of the loss and of all else that is recorded
        self._changed: tuple[int, list[Tensor]] = (-1, [])
        self.is_large = trainer.is_large()
        trainer.keep_room_beside_weights(self.is_large)
        self.start = self.before()
        self.last: CompletedChunk | None = None
        self.failure = ""  # why the run was given up
        self.has_warned_of_validation = False  # of a loss that is not finite
        self.limit = ""  # of steps or of time, that the run has reached
        self.kept_epoch: int | None = None  # None: the last one
        self.last_weights: Snapshot = []  # of the model, after the last epoch
        self.validation_batch = validation_batch  # rows that are predicted at once after each epoch

    @property
    def steps(self) -> int | None:
        """How many steps an epoch has; None for a stream that has not said so yet."""
        return self.source.steps

    @property
    def learning_rate(self) -> float:
        """The rate of the next step, of the optimizer of `compile` or the only one; set it to a number above 0.

        ArgumentError where a model has several optimizers, or one with a schedule is set.
        """
        return float(self._optimizer().lr)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        optimizer = self._optimizer()
        if optimizer._schedule is not None:
            raise ArgumentError("run.learning_rate of an optimizer with a schedule, which gives its rate",
                                expected="an optimizer with a number as its rate", fix="leave the schedule out")
        optimizer.lr = value

    def _optimizer(self) -> Optimizer:
        optimizers = self.trainer.optimizers()
        chosen = optimizers.get("") or (next(iter(optimizers.values())) if len(optimizers) == 1 else None)
        if chosen is None:
            raise ArgumentError(f"run.learning_rate of a model with {len(optimizers)} optimizers",
                                expected="one optimizer", fix="set that of one: run.model.g_optimizer.lr = 0.001")
        return chosen

    @property
    def train(self) -> Arrays:
        """The rows that the verdict judges: all, or of a stream the first ones."""
        return self.source.train

    def changed(self) -> list[Tensor]:
        """All tensors that a step changes, random states of own generators too."""
        traces, tensors = self._changed
        if traces != self.trainer.train_chunk.traces:
            tensors = self.trainer.changes()
            self._changed = self.trainer.train_chunk.traces, tensors
        return tensors

    def before(self) -> Snapshot:
        """The values that training goes back to if the next chunk fails.

        Of a large model there is no copy of what its optimizers remember, which is renewed where it lies, nor of large
        weights, whose values from before the last step lie beside them.
        """
        tensors = self.changed()
        if self.is_large:
            others = [x for _, x in self.trainer.named_optimizer_state() if x.ndim]
            others += [x for x, _ in self.trainer.beside.pairs] if self.trainer.beside else []
            without = set(map(id, others))
            tensors = [x for x in tensors if id(x) not in without]
        return snapshot(tensors)

    def restart_optimizers(self) -> None:
        """After a failure: let optimizers start anew where there was no copy of what they remember."""
        if self.is_large:
            for optimizer in self.trainer.optimizers().values():
                optimizer.start_anew()

    def here(self) -> Position:
        """Where the epoch stands now."""
        return Position(self.step, self.rows, self.epoch_generator, self.first_batch, self.sums)

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = reason
