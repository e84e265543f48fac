"""Tensors from nothing, or from the shape of another: zeros, ones, ranges, grids, the identity, triangles.

`device=` says where the result is put; DeviceError for a device that is not there. DTypeError for what is no dtype.
"""

from __future__ import annotations

import math
from numbers import Integral

from tarazu.base import dtypes
from tarazu.base.checks import flag, whole_number
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise import add, equal, exp, less_equal, multiply, pow, where
from tarazu.ops.placement import to_device, to_device_of
from tarazu.ops.promote import as_number, as_value, cast
from tarazu.ops.shape import broadcast_arrays, broadcast_to, expand_dims, normalize_shape, reshape
from tarazu.ops.typing import ArrayLike, DeviceLike, DTypeLike, ShapeLike, Tensor

_SIZE_FIX = "pass an int such as 3"

LARGEST_SIZE = 2**48  # elements of a range: more than any memory holds


def full(shape: ShapeLike, fill_value: ArrayLike, *, dtype: DTypeLike | None = None,
         device: DeviceLike | None = None) -> Tensor:
    """A tensor of the given shape whose elements are all `fill_value`, in its dtype unless another one is given.

    ArgumentError for a shape that is not of integers, ShapeError for sizes below 0 or a value that does not broadcast.

    >>> import tarazu as tz
    >>> tz.full((2, 2), 7)
    Tensor([[7, 7],
            [7, 7]], dtype=int64)
    """
    value = as_value(fill_value, None if dtype is None else as_dtype(dtype))
    return to_device(broadcast_to(value, normalize_shape(shape, "full")), device)


def full_like(x: ArrayLike, fill_value: ArrayLike, *, dtype: DTypeLike | None = None,
              device: DeviceLike | None = None) -> Tensor:
    """A tensor of the shape, dtype and device of `x`, unless others are given, whose elements are all `fill_value`.

    >>> import tarazu as tz
    >>> tz.full_like(tz.tensor([1.0, 2.0]), 7)
    Tensor([7., 7.], dtype=float32)
    """
    x = as_value(x)
    return to_device_of(full(x.shape, fill_value, dtype=dtype or x.dtype), x, device)


