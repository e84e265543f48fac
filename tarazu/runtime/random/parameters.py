"""What all of `tz.random` asks of its parameters: shapes, dtypes, ranges, a generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tarazu.base.dtypes import DEFAULT_FLOAT, DType, as_dtype
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.ir.node import Node
from tarazu.ir.type_rules.checks import broadcast_shapes
from tarazu.ir.types import Shape
from tarazu.ops.elementwise import astype
from tarazu.ops.promote import as_value
from tarazu.ops.shape import normalize_shape
from tarazu.ops.typing import ArrayLike, DTypeLike, ShapeLike
from tarazu.runtime.device import values
from tarazu.runtime.random.generator import Generator, current_default
from tarazu.runtime.tensor.tensor import Tensor


def shape_of(name: str, shape: ShapeLike | None, *parameters: ArrayLike) -> Shape:
    """`shape`, checked against the shapes of the parameters; where it is None, the one to which these broadcast."""
    own = [() if isinstance(p, int | float) else as_value(p).shape for p in parameters]
    if shape is None:
        return broadcast_shapes(name, *own)
    sizes = normalize_shape(shape, name)
    if min(sizes, default=0) < 0:
        raise ShapeError(f"{name}: shape {sizes}", expected="sizes of at least 0", fix="-1 stands for no size here")
    if any(own) and broadcast_shapes(name, sizes, *own) != sizes:
        raise ShapeError(f"{name}: shape {sizes} for parameters of shapes {' and '.join(map(str, own))}",
                         expected="parameters that broadcast to the shape",
                         fix="leave the shape out for one number per parameter")
    return sizes


def float_dtype(name: str, dtype: DTypeLike | None) -> DType:
    """The dtype of the numbers, float32 unless given; DTypeError for one that is no float dtype."""
    chosen = DEFAULT_FLOAT if dtype is None else as_dtype(dtype)
    if not chosen.is_float:
        raise DTypeError(f"{name} of {chosen}", expected="a float dtype",
                         fix="tz.random.randint draws whole numbers, tz.random.bernoulli booleans")
    return chosen


def next_state(generator: Generator | None) -> Tensor:
    """The state for a draw by a generator; None is the global one."""
    return (current_default() if generator is None else generator).next_state()


def scaled(numbers: Tensor, scale: ArrayLike, shift: ArrayLike = 0.0) -> Tensor:
    """numbers * scale + shift in the dtype of the numbers."""
    for value, neutral in ((scale, 1.0), (shift, 0.0)):
        if not (isinstance(value, int | float) and value == neutral):
            other = value if isinstance(value, int | float) else astype(as_value(value), numbers.dtype, copy=False)
            numbers = numbers * other if neutral else numbers + other
    return numbers


def require(name: str, parameter: str, value: ArrayLike, holds: Callable[[np.ndarray], np.ndarray | np.bool],
            wanted: str) -> None:
    """ArgumentError for parameters out of their range, as far as they have values yet."""
    raw = value.raw if isinstance(value, Tensor) else np.asarray(value)
    if not isinstance(raw, Node):
        array = values(raw)
        is_fine = np.asarray(holds(array))
        if not is_fine.all():
            raise ArgumentError(f"{name}: {parameter}={array[~is_fine].flat[0]}", expected=wanted,
                                fix=f"check {parameter}; tz.clip keeps a tensor in a range")


def require_not_negative(name: str, parameter: str, value: ArrayLike) -> None:
    """ArgumentError for parameters below 0, as far as they have values yet."""
    require(name, parameter, value, lambda array: array >= 0, "numbers of at least 0")
