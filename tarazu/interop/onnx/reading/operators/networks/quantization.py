"""Whole numbers in place of floats: x is about (q - zero point) scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.interop.onnx.reading.operators.networks.convolution import along, conv, without_zero_point
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, ChannelsLast, dtype_of, in_usual_layout
from tarazu.ops import elementwise as ops
from tarazu.ops import shape as shapes
from tarazu.ops.contract import matmul
from tarazu.ops.indexing.windows import repeat
from tarazu.ops.promote import as_value, cast
from tarazu.ops.reduce import max, min
from tarazu.runtime.tensor.tensor import Tensor


@operator("QuantizeLinear")
def quantize(x: Array, scale: Array, zero: Array | None = None, axis: int = 1, block_size: int = 0,
             output_dtype: int = 0, precision: int = 0, saturate: int = 1) -> Tensor:
    """x / scale to the nearest whole number, plus the zero point, within the type."""
    x, scale = as_value(x), as_value(scale)
    wanted = dtypes.as_dtype(zero.dtype) if zero is not None else dtype_of(output_dtype or 2)
    divisor = _per_block(scale, x, axis, block_size)
    rounded = ops.round(ops.divide(ops.astype(x, scale.dtype), divisor))
    point = 0 if zero is None else _per_block(as_value(zero), x, axis, block_size)
    return _within(rounded, point, wanted)


def _per_block(values: Tensor, x: Tensor, axis: int, block_size: int) -> Tensor:
    """A value for all of `x`, one per element of an axis, or one per block along it, so that it broadcasts."""
    if not block_size or len(values.shape) < len(x.shape):
        return along(values, axis, len(x.shape))
    axis %= len(x.shape)
    return shapes.slice_axis(repeat(values, block_size, axis=axis), axis, 0, x.shape[axis])


def _within(rounded: Tensor, point: Any, wanted: DType) -> Tensor:
    """Whole numbers plus a zero point, held within a type."""
    info = np.iinfo(wanted.numpy)
    wide = ops.add(cast(rounded, dtypes.float64), point if isinstance(point, int) else cast(point, dtypes.float64))
    return cast(ops.clip(wide, float(info.min), float(info.max)), wanted)


@operator("DequantizeLinear")
def dequantize(x: Array, scale: Array, zero: Array | None = None, axis: int = 1, block_size: int = 0,
               output_dtype: int = 0) -> Tensor:
    """(x - zero point) scale."""
    x, scale = as_value(x), as_value(scale)
    wide = cast(x, dtypes.float64)
    if zero is not None:
        wide = ops.subtract(wide, cast(_per_block(as_value(zero), x, axis, block_size), dtypes.float64))
    y = ops.multiply(cast(wide, scale.dtype), _per_block(scale, x, axis, block_size))
    return cast(y, dtype_of(output_dtype)) if output_dtype else y


@operator("DynamicQuantizeLinear")
def dynamic_quantize(x: Array) -> tuple[Tensor, Tensor, Tensor]:
    """`x` as bytes, with the scale and the zero point at which they cover its range and 0."""
    x = as_value(x)
    low, high = ops.minimum(min(x), 0.0), ops.maximum(max(x), 0.0)
    scale = ops.divide(ops.subtract(high, low), 255.0)
    zero = cast(ops.clip(ops.round(ops.divide(ops.negative(low), scale)), 0.0, 255.0), dtypes.uint8)
    return quantize(x, scale, zero), scale, zero


@operator("MatMulInteger")
def matmul_integer(a: Array, b: Array, a_zero: Array | None = None, b_zero: Array | None = None) -> Tensor:
    """The product of whole numbers less their zero points, with 32 bits."""
    return cast(_exact_product(as_value(a), as_value(b), a_zero, b_zero), dtypes.int32)


def _exact_product(a: Tensor, b: Tensor, a_zero: Array | None, b_zero: Array | None) -> Tensor:
    """In 64-bit floats, which hold all sums. A zero point may be one for each row of `a`, or each column of `b`."""
    return matmul(without_zero_point(a, a_zero, -2), without_zero_point(b, b_zero, -1))


@operator("QLinearMatMul")
def quantized_matmul(a: Array, a_scale: Array, a_zero: Array, b: Array, b_scale: Array, b_zero: Array, y_scale: Array,
                     y_zero: Array) -> Tensor:
    """The product of what two tensors of whole numbers stand for, as whole numbers."""
    product = _exact_product(as_value(a), as_value(b), a_zero, b_zero)
    factor = _factor(a_scale, b_scale, y_scale)
    return _within(ops.round(ops.multiply(product, factor)), as_value(y_zero), dtypes.as_dtype(y_zero.dtype))


def _factor(x_scale: Array, w_scale: Array, y_scale: Array) -> Tensor:
    wide = [cast(as_value(scale), dtypes.float64) for scale in (x_scale, w_scale, y_scale)]
    return ops.divide(ops.multiply(wide[0], wide[1]), wide[2])


@operator("QLinearConv", images=True)
def quantized_conv(x: Any, x_scale: Array, x_zero: Array, w: Array, w_scale: Array, w_zero: Array, y_scale: Array,
                   y_zero: Array, b: Array | None = None, **options: Any) -> ChannelsLast:
    """The convolution of what whole numbers stand for, as whole numbers."""
    x, w = in_usual_layout(x), in_usual_layout(w)
    bias = None if b is None else cast(as_value(b), dtypes.float64)
    y = conv(without_zero_point(x, x_zero, 1), without_zero_point(w, w_zero, 0), bias, **options).kept
    rounded = ops.round(ops.multiply(y, _factor(x_scale, w_scale, y_scale)))
    return ChannelsLast(_within(rounded, as_value(y_zero), dtypes.as_dtype(y_zero.dtype)))
