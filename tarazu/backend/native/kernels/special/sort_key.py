"""Integers in the order of the elements, so that sorts and extrema compare integers only."""

from __future__ import annotations

from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.values import Value, constant
from tarazu.base.dtypes import DType

_INFINITY = {"float16": 0x7C00, "bfloat16": 0x7F80, "float32": 0x7F800000, "float64": 0x7FF0000000000000}


def sort_key(f: Function, dtype: DType, element: Value, *, reverse: bool = False) -> Value:
    """Signed integers that compare as the elements with these bits do; the other way round with `reverse`.

    The two zeros are equal; NaN is above all others, with `reverse` too.
    """
    size = 8 * dtype.itemsize
    lowest, highest = constant(element.type, -1 << (size - 1)), constant(element.type, (1 << (size - 1)) - 1)
    if dtype.kind in ("bool", "uint"):
        element = f.op("xor", element, lowest)
    if not dtype.is_float:
        return _inverted(f, element) if reverse else element
    negative = f.compare("icmp slt", element, constant(element.type, 0))
    ordered = f.select(negative, f.op("sub", lowest, element), element)
    ordered = _inverted(f, ordered) if reverse else ordered
    infinity = constant(element.type, _INFINITY[dtype.name])
    return f.select(f.compare("icmp sgt", f.op("and", element, highest), infinity), highest, ordered)


def _inverted(f: Function, number: Value) -> Value:
    """All bits inverted, which reverses the order."""
    return f.op("xor", number, constant(number.type, -1))
