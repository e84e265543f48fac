"""`cross_validate`: trains a model without the rows of each fold, and scores it on those."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.nn.module.trainable import Inputs
from tarazu.train.callbacks.base import Callback
from tarazu.train.cross_validation.callbacks import FoldCallbacks, callbacks_of_folds
from tarazu.train.cross_validation.folds import Folds, deal
from tarazu.train.cross_validation.models import Build, built
from tarazu.train.cross_validation.ranges import ranges_of
from tarazu.train.cross_validation.result import CrossValidation
from tarazu.train.cross_validation.together import can_train_together, train_together
from tarazu.train.evaluate import PREDICTED_ROWS, scores
from tarazu.train.loop import fit
from tarazu.train.replicas.cost import MOST_TOGETHER
from tarazu.train.trainer.divergence import warn
from tarazu.train.trainer.snapshot import keeping_random_state
from tarazu.train.trainer.trainer import Trainer


def cross_validate(build: Build, x: Inputs, y: Inputs | None = None, *, folds: int = 5, seed: int = 0, epochs: int = 1,
                   batch_size: int = 32, sample_weight: Inputs | None = None, callbacks: FoldCallbacks = (),
                   **options: Any) -> CrossValidation:
    """Train a fresh model on the rows outside of each fold, and score it on those in it; classes in proportion.

    `build` makes and compiles a model: all parts of it anew in each call. `x`, `y`, `sample_weight` and further
    `options` are those of `fit`; scores are those of `evaluate`, which weighs the loss with `sample_weight`, and
    neither metrics nor by class.

    Rows are dealt to folds by `seed`, with which the global generator also starts each `build` and each fit; after all
    it is where it was before. So fold i gets the scores that it would get alone, whatever was drawn before.

    `callbacks` are for all folds, one after the other, or a function that gives those of a fold, from 0 on: those that
    write need a path for each, `callbacks=lambda fold: tz.train.Checkpoint(f"run-{fold}.ckpt")`. With that the same
    call goes on where an interrupted one ended. Ctrl-C keeps the folds that are done.

    A score may be undefined in a fold, such as AUC where all rows are of one class: a warning says where, and the mean
    is that of the other folds.

    Folds train one after another, but those of equally many rows train as replicas of one program where that is faster:
    small models (about a million operations for a batch) that `compile(loss=...)` trains on the CPU for 500 steps or
    more, without callbacks or options other than `shuffle` and `class_weight`. Batches, dropout and batch statistics
    are then those of each fold all the same, and scores differ by rounding at most; all are done at once.

    ArgumentError for fewer than 2 folds, fewer rows than folds, batches in place of rows, and one path for several
    folds; TrainingError where `build` gives no compiled model, or twice the same layer or optimizer; and what `fit`
    raises.

    >>> import tarazu as tz
    >>> def build():
    ...     return tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.1), loss="mse")
    >>> x = [[i / 20] for i in range(-20, 20)]
    >>> found = tz.cross_validate(build, x, [2 * a for [a] in x], folds=4, epochs=200)
    >>> len(found.rows), found.mean("loss") < 0.01
    (4, True)
    """
    if positive_int("folds", folds) < 2:
        raise ArgumentError(f"folds={folds}", expected="2 or more", fix="leave it out for 5")
    of_folds = callbacks_of_folds(callbacks, folds)
    options = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "verbose": 0, **options}
    found: list[dict[str, float]] = []
    with keeping_random_state():
        trainers = built(build, folds, seed)
        notes, ranges = list[str](), ranges_of(trainers[0])
        dealt = deal(trainers[0], x, y, sample_weight, folds, seed, notes=notes)
        warn(notes)
        try:
            found.extend(_scores(build, trainers, dealt, of_folds, options))
        except KeyboardInterrupt:
            if not found:
                raise
    result = CrossValidation(tuple(found), 1 / folds, ranges)
    warn([f"the score {name!r} is undefined {result.undefined_text(name)}; its mean is that of the other folds"
          for name in result.names if result.undefined(name)])
    return result


def _scores(build: Build, trainers: list[Trainer], folds: Folds, callbacks: list[list[Callback]],
            options: dict[str, Any]) -> Iterator[dict[str, float]]:
    """The scores of the folds in their order; models are let go when they have them."""
    for chosen in folds.of_equal_size(MOST_TOGETHER):
        models = [trainers.pop(0) for _ in chosen]
        can = not any(callbacks[fold] for fold in chosen) and can_train_together(models, folds, chosen, options)
        is_trained = train_together(models, folds, chosen, options) if can else [False] * len(chosen)
        if any(is_trained):
            warn(models[0].notes)
        if can and not all(is_trained):
            again = built(build, len(chosen), options["seed"])
            models = [made if is_done else new for made, new, is_done in zip(models, again, is_trained, strict=True)]
        for fold, is_done in zip(chosen, is_trained, strict=True):
            trainer = models.pop(0)
            if not is_done:
                _fit(trainer, {**folds.given(fold), "callbacks": callbacks[fold], **options})
            yield scores(trainer, [folds.test(fold)], PREDICTED_ROWS, is_checked=False)


def _fit(trainer: Trainer, options: dict[str, Any]) -> None:
    if fit(trainer.model, **options).stopped == "interrupted":
        raise KeyboardInterrupt
