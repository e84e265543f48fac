"""Learning-rate schedules: functions of the step count, a float tensor that is 0 at the first step; passed as `lr`.

They are partial calls of functions of this file, which a saved model can name.
"""

from __future__ import annotations

import math
from functools import partial

from tarazu.base.errors import ArgumentError
from tarazu.ops.elementwise import clip, cos
from tarazu.optim.optimizer import Schedule
from tarazu.runtime.tensor.tensor import Tensor


def exponential_decay(start: float, factor: float, every: int) -> Schedule:
    """start * factor ** (step / every): times `factor` in each `every` steps, for example an epoch's.

    ArgumentError unless `every` is above 0.

    >>> import tarazu as tz
    >>> schedule = exponential_decay(0.1, 0.5, every=10)
    >>> round(float(schedule(tz.tensor(20.0))), 4)
    0.025
    """
    _require_steps("every", every)
    return partial(_exponential_decay, start, factor, every)


def _exponential_decay(start: float, factor: float, every: int, step: Tensor) -> Tensor:
    return start * factor ** (step / every)


def cosine_decay(start: float, steps: int, end: float = 0.0) -> Schedule:
    """From `start` to `end` along half a cosine over `steps` steps, then level (Loshchilov and Hutter, 2017).

    end + (start - end) * (1 + cos(pi * step / steps)) / 2 up to step `steps`. ArgumentError unless `steps` is above 0.

    >>> import tarazu as tz
    >>> round(float(cosine_decay(0.1, steps=10)(tz.tensor(5.0))), 4)
    0.05
    """
    _require_steps("steps", steps)
    return partial(_cosine_decay, start, end, steps)


def _cosine_decay(start: float, end: float, steps: int, step: Tensor) -> Tensor:
    return end + (start - end) * 0.5 * (1.0 + cos(clip(step / steps, 0.0, 1.0) * math.pi))


def linear_warmup(peak: float, steps: int) -> Schedule:
    """From peak / steps up to `peak` in a straight line over `steps` steps, then level (Goyal and others, 2017).

    peak * (step + 1) / steps up to `peak`. ArgumentError unless `steps` is above 0.

    >>> import tarazu as tz
    >>> round(float(linear_warmup(0.1, steps=10)(tz.tensor(4.0))), 4)
    0.05
    """
    _require_steps("steps", steps)
    return partial(_linear_warmup, peak, steps)


def _linear_warmup(peak: float, steps: int, step: Tensor) -> Tensor:
    return peak * clip((step + 1.0) / steps, 0.0, 1.0)


def _require_steps(name: str, value: float) -> None:
    if not value > 0:
        raise ArgumentError(f"{name}={value!r}", expected="a number of steps above 0",
                            fix=f"pass for example {name}=100")
