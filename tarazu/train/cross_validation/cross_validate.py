"""`cross_validate`: deals rows to folds, trains a model without each, and scores it on that fold."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.base.messages import plural
from tarazu.data import Dataset
from tarazu.nn.module.trainable import Inputs
from tarazu.train.cross_validation.callbacks import FoldCallbacks, callbacks_of_folds
from tarazu.train.cross_validation.models import Build, built
from tarazu.train.cross_validation.result import CrossValidation
from tarazu.train.evaluate import PREDICTED_ROWS, scores
from tarazu.train.loop import fit
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.reading import Reading
from tarazu.train.sources.stream import is_stream
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
        rows = _rows(trainers[0].reading, x, y, sample_weight, folds)
        parts = _deal(trainers[0], rows, folds, seed, has_targets=y is not None)
        for fold in range(folds):
            trainer = trainers.pop(0)
            train, test = (rows.at(np.flatnonzero(chosen)) for chosen in (parts != fold, parts == fold))
            given = (train.tree, None, None) if y is None else (train.x, train.y, train.weight)
            try:
                found.append(_scored(trainer, given, test, {"callbacks": of_folds[fold], **options}))
            except KeyboardInterrupt:
                if not found:
                    raise
                break
    return CrossValidation(tuple(found), 1 / folds)


def _rows(reading: Reading, x: Inputs, y: Inputs | None, sample_weight: Inputs | None, folds: int) -> Arrays:
    if isinstance(x, Dataset) or is_stream(x, y):
        raise ArgumentError(f"cross_validate of a {type(x).__name__}, which gives batches", expected="rows in memory",
                            fix="pass the arrays: cross_validate(build, x, y)")
    rows = reading.rows(x, y, sample_weight)
    if rows.rows < folds:
        raise ArgumentError(f"{folds} folds of {plural(rows.rows, 'row')}", expected="a row or more for each",
                            fix="pass fewer folds")
    return rows


def _deal(trainer: Trainer, rows: Arrays, folds: int, seed: int, *, has_targets: bool) -> np.ndarray:
    """The fold of each row, (rows,): as many rows, and as many of each class, in each but for one."""
    order = np.random.default_rng(seed).permutation(rows.rows)
    labels = trainer.labels_of(rows) if has_targets else None
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    parts = np.empty(rows.rows, int)
    parts[order] = np.arange(rows.rows) % folds
    return parts


def _scored(trainer: Trainer, given: tuple[Any, Any, Any], test: Arrays, options: dict[str, Any]) -> dict[str, float]:
    x, y, weight = given
    if fit(trainer.model, x, y, sample_weight=weight, **options).stopped == "interrupted":
        raise KeyboardInterrupt
    return scores(trainer, [test], PREDICTED_ROWS, is_checked=False)
