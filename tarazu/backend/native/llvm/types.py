"""Element types: which dtypes compiled code computes with, and their LLVM types in memory and in registers."""

from __future__ import annotations

from tarazu.backend.native.llvm.values import vector
from tarazu.base import dtypes
from tarazu.base.dtypes import DType

HALVES = (dtypes.float16, dtypes.bfloat16)  # 16 bits in memory, float in registers
_MEMORY = {"bool": "i8", "int8": "i8", "uint8": "i8", "int16": "i16", "uint16": "i16", "int32": "i32", "uint32": "i32",
           "int64": "i64", "uint64": "i64", "float16": "i16", "bfloat16": "i16", "float32": "float",
           "float64": "double"}
_REGISTER = _MEMORY | {"bool": "i1", "float16": "float", "bfloat16": "float"}


def memory_type(dtype: DType) -> str:
    """The LLVM type of an element in memory."""
    return _MEMORY[dtype.name]


def register_type(dtype: DType, lanes: int = 0) -> str:
    """The LLVM type of an element, or of a vector of them, in a register."""
    return vector(_REGISTER[dtype.name], lanes)


def is_half(dtype: DType) -> bool:
    """Whether elements have 16 bits in memory and are float in registers."""
    return dtype in HALVES


def is_supported_dtype(dtype: DType) -> bool:
    """Whether compiled code computes with `dtype`; with the others, complex numbers, NumPy does."""
    return dtype.name in _MEMORY
