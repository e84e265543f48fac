"""Cross-validation: a model is trained on each part of the rows but one, and scored on that one."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.base.messages import plural
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Inputs
from tarazu.train.evaluate import PREDICTED_ROWS, scores
from tarazu.train.loop import fit
from tarazu.train.sources.arrays import Arrays
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.trainer import Trainer

# The 0.975 quantiles of Student's distribution for 1 to 29 degrees of freedom; beyond that the normal one's.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045)


@dataclass(frozen=True)
class CrossValidation:
    """What `cross_validate` found: `rows` has the scores of each fold by name.

    `mean`, `deviation` (of the sample, with folds - 1) and `interval` take the name of a score. Intervals are those of
    Nadeau and Bengio, 2003: folds share training rows, so the variance of the mean is (1 / folds + test / train) times
    that of the scores. Printed, and in notebooks, it is a table.

    >>> found = CrossValidation(({"loss": 0.5}, {"loss": 0.7}), 0.5)
    >>> found.mean("loss"), round(found.deviation("loss"), 4)
    (0.6, 0.1414)
    """

    rows: tuple[dict[str, float], ...]
    test_share: float  # of the rows of a fold

    def values(self, name: str) -> np.ndarray:
        """The scores of the folds, (folds,); ArgumentError for a name that none has.

        >>> CrossValidation(({"loss": 0.5}, {"loss": 0.75}), 0.5).values("loss").tolist()
        [0.5, 0.75]
        """
        if name not in self.rows[0]:
            raise ArgumentError(f"no score {name!r}", expected=f"one of {', '.join(self.rows[0])}", fix="choose one")
        return np.array([row[name] for row in self.rows])

    def mean(self, name: str) -> float:
        """The mean over the folds.

        >>> CrossValidation(({"loss": 0.5}, {"loss": 0.75}), 0.5).mean("loss")
        0.625
        """
        return float(self.values(name).mean())

    def deviation(self, name: str) -> float:
        """The standard deviation over the folds; NaN for one.

        >>> CrossValidation(({"loss": 1.0}, {"loss": 1.0}), 0.5).deviation("loss")
        0.0
        """
        values = self.values(name)
        return float(values.std(ddof=1)) if len(values) > 1 else math.nan

    def interval(self, name: str) -> tuple[float, float]:
        """The 95 % interval of the mean.

        >>> CrossValidation(({"loss": 1.0}, {"loss": 1.0}), 0.5).interval("loss")
        (1.0, 1.0)
        """
        folds, share = len(self.rows), self.test_share
        t = STUDENT[folds - 2] if 2 <= folds <= len(STUDENT) + 1 else 1.960
        half = t * self.deviation(name) * math.sqrt(1 / folds + share / (1 - share))
        return self.mean(name) - half, self.mean(name) + half

    def __str__(self) -> str:
        lines = [f"{plural(len(self.rows), 'fold')}, means with 95 % intervals"]
        for name in self.rows[0]:
            low, high = self.interval(name)
            lines.append(f"{name:20} {self.mean(name):.4g}  ({low:.4g} to {high:.4g})")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def cross_validate(build: Callable[[], Module], x: Inputs, y: Inputs | None = None, *, folds: int = 5, seed: int = 0,
                   epochs: int = 1, batch_size: int = 32, **options: Any) -> CrossValidation:
    """Train a fresh model on the rows outside of each fold, and score it on those in it; classes in proportion.

    `build` gives a compiled model; `x`, `y` and further `options` are those of `fit`. Rows are dealt to folds by
    `seed`, which also seeds each fit. Ctrl-C keeps the folds that are done. ArgumentError for fewer than 2 folds or
    fewer rows than folds, TrainingError where `build` gives no compiled model.

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
    first = _compiled(build)
    rows = first.reading.rows(x, y)
    if rows.rows < folds:
        raise ArgumentError(f"{folds} folds of {plural(rows.rows, 'row')}", expected="a row or more for each",
                            fix="pass fewer folds")
    parts = _deal(first, rows, folds, seed)
    found: list[dict[str, float]] = []
    for fold in range(folds):
        trainer = first if fold == 0 else _compiled(build)
        train, test = (rows.at(np.flatnonzero(chosen)) for chosen in (parts != fold, parts == fold))
        try:
            found.append(_scored(trainer, train, test,
                                 {"epochs": epochs, "batch_size": batch_size, "seed": seed, "verbose": 0, **options}))
        except KeyboardInterrupt:
            if not found:
                raise
            break
    return CrossValidation(tuple(found), 1 / folds)


def _compiled(build: Callable[[], Module]) -> Trainer:
    model = build()
    if not isinstance(model, Module):
        raise TrainingError(f"build() gave a {type(model).__name__}", expected="a compiled model",
                            fix="let it return model.compile(...)")
    return trainer_of(model)


def _deal(trainer: Trainer, rows: Arrays, folds: int, seed: int) -> np.ndarray:
    """The fold of each row, (rows,): as many rows, and as many of each class, in each but for one."""
    order = np.random.default_rng(seed).permutation(rows.rows)
    labels = None if trainer.reading.takes_any else trainer.labels_of(rows)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    parts = np.empty(rows.rows, int)
    parts[order] = np.arange(rows.rows) % folds
    return parts


def _scored(trainer: Trainer, train: Arrays, test: Arrays, options: dict[str, Any]) -> dict[str, float]:
    x, y = (train.tree, None) if trainer.reading.takes_any else (train.x, train.y)
    if fit(trainer.model, x, y, **options).stopped == "interrupted":
        raise KeyboardInterrupt
    return scores(trainer, [test], PREDICTED_ROWS)
