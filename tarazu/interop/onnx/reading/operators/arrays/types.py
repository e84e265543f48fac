"""Operators that change the type of the elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.interop.onnx.reading.operators.arrays.elements import elementwise
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, dtype_of, over_images
from tarazu.ops import elementwise as ops
from tarazu.ops.elementwise.conversion import bitcast
from tarazu.ops.promote import as_value, cast
from tarazu.runtime.tensor.tensor import Tensor


@elementwise("Cast")
def cast_to(x: Array, to: int, saturate: int = 1, round_mode: str = "up") -> Tensor:
    """`x` in another type."""
    return converted(x, dtype_of(to))


@operator("CastLike", images=True)
def cast_like(x: Any, target: Any, saturate: int = 1, round_mode: str = "up") -> Any:
    """`x` in the type of another tensor."""
    wanted = dtypes.as_dtype(target.dtype)
    return over_images(lambda x: converted(x, wanted), x)


def converted(x: Array, wanted: DType) -> Tensor:
    """`x` in a type; numbers other than 0 are true."""
    x = as_value(x)
    return ops.not_equal(x, 0) if wanted is dtypes.bool_ and x.dtype is not wanted else cast(x, wanted)


@operator("BitCast")
def bit_cast(x: Array, to: int) -> Tensor:
    """The bits of `x` read as another type of the same width."""
    x, wanted = as_value(x), dtype_of(to)
    if dtypes.bool_ in (x.dtype, wanted) and x.dtype is not wanted:  # a byte of 0 or 1
        return converted(x if wanted is dtypes.bool_ else cast(x, dtypes.uint8), wanted)
    return bitcast(x, wanted)


@operator("Shape")
def shape(x: Any, start: int = 0, end: int | None = None) -> np.ndarray:
    """The sizes of the axes."""
    return np.array(x.shape[start:end], np.int64)


@operator("Size")
def size(x: Any) -> np.ndarray:
    """The number of elements."""
    return np.array(np.prod(x.shape, dtype=np.int64))
