"""The fits of a curve, one after another, under a progress bar; Ctrl-C keeps those that are done."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.study.experiment.experiment import Fitted
from tarazu.train.sources.arrays import Arrays

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_all(name: str, jobs: Sequence[Job], run: Callable[[Job], Result]) -> tuple[list[Result], bool]:
    """The results of the jobs in their order, and whether Ctrl-C ended them early; those that are done are kept.

    >>> run_all("squares", [1, 2, 3], lambda number: number**2)
    ([1, 4, 9], False)
    """
    results: list[Result] = []
    with _bar(name, len(jobs)) as show:
        try:
            for job in jobs:
                results.append(run(job))
                show(len(results))
        except KeyboardInterrupt:
            return results, True
    return results, False


def mean_losses(fitted: Fitted, train: Arrays, validation: Arrays, weights: str = "kept") -> tuple[float, float]:
    """The mean losses of both parts with the "kept", "best" or "last" weights; NaN twice where the fit diverged."""
    if not fitted.has_diverged:
        means = tuple(float(np.mean(fitted.losses(part, weights))) for part in (train, validation))
        if all(map(math.isfinite, means)):
            return means[0], means[1]
    return math.nan, math.nan


def require_seeds(seeds: int, name: str = "seeds") -> int:
    """The number of fits of one kind; ArgumentError unless it is a whole number of at least 2."""
    if not isinstance(seeds, int | np.integer) or seeds < 2:
        raise ArgumentError(f"{name}={seeds!r}", expected="at least 2: one fit has no interval",
                            fix="leave it out for the default")
    return int(seeds)


def _bar(name: str, total: int) -> AbstractContextManager[Callable[[float], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

    from tarazu.data.late_bar import late_bar

    return late_bar("fitting", name, total, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
