"""The callback that saves the model of the best epoch."""

from __future__ import annotations

import os
from typing import Any

from tarazu.train.callbacks.monitor import Monitor
from tarazu.train.save.saving import save
from tarazu.train.trainer.run import Run


class BestModel(Monitor):
    """Saves the model to the folder `path` after each epoch that is better than all before; `tz.load(path)` makes it.

    `monitor` and `mode` are those of `KeepBest`; `optimizer=False` leaves the state of the optimizer out. A crash
    leaves the model that was saved last, whole. ArgumentError for a metric that the run does not record, and what
    `model.save` raises.

    >>> import tempfile
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     best = tz.train.BestModel(f"{folder}/best.tz", "loss")
    ...     history = model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=3, seed=0, callbacks=best, verbose=0)
    ...     best.epoch, tz.load(f"{folder}/best.tz").count_parameters()
    (3, 2)
    """

    def __init__(self, path: str | os.PathLike, monitor: str = "val_loss", *, mode: str = "auto",
                 optimizer: bool = True) -> None:
        super().__init__(monitor, mode)
        self.path, self._optimizer = path, optimizer
        self.epoch: int | None = None

    def on_fit_start(self, run: Run) -> None:
        super().on_fit_start(run)
        self.epoch = None

    def on_epoch_end(self, run: Run) -> None:
        if self._is_better(run):
            self.epoch = run.epoch
            save(run.model, self.path, optimizer=self._optimizer)

    def state_dict(self) -> dict[str, Any]:
        return {} if self.epoch is None else {"best": self._best, "epoch": self.epoch}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        if content:
            self._best, self.epoch = content["best"], content["epoch"]
