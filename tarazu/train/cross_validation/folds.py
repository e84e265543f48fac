"""The rows of the folds: dealt by a seed, those of a class in proportion."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import plural
from tarazu.data import Dataset
from tarazu.nn.module.trainable import Inputs
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.stream import is_stream
from tarazu.train.trainer.trainer import Trainer


class Folds:
    """The rows of a cross-validation: fold i is scored on those of number i, after training on all others."""

    def __init__(self, rows: Arrays, numbers: np.ndarray, has_targets: bool) -> None:
        self.rows, self._numbers, self._has_targets = rows, numbers, has_targets

    def train(self, fold: int) -> Arrays:
        """The rows that a fold trains on."""
        return self.rows.at(np.flatnonzero(self._numbers != fold))

    def test(self, fold: int) -> Arrays:
        """The rows that it is scored on."""
        return self.rows.at(np.flatnonzero(self._numbers == fold))

    def given(self, fold: int) -> dict[str, Any]:
        """The rows that it trains on, as arguments of `fit`."""
        train = self.train(fold)
        if not self._has_targets:
            return {"x": train.tree}
        return {"x": train.x, "y": train.y, "sample_weight": train.weight}

    def of_equal_size(self, most: int) -> list[list[int]]:
        """The folds in their order, in groups that train on equally many rows, of at most `most`."""
        sizes = np.bincount(self._numbers)
        groups = [np.flatnonzero(sizes == size) for size in dict.fromkeys(sizes.tolist())]
        return [group[i:i + most].tolist() for group in groups for i in range(0, len(group), most)]


def deal(trainer: Trainer, x: Inputs, y: Inputs | None, sample_weight: Inputs | None, folds: int, seed: int, *,
         notes: list[str]) -> Folds:
    """The rows in folds, as many rows, and as many of each class, in each but for one.

    ArgumentError for batches, and fewer rows than folds; what `fit` raises for unfit rows.
    """
    if isinstance(x, Dataset) or is_stream(x, y):
        raise ArgumentError(f"cross_validate of a {type(x).__name__}, which gives batches", expected="rows in memory",
                            fix="pass the arrays: cross_validate(build, x, y)")
    rows = trainer.reading.rows(x, y, sample_weight, notes=notes)
    if rows.rows < folds:
        raise ArgumentError(f"{folds} folds of {plural(rows.rows, 'row')}", expected="a row or more for each",
                            fix="pass fewer folds")
    order = np.random.default_rng(seed).permutation(rows.rows)
    labels = trainer.labels_of(rows) if y is not None else None
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    numbers = np.empty(rows.rows, int)
    numbers[order] = np.arange(rows.rows) % folds
    return Folds(rows, numbers, y is not None)
