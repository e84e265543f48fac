"""Folds that train as replicas of one program, where scores are then the same to rounding, and it is faster."""

from __future__ import annotations

from typing import Any

from tarazu.base.checks import flag, positive_int
from tarazu.base.errors import TraceError
from tarazu.runtime import random
from tarazu.runtime.trace_lock import replace_data
from tarazu.train.cross_validation.folds import Folds
from tarazu.train.replicas.cost import MOST_BYTES, MOST_OPERATIONS, has_small_steps, is_known_kind, operations_of_update
from tarazu.train.replicas.training import ReplicaTrainer, ready
from tarazu.train.save.differences import alike
from tarazu.train.sources.class_weights import class_weighted
from tarazu.train.trainer.trainer import Trainer

LEAST_STEPS = 500  # of a fold: the program of all takes longer to compile, which as many steps make up for
OPTIONS = {"epochs", "batch_size", "seed", "verbose", "shuffle", "class_weight"}  # of `fit`


def can_train_together(trainers: list[Trainer], folds: Folds, chosen: list[int], options: dict[str, Any]) -> bool:
    """Whether models and options are of a kind for which it is known to give the same, and training long enough."""
    if not set(options) <= OPTIONS or options["verbose"] or not all(map(is_known_kind, trainers)):
        return False
    train = folds.train(chosen[0])
    steps = positive_int("epochs", options["epochs"]) * -(-train.rows // positive_int("batch_size",
                                                                                       options["batch_size"]))
    if len(chosen) < 2 or steps < LEAST_STEPS or len(chosen) * train.nbytes > MOST_BYTES:
        return False
    return operations_of_update(trainers[0]) <= MOST_OPERATIONS and all(
        alike(trainers[0].model, each.model, _compiled_with(trainers[0]), _compiled_with(each))
        for each in trainers[1:])


def train_together(trainers: list[Trainer], folds: Folds, chosen: list[int], options: dict[str, Any]) -> list[bool]:
    """Train the models of some folds as `fit` would train each, and say for which that was done.

    Models for which it was not are to be made anew: all where it would not be faster, and for a step that replicas
    cannot take; those of which a loss or weight is not finite, of which `fit` says more.
    """
    parts = [class_weighted(folds.train(fold), options.get("class_weight")) for fold in chosen]
    batch_size, is_shuffled = min(options["batch_size"], parts[0].rows), flag("shuffle", options.get("shuffle", True))
    states = []  # of the global generator, where the training of each starts
    for trainer, part in zip(trainers, parts, strict=True):
        random.seed(options["seed"])
        trainer.set_maps(None)
        trainer.begin(part, None, batch_size)
        ready(trainer, part, batch_size)
        states.append(random.default.state.raw)
    if not has_small_steps(trainers[0], parts[0], batch_size):
        return [False] * len(chosen)
    left = iter(zip(trainers, states, strict=True))

    def make() -> Trainer:
        trainer, generator = next(left)
        replace_data(random.default.state, generator)
        return trainer

    replicas = ReplicaTrainer(make, [options["seed"]] * len(trainers))
    try:
        is_finite = replicas.train(parts, batch_size, options["epochs"], is_shuffled)
    except TraceError:
        return [False] * len(chosen)
    replicas.hand_out(trainers)
    return is_finite.tolist()


def _compiled_with(trainer: Trainer) -> list[object]:
    return [trainer.given_loss, trainer.given_metrics, trainer.precision, trainer.regularizer,
            [vars(optimizer) for optimizer in trainer.optimizers().values()]]
