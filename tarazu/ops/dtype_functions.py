"""Functions of dtypes: their limits, their kinds, and the dtype to which several tensors promote."""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from tarazu.base import dtypes
from tarazu.base.dtypes import DType, as_dtype, numpy_dtype
from tarazu.base.errors import ArgumentError, DTypeError
from tarazu.ops.promote import SCALARS
from tarazu.ops.typing import DTypeLike, Scalar, Tensor

# The names of the kinds in the array API standard (2024.12, isdtype), as the kinds that a DType knows
_KINDS = {
    "bool": ("bool",),
    "signed integer": ("int",),
    "unsigned integer": ("uint",),
    "integral": ("int", "uint"),
    "real floating": ("float",),
    "complex floating": ("complex",),
    "numeric": ("int", "uint", "float", "complex"),
}


class FloatLimits(NamedTuple):
    """The limits of a float dtype, or of the parts of a complex one, as `finfo` gives them."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


class IntegerLimits(NamedTuple):
    """The limits of an integer dtype, as `iinfo` gives them."""

    bits: int
    max: int
    min: int
    dtype: DType


def _dtype_of(spec: object) -> DType:
    return spec.dtype if isinstance(spec, Tensor) else as_dtype(spec)  # type: ignore[arg-type]  # raises for other things


def finfo(type: DTypeLike | Tensor, /) -> FloatLimits:
    """The limits of a float or complex dtype, or of a tensor's: bits, eps, max, min, smallest_normal, dtype.

    `eps` is the distance from 1 to the next larger number; of a complex dtype these are the limits of its parts.
    DTypeError for another dtype.

    >>> import tarazu as tz
    >>> tz.finfo(tz.float32).eps
    1.1920928955078125e-07
    """
    dtype = _dtype_of(type)
    if not dtype.is_inexact:
        raise DTypeError(f"finfo of {dtype}", expected="a float or complex dtype", fix="use tz.iinfo for integers")
    if dtype is dtypes.bfloat16:
        import ml_dtypes

        limits: Any = ml_dtypes.finfo(dtype.numpy)
    else:
        limits = np.finfo(dtype.numpy)
    real = as_dtype(limits.dtype)
    return FloatLimits(limits.bits, float(limits.eps), float(limits.max), float(limits.min),
                       float(limits.smallest_normal), real)


def iinfo(type: DTypeLike | Tensor, /) -> IntegerLimits:
    """The limits of an integer dtype, or of a tensor's: bits, max, min, dtype; DTypeError for another dtype.

    >>> import tarazu as tz
    >>> tz.iinfo("int8").max
    127
    """
    dtype = _dtype_of(type)
    if not dtype.is_integer:
        raise DTypeError(f"iinfo of {dtype}", expected="an integer dtype", fix="use tz.finfo for floats")
    limits = np.iinfo(numpy_dtype(dtype.name))
    return IntegerLimits(limits.bits, int(limits.max), int(limits.min), dtype)


def isdtype(dtype: DTypeLike, kind: DTypeLike | tuple[DTypeLike, ...]) -> bool:
    """Whether a dtype is of a kind: a name of the array API standard, a dtype, or a tuple of these, any of which fits.

    The names are bool, signed integer, unsigned integer, integral, real floating, complex floating and numeric;
    ArgumentError for another, DTypeError for what is no dtype.

    >>> import tarazu as tz
    >>> tz.isdtype(tz.int8, "integral"), tz.isdtype(tz.int8, ("bool", "real floating"))
    (True, False)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise ArgumentError(f"isdtype: kind {kind!r}", expected=f"one of {', '.join(map(repr, _KINDS))}",
                                fix="for one dtype pass the dtype itself: tz.float32")
        return as_dtype(dtype).kind in _KINDS[kind]
    return as_dtype(dtype) is as_dtype(kind)


def can_cast(from_: DTypeLike | Tensor, to: DTypeLike, /) -> bool:
    """Whether promotion takes a dtype, or a tensor's, to the dtype `to`; DTypeError for what is no dtype.

    >>> import tarazu as tz
    >>> tz.can_cast(tz.int8, tz.int32), tz.can_cast(tz.float64, tz.float32)
    (True, False)
    """
    start, end = _dtype_of(from_), as_dtype(to)
    try:
        return dtypes.promote(start, end) is end
    except DTypeError:  # int64 and uint64 have no common dtype
        return False


def result_type(*arrays_and_dtypes: Tensor | DTypeLike | Scalar) -> DType:
    """The dtype to which tensors, dtypes and Python numbers promote; the numbers give way within their kind.

    ArgumentError for numbers alone, DTypeError for int64 with uint64.

    >>> import tarazu as tz
    >>> tz.result_type(tz.int8, tz.uint8), tz.result_type(tz.float16, 1.0)
    (tarazu.int16, tarazu.float16)
    """
    scalars = [type(x) for x in arrays_and_dtypes if type(x) in SCALARS]
    strong = [_dtype_of(x) for x in arrays_and_dtypes if type(x) not in SCALARS]
    if not strong:
        raise ArgumentError(f"result_type of {arrays_and_dtypes!r}", expected="a tensor or a dtype at least",
                            fix="Python numbers alone have no dtype: name one, as in tz.result_type(tz.float32, 1)")
    return reduce(dtypes.promote_scalar, scalars, reduce(dtypes.promote, strong))
