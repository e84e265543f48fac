"""A kernel, a function of the LLVM module whose items of work threads share out, and the call of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

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


@dataclass(frozen=True, eq=False)
class KernelCall:
    """A launch with the kernel that does it; a nest has the axes over which the kernel loops. Equal to itself only."""

    kernel: Kernel
    launch: Launch


KernelStep: TypeAlias = "KernelCall | Callback | CountedLoop[KernelStep] | WhileLoop[KernelStep] | Branch[KernelStep]"
