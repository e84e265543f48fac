"""Tensors from nothing: zeros, ones, ranges, the identity."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

from tarazu.base import dtypes
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise import add, equal, multiply, where
from tarazu.ops.promote import as_value, cast
from tarazu.ops.shape import broadcast_to, expand_dims, normalise_shape


def full(shape: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """A tensor whose elements are all `fill_value`."""
    value = as_value(fill_value, None if dtype is None else as_dtype(dtype))
    return broadcast_to(value, normalise_shape(shape, "full"))


def full_like(x: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """A tensor of the shape (and, unless told otherwise, the dtype) of `x`, whose elements are all `fill_value`."""
    x = as_value(x)
    return full(x.shape, fill_value, dtype=dtype or x.dtype)


def zeros_like(x: Any, *, dtype: Any = None) -> Any:
    """Zeros of the shape and dtype of `x`."""
    return full_like(x, 0, dtype=dtype)


def ones_like(x: Any, *, dtype: Any = None) -> Any:
    """Ones of the shape and dtype of `x`."""
    return full_like(x, 1, dtype=dtype)


def arange(start: float, stop: float | None = None, step: float = 1, *, dtype: Any = None) -> Any:
    """The numbers from `start` (0 when only one number is given) up to but not with `stop`.

    >>> import tarazu as tz
    >>> tz.arange(2, 8, 3)
    Tensor([2, 5], dtype=int64)
    """
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ArgumentError("arange with step=0", expected="a step that is not 0",
                            fix="use tz.linspace for a number of points")
    whole = all(isinstance(number, Integral) for number in (start, stop, step))
    target = as_dtype(dtype) if dtype is not None else dtypes.DEFAULT_INT if whole else dtypes.DEFAULT_FLOAT
    size = max(math.ceil((stop - start) / step), 0)
    # counted in double precision, or whole numbers beyond 2**24 would not be exact in float32
    count = bind(ops.IOTA, size=size, dtype=dtypes.DEFAULT_INT if whole else dtypes.float64)
    return cast(add(multiply(count, step), start), target)


def linspace(start: float, stop: float, num: int, *, dtype: Any = None, endpoint: bool = True) -> Any:
    """`num` numbers at equal distances from `start` to `stop`, which is the last one unless `endpoint` is False."""
    gaps = max(num - 1 if endpoint else num, 1)
    count = bind(ops.IOTA, size=num, dtype=dtypes.float64)
    points = add(multiply(count, (stop - start) / gaps), start)
    if endpoint and num > 1:
        points = where(equal(count, num - 1), stop, points)  # exactly, whatever the rounding
    return cast(points, as_dtype(dtype or dtypes.DEFAULT_FLOAT))


def eye(rows: int, columns: int | None = None, *, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the diagonal `k` places above the main one, zeros elsewhere.

    >>> import tarazu as tz
    >>> tz.eye(2)
    Tensor([[1., 0.],
            [0., 1.]], dtype=float32)
    """
    down = expand_dims(add(arange(rows), k), 1)
    return cast(equal(down, arange(rows if columns is None else columns)), as_dtype(dtype or dtypes.DEFAULT_FLOAT))


def one_hot(labels: Any, num_classes: int, *, dtype: Any = None) -> Any:
    """A new last axis of `num_classes` with 1 at the place that the label names and 0 elsewhere.

    >>> import tarazu as tz
    >>> tz.one_hot(tz.tensor([0, 2]), 3)
    Tensor([[1., 0., 0.],
            [0., 0., 1.]], dtype=float32)
    """
    labels = as_value(labels)
    classes = cast(arange(num_classes), labels.dtype)
    return cast(equal(expand_dims(labels, -1), classes), as_dtype(dtype or dtypes.DEFAULT_FLOAT))
