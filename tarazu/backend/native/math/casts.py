"""Conversions between element types.

For NaN and numbers out of range, where LLVM's own instructions leave the result undefined, they give NumPy's on x86.
"""

from __future__ import annotations

from tarazu.backend.native.llvm.types import HALVES, register_type
from tarazu.backend.native.math import half
from tarazu.backend.native.math.arithmetic import Call
from tarazu.backend.native.math.number import Number, choose
from tarazu.base import dtypes
from tarazu.base.dtypes import DType


def cast(call: Call) -> Number:
    """The numbers of the input in another dtype."""
    x, source, dtype = call.inputs[0], call.input_dtypes[0], call.dtype
    if source is dtype:
        return x
    if dtype is dtypes.bool_:
        return x.differs(0)
    if source.is_float:
        return _from_float(x, dtype)
    if dtype.is_float:
        return x.to("sitofp" if source.kind == "int" else "uitofp", register_type(dtype))
    return _resize(x, source.kind == "int", register_type(dtype))


def _resize(x: Number, signed: bool, element: str) -> Number:
    """An integer in another integer type."""
    old, new = int(x.element[1:]), int(element[1:])
    if old == new:
        return x
    return x.to("trunc" if new < old else "sext" if signed else "zext", element)


def _from_float(x: Number, dtype: DType) -> Number:
    element = register_type(dtype)
    if dtype.is_float:
        if element == x.element:
            return x
        if element == "double":
            return x.to("fpext", element)
        return half.to_odd_float(x) if dtype is dtypes.float16 else x.to("fptrunc", element)
    if dtype is dtypes.uint64:
        above = x >= 2.0**63
        integer = _truncated(choose(above, x - 2.0**63, x), "i64")
        return choose(above, integer ^ (1 << 63), integer)
    wide = _truncated(x, "i64" if dtype in (dtypes.int64, dtypes.uint32) else "i32")
    return _resize(wide, True, element)


def _truncated(x: Number, element: str) -> Number:
    """The integer nearest to x towards 0; the smallest integer for NaN and numbers out of range, as on x86."""
    bound = 2.0 ** (int(element[1:]) - 1)
    # In single precision -bound is in range and what precedes it is not; in double the i32 range has fractions below.
    above_low = x > -bound - 1 if x.element == "double" and element == "i32" else x >= -bound
    fits = (x < bound) & above_low
    integer = choose(fits, x, 0).to("fptosi", element)
    return choose(fits, integer, -(1 << (int(element[1:]) - 1)))


def bitcast(call: Call) -> Number:
    """The bit patterns of the input as numbers of another dtype of the same size."""
    x, source, dtype = call.inputs[0], call.input_dtypes[0], call.dtype
    if source is dtype:
        return x
    bits = half.narrow(x, source) if source in HALVES else x
    if dtype in HALVES:
        return half.widen(bits, dtype)
    element = register_type(dtype)
    return bits if bits.element == element else bits.to("bitcast", element)
