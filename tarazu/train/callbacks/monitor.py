"""The base of callbacks that follow one metric from epoch to epoch."""

from __future__ import annotations

import math

from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import did_you_mean
from tarazu.record.direction import better_direction, direction_by_name
from tarazu.train.callbacks.base import Callback
from tarazu.train.trainer.run import Run


class Monitor(Callback):
    """Follows the metric `monitor`; with `mode` "min" a smaller value is better, with "max" a larger one.

    With "auto" the name of the metric says which: an accuracy rises, a loss or an error falls.
    """

    def __init__(self, monitor: str, mode: str) -> None:
        self.monitor = monitor
        if mode == "auto":  # a name that does not tell is refused once a run has it: it may be misspelled
            self.mode = direction_by_name(monitor) or "auto"
        else:
            self.mode = better_direction(monitor, mode, user=type(self).__name__)
        self._best = math.inf  # the smaller the better

    def on_fit_start(self, run: Run) -> None:
        self._best = math.inf
        if self.mode == "auto" and self.monitor.removeprefix("val_") in run.trainer.metrics:
            self._choose_mode()

    def _choose_mode(self) -> None:
        self.mode = better_direction(self.monitor, self.mode, user=type(self).__name__)

    def _is_better(self, run: Run, min_delta: float = 0.0) -> bool | None:
        """Whether the last epoch is better than the best so far by more than `min_delta`; it is the best then.

        None for an epoch that was not validated.
        """
        value = self._value(run)
        if value is None:
            return None
        is_better = value < self._best - min_delta
        if is_better:
            self._best = value
        return is_better

    def _value(self, run: Run) -> float | None:
        """The metric of the last epoch, the smaller the better; None for one that was not validated."""
        row = run.history[-1]
        if self.monitor not in row and self.monitor.startswith("val_") and run.validation is not None \
                and "val_loss" not in row:
            return None
        if self.monitor not in row:
            raise self._unknown(run)
        if self.mode == "auto":
            self._choose_mode()
        return float(row[self.monitor]) * (1 if self.mode == "min" else -1)

    def _unknown(self, run: Run) -> ArgumentError:
        known = [name for name in run.history.history if name != "learning_rate"]
        hint = did_you_mean(self.monitor, known)
        lacks_validation = self.monitor.startswith("val_") and run.validation is None
        is_near = hint.endswith("?") and not lacks_validation
        return ArgumentError(f"{type(self).__name__} watches {self.monitor!r}, which this run does not record",
                             expected=f"one of {', '.join(known)}", fix=hint if is_near else
                             "pass validation_split or validation_data to fit, or watch another metric")
