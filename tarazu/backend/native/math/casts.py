"""Conversions between element types, with NumPy's results (on x86) also out of range, and none undefined for LLVM."""

from __future__ import annotations

from tarazu.backend.native.llvm.types import HALVES
from tarazu.backend.native.math import half
from tarazu.backend.native.math.arithmetic import Call
from tarazu.backend.native.math.number import Number, choose
from tarazu.base import dtypes
from tarazu.base.dtypes import DType

ELEMENTS = {"bool": "i1", "float16": "float", "bfloat16": "float", "float32": "float", "float64": "double"}


def element_type(dtype: DType) -> str:
    """The LLVM type of one element in a register."""
    return ELEMENTS.get(dtype.name) or f"i{8 * dtype.itemsize}"


def cast(call: Call) -> Number:
    x, source, dtype = call.inputs[0], call.input_dtypes[0], call.dtype
    if source is dtype:
        return x
    if dtype is dtypes.bool_:
        return x.differs(0)
    if source.is_float:
        return _from_float(x, dtype)
    if dtype.is_float:
        return x.to("sitofp" if source.kind == "int" else "uitofp", element_type(dtype))
    return _resize(x, source.kind == "int", element_type(dtype))


def _resize(x: Number, signed: bool, element: str) -> Number:
    old, new = int(x.element[1:]), int(element[1:])
    if old == new:
        return x
    return x.to("trunc" if new < old else "sext" if signed else "zext", element)


def _from_float(x: Number, dtype: DType) -> Number:
    element = element_type(dtype)
    if dtype.is_float:
        if element == x.element:
            return x
        if element == "double":
            return x.to("fpext", element)
        return half.to_odd_float(x) if dtype is dtypes.float16 else x.to("fptrunc", element)
    if dtype is dtypes.uint64:
        above = x >= 2.0**63
        whole = _whole(choose(above, x - 2.0**63, x), "i64")
        return choose(above, whole ^ (1 << 63), whole)
    wide = _whole(x, "i64" if dtype in (dtypes.int64, dtypes.uint32) else "i32")
    return _resize(wide, True, element)


def _whole(x: Number, element: str) -> Number:
    """Towards 0; the smallest integer where the number is NaN or out of range, as x86 does it."""
    bound = 2.0 ** (int(element[1:]) - 1)
    # In single precision -bound is in range and what precedes it is not; in double the i32 range has fractions below.
    above_low = x > -bound - 1 if x.element == "double" and element == "i32" else x >= -bound
    fits = (x < bound) & above_low
    whole = choose(fits, x, 0).to("fptosi", element)
    return choose(fits, whole, -(1 << (int(element[1:]) - 1)))


def bitcast(call: Call) -> Number:
    x, source, dtype = call.inputs[0], call.input_dtypes[0], call.dtype
    if source is dtype:
        return x
    bits = half.narrow(x, source) if source in HALVES else x
    if dtype in HALVES:
        return half.widen(bits, dtype)
    element = element_type(dtype)
    return bits if bits.element == element else bits.to("bitcast", element)
