"""The fits of a curve, one after another, under a progress bar; Ctrl-C keeps those that are done."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TypeVar

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.study.experiment.experiment import Fitted
from tarazu.train.sources.arrays import Arrays

Result = TypeVar("Result")


def gathered(name: str, total: int, made: Iterable[Result]) -> tuple[list[Result], bool]:
    """The `total` results that are made, and whether Ctrl-C ended that early; those that are done are kept.

    >>> gathered("squares", 3, (number**2 for number in (1, 2, 3)))
    ([1, 4, 9], False)
    """
    results: list[Result] = []
    with _bar(name, total) as show:
        try:
            for result in made:
                results.append(result)
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
