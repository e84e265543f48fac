"""Loads and stores of one element or a vector of them, and copies of memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tarazu.backend.native.kernels.special.kernel_function import power_of_two
from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.target import CACHE_LINE
from tarazu.backend.native.llvm.types import HALVES, memory_type
from tarazu.backend.native.llvm.values import Index, Value, constant, vector
from tarazu.backend.native.math.half import load_half, store_half
from tarazu.base.dtypes import DType


def load(f: Function, dtype: DType, width: int, pointer: Value) -> Value:
    """Elements from memory in the type of computations: float16 and bfloat16 become float, bools stay bytes."""
    if dtype in HALVES:
        return load_half(f, f.load(vector("i16", width), pointer, 2), dtype)
    return f.load(vector(memory_type(dtype), width), pointer, dtype.itemsize)


def store(f: Function, dtype: DType, value: Value, pointer: Value) -> None:
    """Elements of the type that `load` gives to memory."""
    if dtype in HALVES:
        f.store(store_half(f, value, dtype), pointer, 2)
    else:
        f.store(value, pointer, dtype.itemsize)


def in_vectors(f: Function, count: int, lanes: int, write: Callable[[Index, int], None]) -> None:
    """`write(start, width)` for all of `count` elements: whole vectors in a loop, then ever narrower ones."""
    whole = count - count % lanes
    if whole:
        with f.loop(0, whole, lanes) as loop:
            write(loop.index, lanes)
    while whole < count:
        width = power_of_two(count - whole)
        write(whole, width if width > 1 else 0)
        whole += width


def copy(f: Function, to: Value, source: Value, size: int, align: int, vector_bytes: int,
         ahead: Value | None = None) -> None:
    """Copy `size` bytes, four vectors at a time; the last vector may overlap the one before.

    With `ahead`, the source of a later copy, as many bytes from there on are fetched into the cache.
    """
    block = 4 * vector_bytes
    rest = size - size % block
    if size >= block:
        with f.loop(0, rest, block) as loop:
            if ahead is not None:
                start = f.offset(ahead, loop.index)
                for line in range(0, block, CACHE_LINE):
                    f.prefetch(f.offset(start, line), write=False)
            _move(f, to, source, [f.add(loop.index, offset) for offset in range(0, block, vector_bytes)], vector_bytes,
                  align)
    if size >= vector_bytes:
        whole = list(range(rest, size - vector_bytes + 1, vector_bytes))
        _move(f, to, source, whole + [size - vector_bytes] * (size % vector_bytes > 0), vector_bytes, align)
        return
    while rest < size:
        width = power_of_two(size - rest)
        _move(f, to, source, [rest], width, align)
        rest += width


def _move(f: Function, to: Value, source: Value, offsets: Sequence[Index], width: int, align: int) -> None:
    """Copy `width` bytes at each of the offsets, all loads before the first store."""
    type_ = vector("i8", width) if width > 8 else f"i{8 * width}"
    loaded = [f.load(type_, f.offset(source, offset), min(align, width)) for offset in offsets]
    for value, offset in zip(loaded, offsets, strict=True):
        f.store(value, f.offset(to, offset), min(align, width))


def zero_range(f: Function, to: Value, begin: Index, end: Index, element: str, lanes: int) -> None:
    """Set the elements from `begin` to `end`, of the integer type `element`, to 0."""
    _over_range(f, begin, end, lanes, lambda start, width: f.store(
        constant(vector(element, width), 0), f.offset(to, start, element), int(element[1:]) // 8))


def copy_range(f: Function, to: Value, source: Value, begin: Index, end: Index, element: str, lanes: int) -> None:
    """Copy the elements from `begin` to `end`, of the integer type `element`."""
    align = int(element[1:]) // 8
    _over_range(f, begin, end, lanes, lambda start, width: f.store(
        f.load(vector(element, width), f.offset(source, start, element), align), f.offset(to, start, element), align))


def _over_range(f: Function, begin: Index, end: Index, lanes: int, write: Callable[[Index, int], None]) -> None:
    """`write(start, width)` for the elements from `begin` to `end`: whole vectors, then single ones."""
    middle = f.add(begin, f.multiply(f.divide(f.subtract(end, begin), lanes), lanes))
    for first, last, width in ((begin, middle, lanes), (middle, end, 0)):
        with f.loop(first, last, width or 1) as loop:
            write(loop.index, width)
