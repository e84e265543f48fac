"""A callback that lowers the learning rate where a metric no longer gets better."""

from __future__ import annotations

from typing import Any

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.train.callbacks.monitor import Monitor
from tarazu.train.trainer.run import Run


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` after `patience` epochs in which `monitor` was no better by `min_delta`.

    As in Keras and torch: after that `cooldown` epochs do not count, and the rate does not fall below `min_lr`. A
    validated fit watches "val_loss" by default. ArgumentError for numbers out of their range, a run whose optimizer has
    a schedule, and a metric that it does not record.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.5), loss="mse")
    >>> plateau = tz.train.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    >>> history = model.fit([[1.0]], [2.0], epochs=4, callbacks=plateau, seed=0, verbose=0)
    >>> history.history["learning_rate"]
    [0.5, 0.5, 0.25, 0.125]
    """

    def __init__(self, monitor: str = "val_loss", *, factor: float = 0.1, patience: int = 10, min_delta: float = 1e-4,
                 cooldown: int = 0, min_lr: float = 0.0, mode: str = "auto") -> None:
        super().__init__(monitor, mode)
        if not 0 < factor < 1 or min_delta < 0 or min_lr < 0 or cooldown < 0:
            raise ArgumentError(f"ReduceLROnPlateau with factor={factor!r}, min_delta={min_delta!r}, "
                                f"cooldown={cooldown!r}, min_lr={min_lr!r}",
                                expected="a factor between 0 and 1, and the others at least 0",
                                fix="leave them out for 0.1, 1e-4, 0 and 0.0")
        self.factor, self.patience, self.min_delta = factor, positive_int("patience", patience), min_delta
        self.cooldown, self.min_lr = cooldown, min_lr
        self._since = self._cooling = 0

    def on_fit_start(self, run: Run) -> None:
        super().on_fit_start(run)
        self._since = self._cooling = 0

    def on_epoch_end(self, run: Run) -> None:
        is_better = self._is_better(run, self.min_delta)
        if is_better is None:
            return
        if self._cooling:
            self._cooling, self._since = self._cooling - 1, 0
        if is_better:
            self._since = 0
        elif not self._cooling:
            self._since += 1
            if self._since >= self.patience and run.learning_rate > self.min_lr:
                run.learning_rate = max(run.learning_rate * self.factor, self.min_lr)
                self._cooling, self._since = self.cooldown, 0

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best, "since": self._since, "cooling": self._cooling}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        self._best, self._since, self._cooling = content["best"], content["since"], content["cooling"]
