"""The largest and the smallest element so far, and running sums of exponentials."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.ops.control_flow.associative import associative_scan
from tarazu.ops.create import arange
from tarazu.ops.elementwise import greater_equal, isnan, less_equal, logaddexp, logical_or, where
from tarazu.ops.promote import as_float, as_value
from tarazu.ops.shape import broadcast_to, is_axis_of_scalar, normalize_axis, reshape
from tarazu.ops.typing import ArrayLike, Tensor

Pair = tuple[Tensor, Tensor]  # values and their indices


def cummax(x: ArrayLike, axis: int = -1) -> tuple[Tensor, Tensor]:
    """The largest of all elements up to each one along an axis, and its index, the last of equal ones, as in torch.

    From a nan on all are nan. AxisError for an axis that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.cummax(tz.tensor([1, 3, 2, 5]))
    (Tensor([1, 3, 3, 5], dtype=int64), Tensor([0, 1, 1, 3], dtype=int64))
    """
    return _extremes("cummax", x, axis, greater_equal)


def cummin(x: ArrayLike, axis: int = -1) -> tuple[Tensor, Tensor]:
    """The smallest of all elements up to each one along an axis, and its index, the last of equal ones, as in torch.

    From a nan on all are nan. AxisError for an axis that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.cummin(tz.tensor([3, 1, 2, 0]))
    (Tensor([3, 1, 1, 0], dtype=int64), Tensor([0, 1, 1, 3], dtype=int64))
    """
    return _extremes("cummin", x, axis, less_equal)


def _extremes(name: str, x: ArrayLike, axis: int, is_at_least: Callable[[Tensor, Tensor], Tensor]) -> Pair:
    x = as_value(x)
    if is_axis_of_scalar(axis, len(x.shape)):
        values, indices = _extremes(name, reshape(x, (1,)), 0, is_at_least)
        return reshape(values, ()), reshape(indices, ())
    axis = normalize_axis(axis, len(x.shape), name)
    beside = len(x.shape) - axis - 1
    indices = broadcast_to(reshape(arange(x.shape[axis]), (-1,) + (1,) * beside), x.shape)

    def further(before: Pair, after: Pair) -> Pair:
        is_new = is_at_least(after[0], before[0])
        if x.dtype.is_float:
            is_new = logical_or(is_new, isnan(after[0]))
        return where(is_new, after[0], before[0]), where(is_new, after[1], before[1])

    return associative_scan(further, (x, indices), axis=axis)


def logcumsumexp(x: ArrayLike, axis: int = -1) -> Tensor:
    """log(cumulative_sum(exp(x))) along an axis without overflow; integers become float32 first.

    AxisError for an axis that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> [round(number, 2) for number in tz.logcumsumexp(tz.tensor([1000.0, 1000.0])).tolist()]
    [1000.0, 1000.69]
    """
    x = as_float(x)
    if is_axis_of_scalar(axis, len(x.shape)):
        return x
    return associative_scan(logaddexp, x, axis=normalize_axis(axis, len(x.shape), "logcumsumexp"))
