"""Tensors from nothing: zeros, ones, ranges, the identity."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

from tarazu.base import dtypes
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise import add, equal, less_equal, multiply, where
from tarazu.ops.placing import accepts_device, keeps_device
from tarazu.ops.promote import as_value, cast
from tarazu.ops.shape import broadcast_arrays, broadcast_to, expand_dims, normalize_shape, reshape


@accepts_device
def full(shape: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """A tensor whose elements are all `fill_value`."""
    value = as_value(fill_value, None if dtype is None else as_dtype(dtype))
    return broadcast_to(value, normalize_shape(shape, "full"))


@keeps_device
def full_like(x: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """A tensor of the shape (and, unless told otherwise, the dtype) of `x`, whose elements are all `fill_value`."""
    x = as_value(x)
    return full(x.shape, fill_value, dtype=dtype or x.dtype)


@accepts_device
def empty(shape: Any, *, dtype: Any = None) -> Any:
    """A tensor whose elements are still to be set; they happen to be 0."""
    return full(shape, 0, dtype=dtype or dtypes.DEFAULT_FLOAT)


@keeps_device
def empty_like(x: Any, *, dtype: Any = None) -> Any:
    """A tensor of the shape and dtype of `x` whose elements are still to be set; they happen to be 0."""
    return full_like(x, 0, dtype=dtype)


@keeps_device
def zeros_like(x: Any, *, dtype: Any = None) -> Any:
    """Zeros of the shape and dtype of `x`."""
    return full_like(x, 0, dtype=dtype)


@keeps_device
def ones_like(x: Any, *, dtype: Any = None) -> Any:
    """Ones of the shape and dtype of `x`."""
    return full_like(x, 1, dtype=dtype)


@accepts_device
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


@accepts_device
def linspace(start: float, stop: float, num: int, *, dtype: Any = None, endpoint: bool = True) -> Any:
    """`num` numbers at equal distances from `start` to `stop`, which is the last one unless `endpoint` is False."""
    gaps = max(num - 1 if endpoint else num, 1)
    count = bind(ops.IOTA, size=num, dtype=dtypes.float64)
    points = add(multiply(count, (stop - start) / gaps), start)
    if endpoint and num > 1:
        points = where(equal(count, num - 1), stop, points)  # exactly, whatever the rounding
    return cast(points, as_dtype(dtype or dtypes.DEFAULT_FLOAT))


@accepts_device
def eye(rows: int, columns: int | None = None, *, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the diagonal `k` places above the main one, zeros elsewhere.

    >>> import tarazu as tz
    >>> tz.eye(2)
    Tensor([[1., 0.],
            [0., 1.]], dtype=float32)
    """
    columns = rows if columns is None else columns
    k = max(-rows, min(k, columns))  # further off there is no diagonal
    down = expand_dims(add(arange(rows), k), 1)
    return cast(equal(down, arange(columns)), as_dtype(dtype or dtypes.DEFAULT_FLOAT))


def tril(x: Any, *, k: int = 0) -> Any:
    """`x` with 0 above the diagonal `k` places above the main one, in each of its matrices.

    >>> import tarazu as tz
    >>> tz.tril(tz.ones(2, 2))
    Tensor([[1., 0.],
            [1., 1.]], dtype=float32)
    """
    x = as_value(x)
    return where(_is_below(x, k, "tril"), x, as_value(0, x.dtype))


def triu(x: Any, *, k: int = 0) -> Any:
    """`x` with 0 below the diagonal `k` places above the main one, in each of its matrices."""
    x = as_value(x)
    return where(_is_below(x, k - 1, "triu"), as_value(0, x.dtype), x)


def _is_below(x: Any, k: int, name: str) -> Any:
    """Whether a place of the matrices of `x` is on or below the diagonal `k` places above the main one."""
    if len(x.shape) < 2:
        raise ShapeError(f"{name} of shape {x.shape}", expected="at least two axes", fix="reshape it first")
    rows, columns = x.shape[-2:]
    k = max(-rows - 1, min(k, columns))  # further off all places are on one side
    return less_equal(arange(columns), expand_dims(add(arange(rows), k), 1))


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Any]:
    """The coordinates of a grid, a tensor for each of the vectors: along axis i for vector i.

    With "xy", as for images, the first two axes are exchanged; "ij" leaves them.

    >>> import tarazu as tz
    >>> tz.meshgrid(tz.arange(2), tz.arange(3), indexing="ij")[0]
    Tensor([[0, 0, 0],
            [1, 1, 1]], dtype=int64)
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing={indexing!r}", expected='"xy" or "ij"', fix='pass indexing="ij"')
    vectors = [as_value(x) for x in arrays]
    if any(len(x.shape) != 1 for x in vectors):
        raise ShapeError(f"meshgrid of shapes {', '.join(str(x.shape) for x in vectors)}", expected="vectors",
                         fix="flatten them first")
    order = list(range(len(vectors)))
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    spread = [reshape(x, [-1 if axis == place else 1 for axis in range(len(order))])
              for x, place in zip(vectors, order, strict=True)]
    return broadcast_arrays(*spread)


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
