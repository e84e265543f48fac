"""What ai.onnx.ml has on numbers."""

from __future__ import annotations

from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array
from tarazu.ops.elementwise import greater
from tarazu.ops.promote import as_value, cast
from tarazu.runtime.tensor.tensor import Tensor


@operator("ai.onnx.ml:Binarizer")
def binarizer(x: Array, threshold: float = 0.0) -> Tensor:
    """1 above a threshold, else 0."""
    x = as_value(x)
    return cast(greater(x, threshold), x.dtype)
