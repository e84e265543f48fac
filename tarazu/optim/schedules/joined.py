"""Learning-rate schedules that are made of other schedules, or of rates that stay."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tarazu.base.errors import ArgumentError
from tarazu.ops.elementwise import clip, maximum, where
from tarazu.optim.schedules.decay import require_steps
from tarazu.optim.schedules.epochs import Schedule
from tarazu.runtime.tensor.tensor import Tensor


def linear_warmup(then: float | Schedule, steps: float) -> Schedule:
    """Up to the rate or schedule `then` in a straight line over `steps` steps (Goyal and others, 2017).

    In step t < steps the rate is (t + 1) / steps of the first rate of `then`; after them `then` begins, counting from
    0. ArgumentError unless `steps` is above 0.

    >>> import tarazu as tz
    >>> schedule = tz.optim.linear_warmup(tz.optim.cosine_decay(0.1, steps=100), steps=10)
    >>> [round(float(schedule(tz.tensor(step))), 4) for step in (0.0, 4.0, 9.0, 60.0, 110.0)]
    [0.01, 0.05, 0.1, 0.05, 0.0]
    """
    require_steps("steps", steps)
    return partial(_linear_warmup, then, steps)


def _linear_warmup(then: float | Schedule, steps: float, step: Tensor) -> Tensor:
    return _rate(then, maximum(step - steps, 0.0)) * clip((step + 1.0) / steps, 0.0, 1.0)


def join(parts: Sequence[tuple[float | Schedule, float | None]]) -> Schedule:
    """Schedules (or rates) one after the other, each for its number of steps and counting its own steps from 0.

    The last goes on after its steps, whose number may be None. torch's SequentialLR. ArgumentError without parts, and
    unless the numbers of steps are above 0.

    >>> import tarazu as tz
    >>> schedule = tz.optim.join([(0.5, 10), (tz.optim.linear_decay(0.25, steps=10), None)])
    >>> [float(schedule(tz.tensor(step))) for step in (0.0, 9.0, 10.0, 15.0, 20.0)]
    [0.5, 0.5, 0.25, 0.125, 0.0]
    """
    pairs = [part for part in parts if isinstance(part, tuple | list) and len(part) == 2]
    if not pairs or len(pairs) < len(parts):
        raise ArgumentError(f"join of {parts!r}", expected="a list of pairs (schedule, steps)",
                            fix="for example tz.optim.join([(0.01, 100), (tz.optim.cosine_decay(0.1, 900), None)])")
    starts = [0.0]
    for _, steps in pairs[:-1]:
        require_steps("steps", 0 if steps is None else steps)
        starts.append(starts[-1] + (steps or 0))
    return partial(_join, tuple(then for then, _ in pairs), tuple(starts))


def _join(schedules: tuple[float | Schedule, ...], starts: tuple[float, ...], step: Tensor) -> Tensor:
    rate = _rate(schedules[0], step)
    for schedule, start in zip(schedules[1:], starts[1:], strict=True):
        rate = where(step >= start, _rate(schedule, maximum(step - start, 0.0)), rate)
    return rate


def _rate(schedule: float | Schedule, step: Tensor) -> Tensor:
    """What the schedule, or the rate that stays, is in a step."""
    return schedule(step) if callable(schedule) else step * 0.0 + schedule
