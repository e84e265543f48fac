"""The same elements as another dtype, as raw bits, or as constants."""

from __future__ import annotations

from tarazu.base.dtypes import as_dtype
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind, state
from tarazu.ops.promote import as_value, require_imaginary_part_kept
from tarazu.ops.typing import ArrayLike, DeviceLike, DTypeLike, Tensor


def astype(x: ArrayLike, dtype: DTypeLike, *, copy: bool = True, device: DeviceLike | None = None) -> Tensor:
    """`x` with its elements converted to `dtype`, on another device if one is given.

    Floats lose their fraction on the way to integers. With `copy=False` a tensor that has the dtype is given back as it
    is. DTypeError for what is no dtype and for complex numbers to a real dtype (`tz.real` takes the real part),
    DeviceError for a device that is not there.

    >>> import tarazu as tz
    >>> tz.astype(tz.tensor([1.9, -1.9]), tz.int32)
    Tensor([ 1, -1], dtype=int32)
    """
    x, dtype = as_value(x), as_dtype(dtype)
    require_imaginary_part_kept(x.dtype, dtype)
    converted = bind(ops.CAST, x, dtype=dtype) if copy or x.dtype is not dtype else x
    return converted if device is None else state.interpreter.to_device(converted, device)


def bitcast(x: ArrayLike, dtype: DTypeLike) -> Tensor:
    """The bits of `x` read as elements of another dtype of the same width; DTypeError for one of another width.

    >>> import tarazu as tz
    >>> hex(tz.bitcast(tz.tensor(1.0), tz.int32).item())
    '0x3f800000'
    """
    return bind(ops.BITCAST, as_value(x), dtype=as_dtype(dtype))


def stop_gradient(x: ArrayLike) -> Tensor:
    """`x` as a constant: no gradient flows through.

    >>> import tarazu as tz
    >>> tz.grad(lambda x: x * tz.stop_gradient(x))(3.0)
    Tensor(3., dtype=float32)
    """
    return bind(ops.STOP_GRADIENT, as_value(x))
