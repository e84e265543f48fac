"""The models of the folds: each is built with the same state of the global generator, and has all for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tarazu.base.errors import TrainingError
from tarazu.nn.module.module import Module
from tarazu.runtime import random
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.trainer import Trainer

Build = Callable[[], Module]


def built(build: Build, folds: int, seed: int) -> list[Trainer]:
    """The trainers of `folds` models; TrainingError where one is not compiled, or has a part that another has."""
    trainers = [_compiled(build, seed) for _ in range(folds)]
    _require_apart(trainers)
    return trainers


def _compiled(build: Build, seed: int) -> Trainer:
    random.seed(seed)
    model = build()
    if not isinstance(model, Module):
        raise TrainingError(f"build() gave a {type(model).__name__}", expected="a compiled model",
                            fix="let it return model.compile(...)")
    return trainer_of(model)


def _require_apart(trainers: list[Trainer]) -> None:
    """A fold must not start from what an earlier one has learned."""
    first = {id(part): name for name, part in _parts(trainers[0])}
    for trainer in trainers[1:]:
        for name, part in _parts(trainer):
            if id(part) in first:
                raise TrainingError(f"build() gave {name} each time", expected="all of it made anew for each fold",
                                    fix="make model, layers and optimizer inside build; of a layer that is trained "
                                        "already, copy.deepcopy(layer)")


def _parts(trainer: Trainer) -> Iterator[tuple[str, object]]:
    """What training changes, from the model down, with names for messages."""
    model = trainer.model
    for path, module in model.named_modules():
        kind = type(module).__name__
        yield f"the same layer {path!r}, a {kind}," if path else f"the same {kind}", module
    for path, x in model.named_tensors():
        yield f"the same tensor {path!r}", x
    for optimizer in trainer.optimizers().values():
        yield f"the same optimizer {optimizer!r}", optimizer
