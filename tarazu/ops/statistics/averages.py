"""Weighted means, means together with variances, and ranges."""

from __future__ import annotations

from tarazu.base.errors import ShapeError
from tarazu.ops.elementwise import divide, multiply, subtract
from tarazu.ops.promote import rounded_like, same_float_dtype, single
from tarazu.ops.reduce import max, mean, min, std, sum, var
from tarazu.ops.shape import broadcast_to, normalize_axis, reshape
from tarazu.ops.typing import ArrayLike, Axes, Tensor


def average(x: ArrayLike, axis: Axes = None, weights: ArrayLike | None = None, *, keepdims: bool = False) -> Tensor:
    """The mean over `axis` with the given weights: sum(weights * x) / sum(weights); without weights, `tz.mean`.

    `weights` broadcast to `x`, or are a vector with one for each slice along a single axis. Weights that sum to 0 give
    nan or inf. ShapeError for weights of another shape, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.average(tz.tensor([1.0, 5.0]), weights=[3, 1])
    Tensor(2., dtype=float32)
    """
    if weights is None:
        return mean(x, axis, keepdims=keepdims)
    x, weights = same_float_dtype(x, weights)
    wide = broadcast_to(_along(weights, x, axis), x.shape)
    total = sum(multiply(single(x), single(wide)), axis, keepdims=keepdims)
    return rounded_like(divide(total, sum(single(wide), axis, keepdims=keepdims)), x)


def _along(weights: Tensor, x: Tensor, axis: Axes) -> Tensor:
    """The weights with axes of size 1 beside the one that they are along, if they are a vector."""
    rank = len(x.shape)
    if len(weights.shape) == 1 and isinstance(axis, int) and rank > 1:
        position = normalize_axis(axis, rank, "average")
        if weights.shape[0] != x.shape[position]:
            raise ShapeError(f"average: weights of shape {weights.shape} along axis {axis} of shape {x.shape}",
                             expected=f"{x.shape[position]} weights", fix="give each slice its weight")
        return reshape(weights, (1,) * position + (-1,) + (1,) * (rank - position - 1))
    return weights


def var_mean(x: ArrayLike, axis: Axes = None, *, correction: float = 0,
             keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """The variance and the mean over `axis`, as `tz.var` and `tz.mean` give them; AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.var_mean(tz.tensor([1.0, 3.0]))
    (Tensor(1., dtype=float32), Tensor(2., dtype=float32))
    """
    return var(x, axis, correction=correction, keepdims=keepdims), mean(x, axis, keepdims=keepdims)


def std_mean(x: ArrayLike, axis: Axes = None, *, correction: float = 0,
             keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean over `axis`, as `tz.std` and `tz.mean` give them.

    AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.std_mean(tz.tensor([1.0, 5.0]))
    (Tensor(2., dtype=float32), Tensor(3., dtype=float32))
    """
    return std(x, axis, correction=correction, keepdims=keepdims), mean(x, axis, keepdims=keepdims)


def moments(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """The mean and the variance over `axis`, in this order, as in Keras; AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.moments(tz.tensor([1.0, 3.0]))
    (Tensor(2., dtype=float32), Tensor(1., dtype=float32))
    """
    return mean(x, axis, keepdims=keepdims), var(x, axis, keepdims=keepdims)


def ptp(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The largest element less the smallest one over `axis` (peak to peak).

    ShapeError where there is no element, AxisError for an axis that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.ptp(tz.tensor([[1, 5], [7, 3]]), axis=1)
    Tensor([4, 4], dtype=int64)
    """
    return subtract(max(x, axis, keepdims=keepdims), min(x, axis, keepdims=keepdims))