def empty(shape: ShapeLike, *, dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> Tensor:
    """A tensor of the given shape, float32 by default, whose elements are to be set later (0 until then).

    >>> import tarazu as tz
    >>> tz.empty((2, 3)).shape
    (2, 3)
    """
    return full(shape, 0, dtype=dtype or dtypes.DEFAULT_FLOAT, device=device)


def empty_like(x: ArrayLike, *, dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> Tensor:
    """A tensor of the shape, dtype and device of `x` whose elements are to be set later (0 until then).

    >>> import tarazu as tz
    >>> tz.empty_like(tz.tensor([[1, 2]])).shape
    (1, 2)
    """
    return full_like(x, 0, dtype=dtype, device=device)


def zeros_like(x: ArrayLike, *, dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> Tensor:
    """Zeros of the shape of `x`, with its dtype and on its device unless others are given.

    >>> import tarazu as tz
    >>> tz.zeros_like(tz.tensor([[1, 2], [3, 4]]))
    Tensor([[0, 0],
            [0, 0]], dtype=int64)
    """
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: ArrayLike, *, dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> Tensor:
    """Ones of the shape of `x`, with its dtype and on its device unless others are given.

    >>> import tarazu as tz
    >>> tz.ones_like(tz.tensor([3, 4]), dtype=tz.float32)
    Tensor([1., 1.], dtype=float32)
    """
    return full_like(x, 1, dtype=dtype, device=device)


def arange(start: float, stop: float | None = None, step: float = 1, *, dtype: DTypeLike | None = None,
           device: DeviceLike | None = None) -> Tensor:
    """The vector of numbers from `start` (0 when only one number is given) up to but not with `stop`, `step` apart.

    Integers give int64, floats float32. ArgumentError for a step of 0 and for bounds that are not finite real numbers.

    >>> import tarazu as tz
    >>> tz.arange(2, 8, 3)
    Tensor([2, 5], dtype=int64)
    """
    if stop is None:
        start, stop = 0, start
    _require_finite("arange", start, stop, step)
    if step == 0:
        raise ArgumentError("arange with step=0", expected="a step that is not 0",
                            fix="use tz.linspace for a number of points")
    is_whole = all(isinstance(number, Integral) for number in (start, stop, step))
    target = as_dtype(dtype) if dtype is not None else dtypes.DEFAULT_INT if is_whole else dtypes.DEFAULT_FLOAT
    size = max(math.ceil((stop - start) / step), 0)
    if size > LARGEST_SIZE:
        raise ArgumentError(f"arange of {size:.3g} numbers", expected="as many as there is memory for",
                            fix="pass a larger step")
    # counted in double precision, or whole numbers beyond 2**24 would not be exact in float32
    count = bind(ops.IOTA, size=size, dtype=dtypes.DEFAULT_INT if is_whole else dtypes.float64)
    return to_device(cast(add(multiply(count, step), start), target), device)


def _require_finite(name: str, *numbers: float) -> None:
    """ArgumentError unless all of these are finite real numbers."""
    try:
        are_finite = all(map(math.isfinite, numbers))
    except TypeError:
        are_finite = False
    if not are_finite:
        raise ArgumentError(f"{name}({', '.join(map(repr, numbers))})", expected="finite real numbers",
                            fix="leave out or replace what is infinite, nan, complex or no number")


def linspace(start: float, stop: float, num: int, *, dtype: DTypeLike | None = None, endpoint: bool = True,
             device: DeviceLike | None = None) -> Tensor:
    """The vector of `num` numbers at equal distances from `start` to `stop`, float32 by default.

    `stop` is the last one, exactly, unless `endpoint` is False. ArgumentError for a `num` below 0 or no whole number.

    >>> import tarazu as tz
    >>> tz.linspace(0, 1, 5)
    Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    num = whole_number(f"linspace: num={num!r}", num, least=0, fix=_SIZE_FIX)
    endpoint = flag("endpoint", endpoint)
    gaps = max(num - 1 if endpoint else num, 1)
    count = bind(ops.IOTA, size=num, dtype=dtypes.float64)
    points = add(multiply(count, (stop - start) / gaps), start)
    if endpoint and num > 1:
        points = where(equal(count, num - 1), stop, points)  # exactly, whatever the rounding
    return to_device(cast(points, as_dtype(dtype or dtypes.DEFAULT_FLOAT)), device)


def logspace(start: float, stop: float, num: int = 50, base: float = 10.0, *, dtype: DTypeLike | None = None,
             endpoint: bool = True, device: DeviceLike | None = None) -> Tensor:
    """`base` to the power of `num` numbers at equal distances from `start` to `stop`, float32 by default.

    ArgumentError for a `num` below 0 or no whole number.

    >>> import tarazu as tz
    >>> tz.logspace(0, 2, 3)
    Tensor([  1.,  10., 100.], dtype=float32)
    """
    powers = pow(base, linspace(start, stop, num, dtype=dtypes.float64, endpoint=endpoint))
    return to_device(cast(powers, as_dtype(dtype or dtypes.DEFAULT_FLOAT)), device)


def geomspace(start: float, stop: float, num: int = 50, *, dtype: DTypeLike | None = None, endpoint: bool = True,
              device: DeviceLike | None = None) -> Tensor:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before, float32 by default.

    `stop` is the last one, exactly, unless `endpoint` is False. ArgumentError for bounds of two signs or 0, and for a
    `num` below 0 or no whole number.

    >>> import tarazu as tz
    >>> tz.geomspace(1, 1000, 4)
    Tensor([   1.,   10.,  100., 1000.], dtype=float32)
    """
    _require_finite("geomspace", start, stop)
    if start * stop <= 0:
        raise ArgumentError(f"geomspace from {start} to {stop}", expected="two numbers above 0, or two below",
                            fix="use tz.linspace, or leave 0 out")
    powers = exp(linspace(0.0, math.log(stop / start), num, dtype=dtypes.float64, endpoint=endpoint))
    points = multiply(powers, start)
    if endpoint and num > 1:
        points = where(equal(bind(ops.IOTA, size=num, dtype=dtypes.float64), num - 1), stop, points)
    return to_device(cast(points, as_dtype(dtype or dtypes.DEFAULT_FLOAT)), device)


def eye(rows: int, columns: int | None = None, *, k: int = 0, dtype: DTypeLike | None = None,
        device: DeviceLike | None = None) -> Tensor:
    """A matrix with ones on the diagonal `k` positions above the main one, zeros elsewhere; square without `columns`.

    ArgumentError for sizes below 0 or no whole numbers.

    >>> import tarazu as tz
    >>> tz.eye(2)
    Tensor([[1., 0.],
            [0., 1.]], dtype=float32)
    """
    rows = whole_number(f"eye: rows={rows!r}", rows, least=0, fix=_SIZE_FIX)
    columns = rows if columns is None else whole_number(f"eye: columns={columns!r}", columns, least=0, fix=_SIZE_FIX)
    k = max(-rows, min(k, columns))  # further off there is no diagonal
    down = expand_dims(add(arange(rows), k), 1)
    return to_device(cast(equal(down, arange(columns)), as_dtype(dtype or dtypes.DEFAULT_FLOAT)), device)


def tril(x: ArrayLike, *, k: int = 0) -> Tensor:
    """`x` (..., rows, columns) with 0 above the diagonal `k` positions above the main one of each matrix.

    ShapeError for a tensor of fewer than two axes.

    >>> import tarazu as tz
    >>> tz.tril(tz.ones(2, 2))
    Tensor([[1., 0.],
            [1., 1.]], dtype=float32)
    """
    x = as_value(x)
    return where(_is_below(x, k, "tril"), x, as_value(0, x.dtype))


def triu(x: ArrayLike, *, k: int = 0) -> Tensor:
    """`x` (..., rows, columns) with 0 below the diagonal `k` positions above the main one of each matrix.

    ShapeError for a tensor of fewer than two axes.

    >>> import tarazu as tz
    >>> tz.triu(tz.ones(2, 2), k=1)
    Tensor([[0., 1.],
            [0., 0.]], dtype=float32)
    """
    x = as_value(x)
    return where(_is_below(x, k - 1, "triu"), as_value(0, x.dtype), x)


def _is_below(x: Tensor, k: int, name: str) -> Tensor:
    """Whether a position in the matrices of `x` is on or below the diagonal `k` positions above the main one."""
    if len(x.shape) < 2:
        raise ShapeError(f"{name} of shape {x.shape}", expected="at least two axes", fix="reshape it first")
    rows, columns = x.shape[-2:]
    k = max(-rows - 1, min(k, columns))  # further off all positions are on one side
    return less_equal(arange(columns), expand_dims(add(arange(rows), k), 1))


def meshgrid(*arrays: ArrayLike, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of the points of a grid, a tensor for each of the vectors: vector i runs along axis i.

    A number is a vector of one element. With "xy", as for images, the first two axes are exchanged; "ij" leaves them.
    ArgumentError for another `indexing`, ShapeError for more than one axis.

    >>> import tarazu as tz
    >>> tz.meshgrid(tz.arange(2), tz.arange(3), indexing="ij")[0]
    Tensor([[0, 0, 0],
            [1, 1, 1]], dtype=int64)
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing={indexing!r}", expected='"xy" or "ij"', fix='pass indexing="ij"')
    vectors = [as_value(x) for x in arrays]
    if any(len(x.shape) > 1 for x in vectors):
        raise ShapeError(f"meshgrid of shapes {', '.join(str(x.shape) for x in vectors)}", expected="vectors",
                         fix="flatten them first")
    axes = list(range(len(vectors)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    return broadcast_arrays(*(reshape(x, [-1 if i == axis else 1 for i in range(len(axes))])
                              for x, axis in zip(vectors, axes, strict=True)))


def one_hot(labels: ArrayLike, num_classes: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The labels on a new last axis of size `num_classes`, with 1 at the index that the label names and 0 elsewhere.

    A label out of range gives zeros; False and True are 0 and 1. The result is float32 by default. DTypeError for
    labels that are no whole numbers, ArgumentError for a number of classes below 0.

    >>> import tarazu as tz
    >>> tz.one_hot(tz.tensor([0, 2]), 3)
    Tensor([[1., 0., 0.],
            [0., 0., 1.]], dtype=float32)
    """
    labels = as_number(as_value(labels))
    if not labels.dtype.is_integer:
        raise DTypeError(f"one_hot of {labels.dtype}", expected="class numbers: integers, or booleans",
                         fix="cast them: labels.astype(tz.int64)")
    number = whole_number(f"one_hot: num_classes={num_classes!r}", num_classes, least=0, fix=_SIZE_FIX)
    classes = arange(number)
    if labels.dtype is dtypes.uint64:  # which has no common dtype with int64
        classes = cast(classes, dtypes.uint64)
    return cast(equal(expand_dims(labels, -1), classes), as_dtype(dtype or dtypes.DEFAULT_FLOAT))
