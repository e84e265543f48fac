"""Element types: their names, the NumPy dtypes they stand for, and how two of them are promoted to a common one.

Promotion follows the array API standard within a kind; across kinds the higher kind wins with its own width
(int64 with float32 gives float32, as in torch and JAX), so that an integer never turns a model into float64.
"""

from __future__ import annotations

import functools
from typing import TypeAlias

import numpy as np

from tarazu.base.errors import DTypeError


class DType:
    """An element type, such as `tz.float32`; there is one object per type, so `is` and `==` agree.

    `name` is also NumPy's, `kind` is "bool", "int", "uint", "float" or "complex", `itemsize` the bytes of an element.
    `is_float` says whether elements are real floating-point numbers, those that gradients flow to, `is_inexact` whether
    they are floating-point numbers, real or complex, `is_integer` whether they are integers, signed or not; booleans
    are none.

    >>> float32.name, float32.kind, float32.itemsize
    ('float32', 'float', 4)
    >>> bfloat16.is_float, complex64.is_float, complex64.is_inexact, uint8.is_integer, bool_.is_integer
    (True, False, True, True, False)
    """

    __slots__ = ("is_float", "is_inexact", "is_integer", "itemsize", "kind", "name")

    def __init__(self, name: str, kind: str, itemsize: int) -> None:
        self.name, self.kind, self.itemsize = name, kind, itemsize
        self.is_float, self.is_inexact = kind == "float", kind in ("float", "complex")
        self.is_integer = kind in ("int", "uint")

    def __repr__(self) -> str:
        return f"tarazu.{self.name}"

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple:
        return as_dtype, (self.name,)

    @property
    def numpy(self) -> np.dtype:
        """The NumPy dtype of the same name; that of bfloat16 comes from ml_dtypes.

        >>> int8.numpy
        dtype('int8')
        """
        return numpy_dtype(self.name)


@functools.cache
def numpy_dtype(name: str) -> np.dtype:
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


bool_ = DType("bool", "bool", 1)
int8, int16, int32, int64 = (DType(f"int{8 * n}", "int", n) for n in (1, 2, 4, 8))
uint8, uint16, uint32, uint64 = (DType(f"uint{8 * n}", "uint", n) for n in (1, 2, 4, 8))
float16, float32, float64 = (DType(f"float{8 * n}", "float", n) for n in (2, 4, 8))
bfloat16 = DType("bfloat16", "float", 2)
complex64, complex128 = DType("complex64", "complex", 8), DType("complex128", "complex", 16)

DTypeLike: TypeAlias = DType | str | type | np.dtype  # what names a DType
ALL = (bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64,
       float16, bfloat16, float32, float64, complex64, complex128)
BY_NAME = {dtype.name: dtype for dtype in ALL}
FROM_NUMPY = {np.dtype(dtype.name): dtype for dtype in ALL if dtype is not bfloat16}

DEFAULT_FLOAT, DEFAULT_INT = float32, int64
COMPLEX_PARTS = {complex64: float32, complex128: float64}
PYTHON_SCALARS: dict[type, DType] = {bool: bool_, int: int64, float: float32, complex: complex64}
KIND_ORDER = {"bool": 0, "uint": 1, "int": 1, "float": 2, "complex": 3}


def as_dtype(spec: DTypeLike) -> DType:
    """The DType that `spec` names: a DType, a name, a NumPy dtype or scalar type, or `bool`, `int`, `float`, `complex`.

    DTypeError for what names none of them.

    >>> as_dtype("float32"), as_dtype(np.int8), as_dtype(float)
    (tarazu.float32, tarazu.int8, tarazu.float32)
    """
    if isinstance(spec, DType):
        return spec
    if isinstance(spec, str) and spec in BY_NAME:
        return BY_NAME[spec]
    if isinstance(spec, type) and spec in PYTHON_SCALARS:
        return PYTHON_SCALARS[spec]
    try:
        dtype = np.dtype(spec)
    except TypeError:
        dtype = None
    if dtype is not None:
        if dtype in FROM_NUMPY:
            return FROM_NUMPY[dtype]
        if dtype.name in BY_NAME:
            return BY_NAME[dtype.name]
    raise DTypeError(f"{spec!r} is not a dtype that Tarazu knows", expected=f"one of {', '.join(BY_NAME)}",
                     fix='pass for example tz.float32 or "float32"; text and dates must be encoded as numbers first')


@functools.cache
def promote(first: DType, second: DType) -> DType:
    """The common dtype of two tensors; DTypeError for uint64 and a signed integer, which no integer type can hold.

    >>> promote(float32, int64), promote(int8, uint8), promote(float16, bfloat16)
    (tarazu.float32, tarazu.int16, tarazu.float32)
    """
    if first is second:
        return first
    low, high = sorted((first, second), key=lambda dtype: (KIND_ORDER[dtype.kind], dtype.itemsize))
    if low.kind == high.kind:
        return float32 if low.itemsize == high.itemsize else high
    if low.is_integer and high.is_integer:
        return _promote_mixed_sign(*sorted((first, second), key=lambda dtype: dtype.kind))
    if low is float64 and high is complex64:
        return complex128
    return high


def _promote_mixed_sign(signed: DType, unsigned: DType) -> DType:
    if signed.itemsize > unsigned.itemsize:
        return signed
    if unsigned is uint64:
        raise DTypeError(f"{signed} and {unsigned} have no common integer type",
                         expected="two dtypes that one integer type can hold",
                         fix="cast one of them first: x.astype(tz.int64)")
    return BY_NAME[f"int{16 * unsigned.itemsize}"]


def promote_scalar(dtype: DType, scalar_type: type) -> DType:
    """The common dtype of a tensor and a Python scalar: that of the tensor, unless the scalar is of a higher kind.

    >>> promote_scalar(float16, float), promote_scalar(int8, float), promote_scalar(float64, complex)
    (tarazu.float16, tarazu.float32, tarazu.complex128)
    """
    scalar = PYTHON_SCALARS[scalar_type]
    if KIND_ORDER[scalar.kind] <= KIND_ORDER[dtype.kind]:
        return dtype
    if scalar.kind == "complex" and dtype is float64:
        return complex128
    return scalar
