"""What `fit` does after each epoch, for replicas: validation scores, a history, the weights of the best epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tarazu.base.pytree import map_leaves
from tarazu.record import History
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import replace_data
from tarazu.train.evaluate import batch_for, predicted, scores_of_predictions
from tarazu.train.replicas.training import ReplicaTrainer, state_of
from tarazu.train.sources.arrays import Arrays
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.trainer import Values

Weights = dict[str, Tensor]  # of a model, by path


@dataclass
class ReplicaFit:
    """What the training of one replica left, as `fit` would: the history, the last weights and those of epochs.

    The history has no verdict; its seconds are the replica's share.
    """

    history: History = field(default_factory=History)
    last: Weights = field(default_factory=dict)
    best: Weights = field(default_factory=dict)
    best_epoch: int = 0
    of_epochs: dict[int, Weights] = field(default_factory=dict)
    best_loss: float = math.inf


def fit_replicas(trainer: ReplicaTrainer, parts: Sequence[Arrays], validation: Arrays, batch_size: int, epochs: int,
                 keep_epochs: Sequence[int] = ()) -> list[ReplicaFit | None]:
    """Train each replica on a part of its own as `fit` would, with the same validation rows; None where one diverges.

    The weights after `keep_epochs` are kept, too. TraceError for a step that replicas cannot take.
    """
    fits = [ReplicaFit() for _ in parts]
    size = batch_for(trainer.trainer, batch_size)
    constant = trainer.rates() if trainer.has_constant_rates else None

    def on_epoch_end(epoch: int, sums: Values, is_finite: np.ndarray, seconds: float) -> None:
        chosen = np.flatnonzero(is_finite).tolist()
        rates, weights = trainer.rates() if constant is None else constant, trainer.evaluated()
        batches, sums = trainer.predictions(Arrays.of(validation.x), size), map_leaves(np.asarray, sums)
        for i in chosen:
            own = map_leaves(lambda x, i=i: x[i], sums)
            values = trainer.trainer.results(own) | _validated(trainer, weights, batches, validation, i)
            fits[i].history.append(seconds=round(seconds / len(fits), 4), **values,
                                   **{name: float(rate[i]) for name, rate in rates.items()})
            _keep(fits[i], epoch, weights, i, epoch in keep_epochs)

    is_finite = trainer.train(parts, batch_size, epochs, True, on_epoch_end)
    weights = trainer.evaluated()
    for i, one in enumerate(fits):
        one.history.stopped, one.last = "epochs", state_of(weights, i)
    return [one if is_good else None for one, is_good in zip(fits, is_finite, strict=True)]


def _validated(trainer: ReplicaTrainer, weights: dict[str, np.ndarray], batches: list[Arrays], validation: Arrays,
               replica: int) -> dict[str, float]:
    assert isinstance(trainer.trainer, OutputTrainer)
    if trainer.trainer.regularizer is not None:  # its penalty is a part of the loss
        for path, x in trainer.trainer.model.named_tensors():
            replace_data(x, np.array(weights[path][replica]))
    own = (batch.map(lambda leaf: np.ascontiguousarray(leaf[:, replica])) for batch in batches)
    values = scores_of_predictions(trainer.trainer, predicted(own, validation))
    return {f"val_{name}": value for name, value in values.items()}


def _keep(one: ReplicaFit, epoch: int, weights: dict[str, np.ndarray], replica: int, always: bool) -> None:
    """Keep the weights of an epoch where they are the best so far, or are kept anyway."""
    loss = float(one.history[-1]["val_loss"])
    is_better = loss < one.best_loss
    if is_better or always:
        own = state_of(weights, replica)
        if always:
            one.of_epochs[epoch] = own
        if is_better:
            one.best, one.best_epoch, one.best_loss = own, epoch, loss
