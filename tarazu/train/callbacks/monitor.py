"""The base of callbacks that follow one metric from epoch to epoch."""

from __future__ import annotations

import math

from tarazu.base.errors import ArgumentError
from tarazu.record.direction import better_direction
from tarazu.train.callbacks.base import Callback
from tarazu.train.trainer.run import Run


class Monitor(Callback):
    """Follows the metric `monitor`; with `mode` "min" a smaller value is better, with "max" a larger one.

    With "auto" the name of the metric says which: an accuracy rises, a loss or an error falls.
    """

    def __init__(self, monitor: str, mode: str) -> None:
        self.monitor, self.mode = monitor, better_direction(monitor, mode, user=type(self).__name__)
        self._best = math.inf  # the smaller the better

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
            known = [name for name in run.history.history if name != "learning_rate"]
            raise ArgumentError(f"{type(self).__name__} watches {self.monitor!r}, which this run does not record",
                                expected=f"one of {', '.join(known)}",
                                fix="pass validation_split or validation_data to fit, or watch another metric")
        return float(row[self.monitor]) * (1 if self.mode == "min" else -1)
