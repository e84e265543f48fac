"""The values of a model that was read: tensors, known arrays, and images that are kept with their channels last.

An operation whose inputs are all known arrays (shapes, mostly) gives one too, so that they are known while a function
is traced.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.base.errors import DTypeError
from tarazu.ir.interpreter import state
from tarazu.ops.promote import as_value
from tarazu.ops.shape import permute_dims, reshape
from tarazu.runtime.tensor.tensor import Tensor

Array: TypeAlias = "Tensor | np.ndarray"

DTYPES = {1: dtypes.float32, 2: dtypes.uint8, 3: dtypes.int8, 4: dtypes.uint16, 5: dtypes.int16, 6: dtypes.int32,
          7: dtypes.int64, 9: dtypes.bool_, 10: dtypes.float16, 11: dtypes.float64, 12: dtypes.uint32,
          13: dtypes.uint64, 14: dtypes.complex64, 15: dtypes.complex128, 16: dtypes.bfloat16}
OTHER_TYPES = {8: "string", 17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz",
               21: "uint4", 22: "int4", 23: "float4e2m1", 24: "float8e8m0", 25: "uint2", 26: "int2"}


def dtype_of(number: int) -> DType:
    """The dtype with that number in ONNX; DTypeError for those that Tarazu lacks."""
    if number not in DTYPES:
        raise DTypeError(f"elements of the ONNX type {OTHER_TYPES.get(number, number)}",
                         expected=f"one of {', '.join(dtype.name for dtype in DTYPES.values())}",
                         fix="export the model with another type")
    return DTYPES[number]


class ChannelsLast:
    """A tensor (batch, channels, *sizes) that is kept as (batch, *sizes, channels), as Tarazu's convolutions have it.

    Operations that know it hand it on, so that a network of convolutions turns its images at its ends only.
    """

    def __init__(self, kept: Tensor) -> None:
        self.kept = kept

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape with the channels in axis 1."""
        batch, *sizes, channels = self.kept.shape
        return (batch, channels, *sizes)

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self.kept.dtype

    def channels_first(self) -> Tensor:
        """The tensor (batch, channels, *sizes)."""
        rank = len(self.kept.shape)
        return permute_dims(self.kept, (0, rank - 1, *range(1, rank - 1)))


def channels_last(x: Any) -> Tensor:
    """A tensor (batch, channels, *sizes), as (batch, *sizes, channels)."""
    if isinstance(x, ChannelsLast):
        return x.kept
    x = as_value(x)
    return permute_dims(x, (0, *range(2, len(x.shape)), 1))


def over_images(function: Callable[..., Any], *inputs: Any) -> Any:
    """An elementwise function of tensors, some of which may be kept with their channels last; so is the result then."""
    images = [x for x in inputs if isinstance(x, ChannelsLast)]
    if not images:
        return function(*inputs)
    rank = len(images[0].shape)
    if any(len(x.shape) > rank for x in inputs):
        return function(*(x.channels_first() if isinstance(x, ChannelsLast) else x for x in inputs))
    return ChannelsLast(function(*(_beside_images(x, rank) for x in inputs)))


def _beside_images(x: Any, rank: int) -> Array:
    if isinstance(x, ChannelsLast):
        return x.kept
    if len(x.shape) == 0:
        return x
    return channels_last(reshape(x, (1,) * (rank - len(x.shape)) + tuple(x.shape)))


def holds(tree: Any, kind: type) -> bool:
    """Whether one of nested lists and tuples, or the value itself, is of that kind."""
    return isinstance(tree, kind) or (isinstance(tree, list | tuple) and any(holds(item, kind) for item in tree))


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The nested lists and tuples with each other value through `function`."""
    if isinstance(tree, list | tuple):
        return type(tree)([mapped(function, item) for item in tree])
    return function(tree)


def in_usual_layout(tree: Any) -> Any:
    """All of them with their channels in axis 1."""
    return mapped(lambda x: x.channels_first() if isinstance(x, ChannelsLast) else x, tree)


def known(x: Any) -> np.ndarray:
    """The elements of a value; TraceError for a tensor that is traced."""
    return in_usual_layout(x).numpy() if isinstance(x, Tensor | ChannelsLast) else np.asarray(x)


def is_known(x: Any) -> bool:
    """Whether the elements of a value can be read now."""
    return not isinstance(x, Tensor) or not state.interpreter.is_tracing


def integers(x: Any) -> list[int]:
    """The elements of a vector or number that says sizes, axes or positions."""
    return [int(item) for item in np.ravel(known(x))]


def number(x: Any) -> Any:
    """The only element of a value, as Python's own number."""
    return known(x).reshape(()).item()


def per_axis(values: Sequence[int] | None, axes: int, default: int = 1) -> tuple[int, ...]:
    """An attribute of one number per axis, which may be left out."""
    return tuple(values) if values else (default,) * axes


@contextlib.contextmanager
def eagerly() -> Iterator[None]:
    """A block in which operations compute, also while a function is traced."""
    outer, state.interpreter = state.interpreter, type(state).interpreter
    try:
        yield
    finally:
        state.interpreter = outer
