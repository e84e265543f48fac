"""The table of remedies that a trial knows: the cause that each undoes, and what it changes."""

from __future__ import annotations

from typing import NamedTuple

from tarazu.nn.module.module import Module
from tarazu.study.experiment.changes import (
    Change,
    Rate,
    deeper,
    narrower,
    wider,
    with_decay,
    with_dropout,
    without_regularization,
)
from tarazu.train.trainer.snapshot import keeping_random_state

BIAS, VARIANCE = "the loss on the training rows", "the gap between both losses"


class Remedy(NamedTuple):
    """One thing that is changed: the model or its compilation, or the number of epochs, or which weights are kept.

    `lowers` says what it works on: where that is nearly nothing it cannot help.
    """

    cause: str
    change: Change | Rate | None = None
    lowers: str = ""
    times_epochs: int = 1
    weights: str = "kept"  # "best" for those of the best epoch
    fits: float = 1.0  # about how many fits of the experiment it costs

    def changes(self, model: Module) -> bool:
        """Whether it changes anything of the model; the global generator of random numbers is as before."""
        with keeping_random_state():
            return self.change is None or self.change(model) is not None


CHANGES_OF_SEQUENTIAL = {wider, deeper, narrower, with_dropout}  # no way is known to make them in other models
REMEDIES = {
    "a tenth of the learning rate": Remedy("learning_rate_too_high", Rate(0.1)),
    "no dropout, no decay": Remedy("too_much_regularisation", without_regularization, BIAS),
    "4 x the epochs": Remedy("too_little_training", None, BIAS, times_epochs=4, fits=4.0),
    "4 x the width": Remedy("too_little_capacity", wider, BIAS, fits=2.0),
    "one layer more": Remedy("too_little_capacity", deeper, BIAS),
    "the weights of the best epoch": Remedy("too_much_capacity", None, VARIANCE, weights="best", fits=0.0),
    "a quarter of the width": Remedy("too_much_capacity", narrower, VARIANCE),
    "dropout of 0.3": Remedy("too_much_capacity", with_dropout, VARIANCE),
    "weight decay": Remedy("too_much_capacity", with_decay, VARIANCE),
}
