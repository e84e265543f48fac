"""Callbacks: objects that `fit` tells what happens; there are six hooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tarazu.base.errors import ArgumentError
from tarazu.runtime.tensor.tensor import Tensor, asarray

if TYPE_CHECKING:
    from tarazu.train.trainer.run import Run


class Callback:
    """Override what is of interest; `run` holds the model, the history and where training stands.

    >>> import tarazu as tz
    >>> class Largest(tz.train.Callback):
    ...     def on_epoch_end(self, run):
    ...         print(run.epoch, max(float(x.abs().max()) for x in run.model.parameters()))
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, kernel_initializer="zeros")]).compile("sgd", loss="mse")
    >>> history = model.fit([[1.0]], [[0.0]], callbacks=[Largest()], verbose=0)
    1 0.0
    """

    def on_fit_start(self, run: Run) -> None:
        """Before the first epoch."""

    def on_epoch_start(self, run: Run) -> None:
        """Before each epoch; `run.epoch` counts from 1."""

    def on_step_end(self, run: Run) -> None:
        """After each step; `run.step` counts from 1 in each epoch, `run.loss` is the step's loss.

        Steps are run in chunks of about a quarter of a second, one by one where a callback has this hook.
        """

    def on_chunk_end(self, run: Run) -> None:
        """After each chunk of steps; `run.step` is the last one's number."""

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch; its row is `run.history[-1]`. `run.stop(reason)` ends the training here."""

    def on_fit_end(self, run: Run) -> None:
        """After the last epoch, also of an interrupted run."""

    def state_dict(self) -> dict[str, Any]:
        """What `tz.train.Checkpoint` keeps of this callback: numbers, text, tensors and arrays, by name."""
        return {}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, tensors as arrays; called when a fit goes on, after `on_fit_start`."""


def wants_steps(callback: Callback) -> bool:
    """Whether the callback does anything after each step."""
    return getattr(callback.on_step_end, "__func__", None) is not Callback.on_step_end


class _Watcher(Callback):
    """What callbacks share that watch one metric from epoch to epoch."""

    def __init__(self, monitor: str, mode: str) -> None:
        if mode not in ("min", "max"):
            raise ArgumentError(f"{type(self).__name__} with mode={mode!r}", expected='"min" or "max"',
                                fix='use mode="max" for an accuracy')
        self.monitor, self.mode = monitor, mode

    def _value(self, run: Run) -> float:
        """The metric of the last epoch; the smaller the better."""
        row = run.history[-1]
        if self.monitor not in row:
            known = [name for name in run.history.history if name != "learning_rate"]
            raise ArgumentError(f"{type(self).__name__} watches {self.monitor!r}, which this run does not record",
                                expected=f"one of {', '.join(known)}",
                                fix="pass validation_split or validation_data to fit, or watch another metric")
        return float(row[self.monitor]) * (1 if self.mode == "min" else -1)


class KeepBest(_Watcher):
    """Keeps the weights of the epoch with the best `monitor` and restores them at the end; part of validated fits.

    `restore=False` leaves the last weights in the model; `epoch` says which was best.
    """

    def __init__(self, monitor: str = "val_loss", *, mode: str = "min", restore: bool = True) -> None:
        super().__init__(monitor, mode)
        self._restore = restore
        self.on_fit_start(None)

    def on_fit_start(self, run: Run | None) -> None:
        self.epoch: int | None = None
        self._best = math.inf
        self._weights: dict[str, Tensor] = {}

    def on_epoch_end(self, run: Run) -> None:
        value = self._value(run)
        if value < self._best:
            self._best, self.epoch, self._weights = value, run.epoch, run.model.state_dict()

    def on_fit_end(self, run: Run) -> None:
        if self._restore and self.epoch is not None:
            run.model.load_state_dict(self._weights)
            run.kept_epoch = self.epoch

    def state_dict(self) -> dict[str, Any]:
        if self.epoch is None:
            return {}
        return {"best": self._best, "epoch": self.epoch, **{f"weights.{path}": x for path, x in self._weights.items()}}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        if content:
            self._best, self.epoch = content["best"], content["epoch"]
            self._weights = {name.removeprefix("weights."): asarray(value) for name, value in content.items()
                             if name.startswith("weights.")}


class EarlyStopping(_Watcher):
    """Ends training when `monitor` got no better (by more than `min_delta`) for `patience` epochs (Prechelt, 1998).

    Which weights are kept is up to `KeepBest`, which watches "val_loss" unless told otherwise.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.0), loss="mse")
    >>> stop = tz.train.EarlyStopping("loss", patience=2)
    >>> model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=100, callbacks=stop, seed=0, verbose=0).stopped
    'early stopping'
    """

    def __init__(self, monitor: str = "val_loss", *, patience: int = 5, min_delta: float = 0.0,
                 mode: str = "min") -> None:
        super().__init__(monitor, mode)
        if patience < 1 or min_delta < 0:
            raise ArgumentError(f"EarlyStopping with patience={patience!r}, min_delta={min_delta!r}",
                                expected="a patience of at least 1 epoch and a min_delta of at least 0",
                                fix="leave them out for 5 and 0.0")
        self.patience, self.min_delta = patience, min_delta

    def on_fit_start(self, run: Run) -> None:
        self._best, self._since = math.inf, 0

    def on_epoch_end(self, run: Run) -> None:
        value = self._value(run)
        self._since = 0 if value < self._best - self.min_delta else self._since + 1
        self._best = min(self._best, value)
        if self._since >= self.patience:
            run.stop("early stopping")

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best, "since": self._since}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        self._best, self._since = content["best"], content["since"]
