"""Which of several fits are made together, as replicas of one program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tarazu.runtime.compile import runs_native
from tarazu.study.experiment.changes import Change, Rate
from tarazu.train.replicas.cost import MOST_BYTES, MOST_TOGETHER
from tarazu.train.sources.arrays import Arrays

# A program of replicas takes about 0.4 seconds longer to compile than that of a single model, and each epoch of a
# replica 1.4 milliseconds less: so many epochs, of all fits, make up for it.
LEAST_EPOCHS = 300


class Fit(NamedTuple):
    """One of several fits of an experiment: its seed, and what is other than in the experiment.

    `rows` are numbers of training rows, of which there are all without; `keep_epochs` are as for `Experiment.fit`.
    """

    seed: int
    change: Change | Rate | None = None
    rows: np.ndarray | None = None
    epochs: int | None = None
    keep_epochs: tuple[int, ...] = ()


def groups_of(fits: Sequence[Fit], train: Arrays, epochs: int) -> list[list[int]]:
    """The numbers of the fits in groups that may train together: of one change, equally many rows and epochs.

    Groups of one kind are of one size, so that they share a program: the last is filled up with its first fit. Where
    fits of a kind have too few epochs in all, each is a group. `train` and `epochs` are those of the experiment.
    """
    kinds: dict[tuple, list[int]] = {}
    for i, fit in enumerate(fits):
        rows = train.rows if fit.rows is None else len(fit.rows)
        kinds.setdefault((fit.change, rows, fit.epochs or epochs, fit.keep_epochs), []).append(i)
    groups: list[list[int]] = []
    for (_, rows, own_epochs, _), same in kinds.items():
        is_worth_it = runs_native() and len(same) * own_epochs >= LEAST_EPOCHS
        most = min(MOST_TOGETHER, MOST_BYTES * train.rows // (rows * max(1, train.nbytes)))
        groups += _split(same, most if is_worth_it and most > 1 else 1)
    return groups


def _split(numbers: list[int], most: int) -> list[list[int]]:
    size = -(-len(numbers) // -(-len(numbers) // most))
    groups = [numbers[i:i + size] for i in range(0, len(numbers), size)]
    return [group + group[:1] * (size - len(group)) for group in groups]
