"""Tensors that carry a mask over time: booleans (batch, time), True where there is a value.

Such tensors exist only inside of calls of modules (masks.py). Operators and methods that work element by element hand
the mask on to their result, as long as that has the same batch and time; a part of the batch or the time, `x[:, 1:]`,
has that part of the mask. Functions such as `tz.relu(x)` hand no mask on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tarazu.ops import elementwise
from tarazu.ops.contract import matmul
from tarazu.ops.elementwise import logical_and
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.operators import Operators
from tarazu.runtime.tensor.tensor import Tensor


class Masked(Tensor):
    """A tensor with a mask; it has the data and the place on the gradient tape of the tensor that it is made of."""

    __slots__ = ("mask",)

    def __init__(self, x: Tensor, mask: Tensor) -> None:
        super().__init__(x.raw, x.tape_entry)
        self.mask = mask

    def detach(self) -> Tensor:
        """The tensor without its gradient, with the mask."""
        return carried(super().detach(), [self])


def without_mask(x: Any) -> Any:
    """A tensor as one that carries no mask; all else as it is."""
    return Tensor(x.raw, x.tape_entry) if isinstance(x, Masked) else x


def mask_of(x: object) -> Tensor | None:
    """The mask that a tensor carries; None where there is none."""
    return x.mask if isinstance(x, Masked) else None


def fits(x: Tensor, mask: Tensor) -> bool:
    """Whether the first two axes of a tensor are the batch and the time of a mask."""
    return tuple(x.shape[:2]) == tuple(mask.shape)


def both(first: Tensor | None, second: Tensor) -> Tensor:
    """The mask that is true where two are, of which the first may be missing."""
    return second if first is None or first is second else logical_and(first, second)


def joined(masks: Iterable[Tensor]) -> Tensor | None:
    """The mask that is true where all masks are; None where there is none."""
    result: Tensor | None = None
    for mask in masks:
        result = both(result, mask)
    return result


def carried(y: Any, operands: Iterable[object]) -> Any:
    """`y` with the masks of the operands that fit it, joined; all else than a tensor as it is."""
    if not isinstance(y, Tensor):
        return y
    mask = joined(x.mask for x in operands if isinstance(x, Masked) and fits(y, x.mask))
    return y if mask is None else Masked(y, mask)


def _of_rank(y: Any, operands: Iterable[object]) -> Any:
    """`carried` from operands with as many axes as `y`, as those of others may be broadcast to other axes."""
    return carried(y, [x for x in operands if isinstance(x, Masked) and len(x.shape) == len(y.shape)])


def _handing_on(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def method(self: Masked, *args: Any, **options: Any) -> Any:
        y = function(self, *args, **options)
        return y if y is self else _of_rank(y, (self, *args, *options.values()))
    return method


def _getitem(self: Masked, key: Any) -> Any:
    """Parts of the features keep the mask; those of batch and time have the same parts of it."""
    y = Tensor.__getitem__(self, key)
    parts = _parts_of_batch_and_time(key if isinstance(key, tuple) else (key,), self.ndim)
    if parts is None:
        return y
    is_whole = parts == (slice(None), slice(None))
    return carried(y, [self if is_whole else Masked(self, self.mask[parts])])


def _parts_of_batch_and_time(key: tuple[Any, ...], rank: int) -> tuple[Any, Any] | None:
    """What an index takes of the first two axes; None unless it leaves them the first two."""
    if any(part is Ellipsis for part in key):
        i = next(i for i, part in enumerate(key) if part is Ellipsis)
        left = rank - sum(part is not None for part in key) + 1
        key = key[:i] + (slice(None),) * left + key[i + 1:]
    first, second, *others = key + (slice(None),) * (2 - len(key))
    if not isinstance(first, slice) or not all(part is None or isinstance(part, int | slice) for part in others):
        return None
    is_list = not others and np.ndim(second) == 1 and second is not None
    return (first, second) if isinstance(second, slice) or is_list else None


def _matmul(self: Masked, other: ArrayLike) -> Tensor:
    return _of_rank(matmul(self, other), [self])


for _name, _value in vars(Operators).items():
    # Functions of `elementwise`, and the operators for `1 + x`, which swap the operands of such a function.
    if _name != "__rmatmul__" and (getattr(_value, "__module__", "").startswith(elementwise.__name__)
                                   or getattr(_value, "__name__", "") == "swapped"):
        setattr(Masked, _name, _handing_on(_value))
for _names, _method in ((("__getitem__",), _getitem), (("__matmul__", "matmul"), _matmul)):
    for _name in _names:
        setattr(Masked, _name, _method)
