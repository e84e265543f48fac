"""Schedules in epochs: how many steps the epoch of the optimizer has whose schedule is being asked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import TypeAlias

import numpy as np

from tarazu.base.errors import TrainingError
from tarazu.ir.node import Node
from tarazu.runtime.tensor.tensor import Tensor

Schedule: TypeAlias = Callable[[Tensor], Tensor]  # from the step count, a float tensor, to the learning rate

_steps: ContextVar[Tensor | None] = ContextVar("steps of an epoch", default=None)


@contextlib.contextmanager
def epochs_of(steps: Tensor) -> Iterator[None]:
    """A block in which schedules in epochs take `steps`, a float scalar, as the steps of an epoch; 0 is unknown."""
    token = _steps.set(steps)
    try:
        yield
    finally:
        _steps.reset(token)


def in_epochs(schedule: Schedule) -> Schedule:
    """`schedule` with epochs in place of steps, parts of them too: 2.5 is the middle of the third epoch.

    `fit` says how many steps an epoch has; in an own loop set `optimizer.steps_per_epoch`. TrainingError when the rate
    is asked for before that, and for a stream that does not say how many batches it has.

    >>> import tarazu as tz
    >>> optimizer = tz.optim.SGD(lr=tz.optim.in_epochs(tz.optim.step_decay(0.1, 0.1, every=30)))
    >>> optimizer.steps_per_epoch = 100
    >>> optimizer.lr
    Tensor(0.1, dtype=float32)
    """
    return partial(_in_epochs, schedule)


def _in_epochs(schedule: Schedule, step: Tensor) -> Tensor:
    steps = _steps.get()
    if steps is None or (not isinstance(steps.raw, Node) and not np.asarray(steps.raw).any()):
        raise TrainingError("a schedule in epochs, and the steps of an epoch are not known",
                            expected="the number of steps (updates) in an epoch",
                            fix="with a stream pass steps_per_epoch= to fit; in an own loop set it: "
                                "optimizer.steps_per_epoch = len(batches)")
    return schedule(step / steps)
