"""The callback that ends training once it makes no more progress."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.train.callbacks.monitor import Monitor
from tarazu.train.trainer.run import Run


class EarlyStopping(Monitor):
    """Ends training when `monitor` got no better for `patience` epochs (Prechelt, 1998).

    An epoch is better when it improves on the last that was by more than `min_delta`; slow progress adds up. `mode` is
    "min" or "max", or "auto": an accuracy rises, a loss or an error falls. Which weights are kept is up to `KeepBest`,
    which watches "val_loss" by default. ArgumentError for a patience below 1, a negative `min_delta` and an unknown
    `mode`, in `fit` for a metric whose name does not tell its direction, and after the first epoch for one that is not
    recorded.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.0), loss="mse")
    >>> stop = tz.train.EarlyStopping("loss", patience=2)
    >>> model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=100, callbacks=stop, seed=0, verbose=0).stopped
    'early stopping'
    """

    def __init__(self, monitor: str = "val_loss", *, patience: int = 5, min_delta: float = 0.0,
                 mode: str = "auto") -> None:
        super().__init__(monitor, mode)
        if patience < 1 or min_delta < 0:
            raise ArgumentError(f"EarlyStopping with patience={patience!r}, min_delta={min_delta!r}",
                                expected="a patience of at least 1 epoch and a min_delta of at least 0",
                                fix="leave them out for 5 and 0.0")
        self.patience, self.min_delta = patience, min_delta

    def on_fit_start(self, run: Run) -> None:
        super().on_fit_start(run)
        self._since = 0

    def on_epoch_end(self, run: Run) -> None:
        is_better = self._is_better(run, self.min_delta)
        if is_better is None:
            return
        self._since = 0 if is_better else self._since + 1
        if self._since >= self.patience:
            run.stop("early stopping")

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best, "since": self._since}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        self._best, self._since = content["best"], content["since"]
