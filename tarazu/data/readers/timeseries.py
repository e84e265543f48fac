"""Windows of time series."""

from __future__ import annotations

from typing import Any

from tarazu.base.checks import whole_number
from tarazu.base.errors import ShapeError
from tarazu.data.dataset.dataset import Dataset
from tarazu.data.dataset.views import Part


def timeseries(x: Any, length: int, y: Any = None, *, ahead: int = 1, shift: int = 1, stride: int = 1) -> Dataset:
    """Pairs of `length` steps of `x`, (steps, ...), and the target `ahead` steps after the last of them.

    The target is a row of `y`, (steps, ...), or of `x` itself; with `ahead` 0 it belongs to the window's last step.
    Windows start `shift` steps apart, and in a window steps are `stride` apart. They are made when they are read.
    Raises ShapeError where `x` and `y` differ in length, ArgumentError where no window fits.

    >>> import numpy as np
    >>> series = timeseries(np.arange(6.0), 3, ahead=2)
    >>> [(past.tolist(), float(later)) for past, later in series]
    [([0.0, 1.0, 2.0], 4.0), ([1.0, 2.0, 3.0], 5.0)]
    """
    whole_number(f"ahead={ahead!r}", ahead, least=0, fix="pass 1 for the next step")
    steps = Dataset(x)
    if y is None:
        return steps.window(length, shift, stride, target=ahead)
    targets = Dataset(y)
    if len(targets) != len(steps):
        raise ShapeError(f"x has {len(steps)} steps and y has {len(targets)}", expected="as many in both",
                         fix="pass a row of y for each row of x")
    with_own_target = steps.window(length, shift, stride, target=ahead)  # which raises where none fits
    last = (length - 1) * stride
    rows = Part(Dataset(y)._stage, last + ahead, None, shift)
    return steps.window(length, shift, stride).zip(Dataset(rows).take(len(with_own_target)))
