"""The masks of attention: of padded steps, of pairs of steps, and of what a cache has room for but does not hold."""

from __future__ import annotations

import math

from tarazu.base import dtypes
from tarazu.base.errors import DTypeError, ShapeError
from tarazu.ops.create import arange
from tarazu.ops.elementwise import less, less_equal, logical_and, where
from tarazu.ops.networks.attention import checked_mask
from tarazu.ops.promote import as_value
from tarazu.ops.shape import expand_dims, reshape
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


def padding_mask(mask: ArrayLike, batch: int, time: int) -> Tensor:
    """A mask (batch, time), True where there is a value, as one over scores (batch, 1, 1, time).

    ShapeError for another shape, DTypeError unless it is boolean.
    """
    mask = as_value(mask)
    if mask.dtype is not dtypes.bool_:
        raise DTypeError(f"a mask of {mask.dtype}", expected="booleans, True where there is a value",
                         fix="compare: mask = tokens != 0")
    if len(mask.shape) != 2 or mask.shape[0] not in (1, batch) or mask.shape[1] != time:
        raise ShapeError(f"a mask of shape {tuple(mask.shape)}",
                         expected=f"shape (batch, time) of the keys: ({batch}, {time})",
                         fix="what says which step attends to which is attention_mask=")
    return reshape(mask, (mask.shape[0], 1, 1, time))


def attention_mask(mask: ArrayLike) -> Tensor:
    """A mask over scores, with an axis for the heads where it has one for the batch. DTypeError for integers."""
    mask = checked_mask(mask)
    return expand_dims(mask, 1) if len(mask.shape) == 3 else mask


def cache_mask(before: Tensor, new: int, length: int, *, causal: bool) -> Tensor:
    """Which of the `length` steps of a cache each of `new` steps attends to, of which `before` stand before them."""
    keys = arange(length)
    if not causal:
        return less(keys, before + new)
    return less_equal(keys, expand_dims(before + arange(new), 1))


def joined(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """What both masks let through; a mask of numbers stays one."""
    if first is None or second is None:
        return second if first is None else first
    if first.dtype is dtypes.bool_ and second.dtype is dtypes.bool_:
        return logical_and(first, second)
    if first.dtype is dtypes.bool_:
        return where(first, second, -math.inf)
    return where(second, first, -math.inf) if second.dtype is dtypes.bool_ else first + second
