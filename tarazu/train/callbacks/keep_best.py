"""The callback that keeps the weights of the best epoch."""

from __future__ import annotations

from typing import Any

from tarazu.base.state_dicts import part_of
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.callbacks.monitor import Monitor
from tarazu.train.trainer.run import Run


class KeepBest(Monitor):
    """Keeps the weights of the epoch with the best `monitor` and restores them at the end; part of validated fits.

    `mode` is "min" or "max", or "auto": an accuracy rises, a loss or an error falls. `restore=False` leaves the last
    weights in the model; `epoch` says which was best. ArgumentError for another `mode` and a metric whose name does not
    tell its direction, and after the first epoch for one that the run does not record.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> best = tz.train.KeepBest("loss", restore=False)
    >>> history = model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=3, seed=0, callbacks=best, verbose=0)
    >>> best.epoch
    3
    """

    def __init__(self, monitor: str = "val_loss", *, mode: str = "auto", restore: bool = True) -> None:
        super().__init__(monitor, mode)
        self._restore = restore
        self.on_fit_start(None)

    def on_fit_start(self, run: Run | None) -> None:
        self.epoch: int | None = None
        if run is not None:
            super().on_fit_start(run)
        self._weights: dict[str, Tensor] = {}

    def on_epoch_end(self, run: Run) -> None:
        if self._is_better(run):
            self.epoch, self._weights = run.epoch, run.model.state_dict()

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
            self._weights = {path: asarray(value) for path, value in part_of(content, "weights.").items()}
