"""Learning-rate schedules: functions of the step count, a float tensor that is 0 at the first step; passed as `lr`.

They are partial calls of functions of this folder, which a saved model can name. Here are those that fall; cycles.py
has those that rise too, joined.py those that are made of others, epochs.py `in_epochs`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from tarazu.base.errors import ArgumentError
from tarazu.ops.elementwise import clip, cos, floor, maximum, where
from tarazu.optim.schedules.epochs import Schedule
from tarazu.runtime.tensor.tensor import Tensor


def exponential_decay(start: float, factor: float, every: float) -> Schedule:
    """start * factor ** (step / every): times `factor` in each `every` steps, for example an epoch's.

    ArgumentError unless `every` is above 0.

    >>> import tarazu as tz
    >>> schedule = tz.optim.exponential_decay(0.1, 0.5, every=10)
    >>> round(float(schedule(tz.tensor(20.0))), 4)
    0.025
    """
    require_steps("every", every)
    return partial(_exponential_decay, start, factor, every)


def _exponential_decay(start: float, factor: float, every: float, step: Tensor) -> Tensor:
    return start * factor ** (step / every)


def step_decay(start: float, factor: float, every: float) -> Schedule:
    """start * factor ** floor(step / every): level, and times `factor` after each `every` steps.

    torch's StepLR, Keras's ExponentialDecay(staircase=True). ArgumentError unless `every` is above 0.

    >>> import tarazu as tz
    >>> schedule = tz.optim.step_decay(0.5, 0.5, every=10)
    >>> [float(schedule(tz.tensor(step))) for step in (0.0, 9.0, 10.0, 20.0)]
    [0.5, 0.5, 0.25, 0.125]
    """
    require_steps("every", every)
    return partial(_step_decay, start, factor, every)


def _step_decay(start: float, factor: float, every: float, step: Tensor) -> Tensor:
    return start * factor ** floor(step / every)


def inverse_time_decay(start: float, factor: float, every: float) -> Schedule:
    """start / (1 + factor * step / every), as Keras's InverseTimeDecay. ArgumentError unless `every` is above 0.

    >>> import tarazu as tz
    >>> float(tz.optim.inverse_time_decay(0.5, 1.0, every=10)(tz.tensor(10.0)))
    0.25
    """
    require_steps("every", every)
    return partial(_inverse_time_decay, start, factor, every)


def _inverse_time_decay(start: float, factor: float, every: float, step: Tensor) -> Tensor:
    return start / (1.0 + factor * step / every)


def piecewise_constant(boundaries: Sequence[float], values: Sequence[float]) -> Schedule:
    """values[0] in the steps before boundaries[0], values[1] from there up to boundaries[1], and so on.

    As torch's MultiStepLR; Keras's PiecewiseConstantDecay changes one step later. ArgumentError unless the boundaries
    rise, and there is one value more than there are boundaries.

    >>> import tarazu as tz
    >>> schedule = tz.optim.piecewise_constant([10, 20], [0.5, 0.25, 0.125])
    >>> [float(schedule(tz.tensor(step))) for step in (0.0, 9.0, 10.0, 20.0)]
    [0.5, 0.5, 0.25, 0.125]
    """
    if len(values) != len(boundaries) + 1:
        raise ArgumentError(f"piecewise_constant with {len(boundaries)} boundaries and {len(values)} values",
                            expected="one value more than boundaries", fix="add the value after the last boundary")
    if any(b <= a for a, b in zip([0, *boundaries], boundaries, strict=False)):
        raise ArgumentError(f"boundaries={list(boundaries)}", expected="numbers of steps that rise, from above 0",
                            fix="sort them")
    return partial(_piecewise_constant, tuple(boundaries), tuple(values))


def _piecewise_constant(boundaries: tuple[float, ...], values: tuple[float, ...], step: Tensor) -> Tensor:
    rate = step * 0.0 + values[0]
    for boundary, value in zip(boundaries, values[1:], strict=True):
        rate = where(step >= boundary, value, rate)
    return rate


def polynomial_decay(start: float, steps: float, end: float = 0.0, *, power: float = 1.0,
                     cycle: bool = False) -> Schedule:
    """end + (start - end) * (1 - step / steps) ** power over `steps` steps, then level.

    Keras's PolynomialDecay and torch's PolynomialLR. With `cycle`, the next decay from `start` is twice as long in all,
    then three times: `steps` is multiplied by ceil(step / steps). ArgumentError unless `steps` and `power` are above 0.

    >>> import tarazu as tz
    >>> float(tz.optim.polynomial_decay(0.5, steps=10, power=2.0)(tz.tensor(5.0)))
    0.125
    """
    require_steps("steps", steps)
    if not power > 0:
        raise ArgumentError(f"power={power!r}", expected="a number above 0", fix="pass for example power=2.0")
    return partial(_polynomial_decay, start, end, steps, power, cycle)


def _polynomial_decay(start: float, end: float, steps: float, power: float, cycle: bool, step: Tensor) -> Tensor:
    whole = steps * maximum(-floor(-step / steps), 1.0) if cycle else steps
    return end + (start - end) * (1.0 - clip(step / whole, 0.0, 1.0)) ** power


def linear_decay(start: float, steps: float, end: float = 0.0) -> Schedule:
    """From `start` to `end` in a straight line over `steps` steps, then level; torch's LinearLR.

    ArgumentError unless `steps` is above 0.

    >>> import tarazu as tz
    >>> float(tz.optim.linear_decay(0.5, steps=10)(tz.tensor(5.0)))
    0.25
    """
    return polynomial_decay(start, steps, end)


def cosine_decay(start: float, steps: float, end: float = 0.0) -> Schedule:
    """From `start` to `end` along half a cosine over `steps` steps, then level (Loshchilov and Hutter, 2017).

    end + (start - end) * (1 + cos(pi * step / steps)) / 2 up to step `steps`. ArgumentError unless `steps` is above 0.

    >>> import tarazu as tz
    >>> round(float(tz.optim.cosine_decay(0.1, steps=10)(tz.tensor(5.0))), 4)
    0.05
    """
    require_steps("steps", steps)
    return partial(_cosine_decay, start, end, steps)


def _cosine_decay(start: float, end: float, steps: float, step: Tensor) -> Tensor:
    return cosine(start, end, step / steps)


def cosine(start: Tensor | float, end: float, part: Tensor) -> Tensor:
    """From `start` to `end` along half a cosine, while `part` goes from 0 to 1."""
    return end + (start - end) * 0.5 * (1.0 + cos(clip(part, 0.0, 1.0) * math.pi))


def require_steps(name: str, value: float) -> None:
    """ArgumentError unless the argument `name` is above 0."""
    if not value > 0:
        raise ArgumentError(f"{name}={value!r}", expected="a number of steps above 0",
                            fix=f"pass for example {name}=100")
