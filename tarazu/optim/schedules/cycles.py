"""Learning-rate schedules that rise and fall: warm restarts, one cycle, and cycles without end."""

from __future__ import annotations

import math
from functools import partial

from tarazu.base.errors import ArgumentError
from tarazu.ops.elementwise import abs, clip, floor, log, where
from tarazu.optim.schedules.decay import cosine, require_steps
from tarazu.optim.schedules.epochs import Schedule
from tarazu.runtime.tensor.tensor import Tensor


def cosine_decay_restarts(start: float, steps: float, end: float = 0.0, *, longer: float = 2.0,
                          lower: float = 1.0) -> Schedule:
    """`cosine_decay` again and again: warm restarts, SGDR (Loshchilov and Hutter, 2017).

    The first decay takes `steps` steps, each next one `longer` times as many, from a rate above `end` that is `lower`
    times the one before. Keras's CosineDecayRestarts (t_mul, m_mul) with its defaults, and torch's
    CosineAnnealingWarmRestarts with longer=1. ArgumentError unless `steps` is above 0 and `longer` at least 1.

    >>> import tarazu as tz
    >>> schedule = tz.optim.cosine_decay_restarts(0.1, steps=10)
    >>> [round(float(schedule(tz.tensor(step))), 4) for step in (0.0, 5.0, 10.0, 20.0, 30.0)]
    [0.1, 0.05, 0.1, 0.05, 0.1]
    """
    require_steps("steps", steps)
    if not longer >= 1:
        raise ArgumentError(f"longer={longer!r}", expected="a number of at least 1", fix="pass for example longer=2.0")
    return partial(_cosine_decay_restarts, start, end, steps, longer, lower)


def _cosine_decay_restarts(start: float, end: float, steps: float, longer: float, lower: float,
                           step: Tensor) -> Tensor:
    done = step / steps  # in first decays
    if longer == 1:
        restarts = floor(done)
        part = done - restarts
    else:
        # Decay i begins after (longer ** i - 1) / (longer - 1) first ones. The logarithm of just that may round down.
        restarts = floor(log(1.0 + done * (longer - 1.0)) / math.log(longer) + 1e-5)
        part = (done - (longer**restarts - 1.0) / (longer - 1.0)) / longer**restarts
    return cosine(end + (start - end) * lower**restarts, end, part)


def one_cycle(peak: float, steps: float, *, warmup: float = 0.3, start: float | None = None, end: float | None = None,
              linear: bool = False) -> Schedule:
    """Up from `start` to `peak` in the share `warmup` of `steps` steps, and down to `end` in the others.

    Smith and Topin, 2018, "Super-convergence". Along half cosines, or with `linear` in straight lines; the peak is at
    step warmup * steps - 1, the end at steps - 1, and the defaults are start = peak / 25 and end = start / 10000: as
    torch's OneCycleLR. ArgumentError unless warmup * steps is above 1 and `warmup` below 1.

    >>> import tarazu as tz
    >>> schedule = tz.optim.one_cycle(1.0, steps=100)
    >>> [round(float(schedule(tz.tensor(step))), 3) for step in (0.0, 29.0, 64.0, 99.0)]
    [0.04, 1.0, 0.5, 0.0]
    """
    require_steps("steps", steps)
    if not 0 < warmup < 1 or warmup * steps <= 1:
        raise ArgumentError(f"one_cycle with warmup={warmup!r} of steps={steps!r}",
                            expected="a share below 1 that is more than one step", fix="pass warmup=0.3 and more steps")
    low = peak / 25 if start is None else start
    return partial(_one_cycle, low, peak, low / 1e4 if end is None else end, warmup * steps - 1, steps - 1, linear)


def _one_cycle(start: float, peak: float, end: float, top: float, last: float, linear: bool, step: Tensor) -> Tensor:
    between = _line if linear else cosine
    return where(step <= top, between(start, peak, step / top), between(peak, end, (step - top) / (last - top)))


def _line(start: float, end: float, part: Tensor) -> Tensor:
    return start + (end - start) * clip(part, 0.0, 1.0)


def cyclic(low: float, high: float, up: float, down: float | None = None, *, shrink: float = 1.0,
           decay: float = 1.0) -> Schedule:
    """From `low` to `high` in `up` steps and back in `down` (`up` unless given), again and again (Smith, 2017).

    The height above `low` is multiplied by `shrink` after each cycle and by `decay` after each step. torch's CyclicLR:
    "triangular2" is shrink=0.5, "exp_range" decay=gamma. ArgumentError unless `up` and `down` are above 0.

    >>> import tarazu as tz
    >>> schedule = tz.optim.cyclic(0.0, 1.0, up=10, shrink=0.5)
    >>> [float(schedule(tz.tensor(step))) for step in (0.0, 5.0, 10.0, 20.0, 30.0)]
    [0.0, 0.5, 1.0, 0.0, 0.5]
    """
    down = up if down is None else down
    require_steps("up", up)
    require_steps("down", down)
    return partial(_cyclic, low, high, up, down, shrink, decay)


def _cyclic(low: float, high: float, up: float, down: float, shrink: float, decay: float, step: Tensor) -> Tensor:
    cycles = floor(step / (up + down))
    inside = step - cycles * (up + down)
    height = where(inside <= up, inside / up, (up + down - inside) / down)
    return low + (high - low) * abs(height) * shrink**cycles * decay**step
