"""A kernel, a function of the LLVM module whose items of work threads share out, and the call of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tarazu.backend.native.lowering.loop_nest import Access
from tarazu.backend.native.lowering.steps import Branch, Callback, CountedLoop, Launch, WhileLoop


class Kernel(NamedTuple):
    """A function in the module: `void name(ptr frame, ptr buffers..., i64 begin, i64 end)` does the items from begin
    to end. Items are independent, so threads share them out; each thread has `scratch` bytes at the frame's start."""

    name: str
    items: int
    scratch: int = 0
    rows: int = 0  # where item i writes just the i-th of so many equal parts of each result; 0 where it does not
    per_item: int = 1  # how many indices of a nest's first axis make up an item, where the items are that axis
    tile: str = ""  # how registers and panels cut it, for people
    spans: tuple[int, ...] = ()  # of a nest: each so many bytes of buffer i are divided among the items in their order;
    # 0 where each item takes all of it


def spans_along(accesses: Iterable[Access], axis: int, size: int) -> tuple[int, ...]:
    """The spans of the buffers with these accesses where the items run first over an axis of that size."""
    spans = {access.buffer: size * abs(access.strides[axis]) * access.dtype.itemsize
             if axis < len(access.strides) else 0 for access in accesses}
    return tuple([spans.get(buffer, 0) for buffer in range(1 + max(spans))])


@dataclass(frozen=True, eq=False)
class KernelCall:
    """A launch with the kernel that does it; a nest has the axes over which the kernel loops. Equal to itself only."""

    kernel: Kernel
    launch: Launch


KernelStep: TypeAlias = "KernelCall | Callback | CountedLoop[KernelStep] | WhileLoop[KernelStep] | Branch[KernelStep]"
