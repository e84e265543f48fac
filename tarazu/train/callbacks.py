"""Callbacks: objects that `fit` tells what happens; there are five hooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tarazu.base.errors import ArgumentError
from tarazu.nn.module import Module

if TYPE_CHECKING:
    from tarazu.train.loop import Run

Weights = list[tuple[Any, Any]]


def snapshot(model: Module) -> Weights:
    """The weights as they are now. Arrays never change, so nothing is copied."""
    return [(x, x.raw) for _, x in model.named_tensors()]


def restore(weights: Weights) -> None:
    """Put the weights of a snapshot back."""
    for x, raw in weights:
        x.raw = raw


class Callback:
    """Override what is of interest; `run` holds the model, the history and where training stands."""

    def on_fit_start(self, run: Run) -> None:
        """Before the first epoch."""

    def on_epoch_start(self, run: Run) -> None:
        """Before each epoch; `run.epoch` counts from 1."""

    def on_step_end(self, run: Run) -> None:
        """After each step; `run.step` counts from 1 in each epoch, `run.loss` is the step's loss."""

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch; its row is `run.history[-1]`. `run.stop(reason)` ends the training here."""

    def on_fit_end(self, run: Run) -> None:
        """After the last epoch, also of an interrupted run."""


class KeepBest(Callback):
    """Keeps the weights of the epoch with the best `monitor` and restores them at the end; part of every fit with validation.

    `restore=False` leaves the last weights in the model.
    """

    def __init__(self, monitor: str = "val_loss", *, mode: str = "min", restore: bool = True) -> None:
        self.monitor, self.mode, self._restore = monitor, mode, restore
        self.epoch: int | None = None
        self._weights: Weights | None = None

    def on_fit_start(self, run: Run) -> None:
        self.epoch = self._weights = None

    def on_epoch_end(self, run: Run) -> None:
        if self.monitor in run.history[-1] and run.history.best_epoch(self.monitor, self.mode) == run.epoch:
            self.epoch, self._weights = run.epoch, snapshot(run.model)

    def on_fit_end(self, run: Run) -> None:
        if self._restore and self._weights is not None:
            restore(self._weights)
            run.kept_epoch = self.epoch


class EarlyStopping(Callback):
    """Ends training when `monitor` has not got better by more than `min_delta` for `patience` epochs (Prechelt, 1998)."""

    def __init__(self, monitor: str = "val_loss", *, patience: int = 5, min_delta: float = 0.0, mode: str = "min") -> None:
        if mode not in ("min", "max") or patience < 1:
            raise ArgumentError(f"EarlyStopping with mode={mode!r}, patience={patience}",
                                expected='mode "min" or "max", and a patience of at least 1', fix='use mode="max" for an accuracy')
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self._sign = 1 if mode == "min" else -1

    def on_fit_start(self, run: Run) -> None:
        self._best, self._since = math.inf, 0

    def on_epoch_end(self, run: Run) -> None:
        row = run.history[-1]
        if self.monitor not in row:
            raise ArgumentError(f"EarlyStopping watches {self.monitor!r}, which this run does not record",
                                expected=f"one of {', '.join(run.history.history)}",
                                fix="pass validation_split or validation_data to fit, or watch another metric")
        value = self._sign * row[self.monitor]
        self._since = 0 if value < self._best - self.min_delta else self._since + 1
        self._best = min(self._best, value)
        if self._since >= self.patience:
            run.stop("early stopping")
