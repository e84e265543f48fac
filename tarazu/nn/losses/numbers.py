"""Losses of numbers: functions of the difference of prediction and target."""

from __future__ import annotations

from tarazu.base.errors import ArgumentError
from tarazu.nn.losses.checks import aligned
from tarazu.nn.losses.reduction import reduced
from tarazu.ops import elementwise as e
from tarazu.ops.promote import rounded_like, single
from tarazu.ops.typing import ArrayLike, Tensor


def mse(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean") -> Tensor:
    """The mean squared difference; of complex numbers the mean of |difference|^2.

    Shapes, reductions and errors (ShapeError, ArgumentError) are those of `binary_cross_entropy`.

    >>> import tarazu as tz
    >>> tz.nn.mse(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(2., dtype=float32)
    """
    prediction, target = aligned("mse", prediction, target)
    return rounded_like(reduced(e.abs_square(single(prediction - target)), reduction), prediction)


def mae(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean") -> Tensor:
    """The mean absolute difference.

    Shapes, reductions and errors (ShapeError, ArgumentError) are those of `binary_cross_entropy`.

    >>> import tarazu as tz
    >>> tz.nn.mae(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(1., dtype=float32)
    """
    prediction, target = aligned("mae", prediction, target)
    return reduced(e.abs(prediction - target), reduction)


def huber(prediction: ArrayLike, target: ArrayLike, *, delta: float = 1.0, reduction: str = "mean") -> Tensor:
    """Half the squared difference up to `delta`, beyond it linear, so that outliers count less (Huber, 1964).

    d ** 2 / 2 for a distance d up to `delta`, which is in the unit of the target, else delta * (d - delta / 2). Shapes,
    reductions and errors are those of `binary_cross_entropy`; ArgumentError also for a delta that is not above 0.

    >>> import tarazu as tz
    >>> tz.nn.huber(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(0.75, dtype=float32)
    """
    if not delta > 0:
        raise ArgumentError(f"huber: delta={delta!r}", expected="a number above 0, in the unit of the target",
                            fix="leave it out for 1.0")
    prediction, target = aligned("huber", prediction, target)
    distance = e.abs(prediction - target)
    return reduced(e.where(distance <= delta, 0.5 * e.square(distance), delta * (distance - 0.5 * delta)), reduction)
