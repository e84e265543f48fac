"""Which of several fits are made together, as replicas of one program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tarazu.runtime.compile import runs_native
from tarazu.study.experiment.changes import Change, Rate
from tarazu.train.replicas.cost import MOST_BYTES, MOST_TOGETHER
from tarazu.train.sources.arrays import Arrays

# A program of replicas takes about a second longer to compile than one of a single model, and each epoch of a replica
# takes a millisecond or two less: so many epochs, of all fits, make up for it.
LEAST_EPOCHS = 1000


class Fit(NamedTuple):
    """A fit of an experiment: its seed, and what is other than in the experiment, as for `Experiment.fit`."""

    seed: int
    change: Change | Rate | None = None
    train: Arrays | None = None
    epochs: int | None = None
    keep_epochs: tuple[int, ...] = ()


def groups_of(fits: Sequence[Fit], train: Arrays, epochs: int) -> list[list[int]]:
    """The numbers of the fits in groups that may train together: of one change, equally many rows and epochs.

    Groups of one kind are of one size, so that they share a program: the last is filled up with its first fit, again and
    again. Where fits of a kind have too few epochs in all, each is a group. `train` and `epochs` are those of fits without their own.
    """
    kinds: dict[tuple, list[int]] = {}
    for i, fit in enumerate(fits):
        rows = (fit.train or train).rows
        kinds.setdefault((fit.change, rows, fit.epochs or epochs, fit.keep_epochs), []).append(i)
    return [group for same in kinds.values() for group in _split(same, _most(fits[same[0]], len(same), train, epochs))]


def _most(fit: Fit, count: int, train: Arrays, epochs: int) -> int:
    """How many of so many fits of one kind may train together."""
    if not runs_native() or count < 2 or count * (fit.epochs or epochs) < LEAST_EPOCHS:
        return 1
    return max(1, min(MOST_TOGETHER, MOST_BYTES // max(1, (fit.train or train).nbytes)))


def _split(numbers: list[int], most: int) -> list[list[int]]:
    size = -(-len(numbers) // -(-len(numbers) // most))
    groups = [numbers[i:i + size] for i in range(0, len(numbers), size)]
    return [group + group[:1] * (size - len(group)) for group in groups]
