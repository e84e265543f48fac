"""How threads share the work of a step, and where they must wait for each other.

A step is done by thread 0 alone, or each thread does its share of the kernel's items. Two steps that partition a buffer
alike need no barrier between them, since each thread then reads what it wrote itself; other steps that access the same
memory do, unless both only read.

How a product is divided among threads is decided in four places, in this order:

1. `lowering/prepare.py` cuts the sum of a product by a large weight into one part per thread, so that each thread reads
   the rows of the weight that it updates itself.
2. `kernels/contraction_choice.py` chooses whether the kernel's items are columns or rows of the result, or a grid of
   both, and how many there are, by a cost model for so many threads.
3. This file says whether the kernel is shared at all (`is_shared`), and how its items partition the buffers (`_rows`).
4. `schedule/emit.py` gives each thread its range of items (`ProgramEmitter.sharing`), and puts the barriers.

The number of threads of a run is decided by `threads/thread_count.py` when it starts; the code is right for any.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple
from weakref import WeakKeyDictionary

from tarazu.backend.native.kernels.kernel import Kernel, KernelCall, KernelStep
from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.loop_nest import Access, Nest, accesses
from tarazu.backend.native.lowering.steps import Callback, CountedLoop, NestLaunch, WhileLoop, every

WORTH_SHARING = 400.0  # nanoseconds of one thread; a barrier takes two or three hundred
WAKING, WAKING_FOR_A_LOOP = 75, 5  # what waking helpers costs, in units of that


class Rows(NamedTuple):
    """A buffer in equal parts, one for each item of the kernel."""

    items: int
    bytes: int  # of each part


class Whole(Enum):
    """Who accesses a buffer that is not partitioned."""

    THREAD_0 = auto()
    ANY_THREAD = auto()


Partition = Rows | Whole


class BufferAccess(NamedTuple):
    """A buffer that a step reads or writes, and how the threads partition it."""

    buffer: Buffer
    partition: Partition
    writes: bool


_accesses: WeakKeyDictionary[KernelCall, list[BufferAccess]] = WeakKeyDictionary()


def is_shared(call: KernelCall) -> bool:
    """Whether it pays to share a kernel out among threads."""
    return call.kernel.items > 1 and call.launch.estimate > WORTH_SHARING


def takes_threads(steps: Sequence[KernelStep]) -> bool:
    """Whether waking the other threads pays for a program: for a loop soon, for a few steps only when they are long."""
    gained = sum(step.launch.estimate for step in every(steps) if isinstance(step, KernelCall) and is_shared(step))
    loops = any(isinstance(step, CountedLoop | WhileLoop) for step in steps)
    return gained > WORTH_SHARING * (WAKING_FOR_A_LOOP if loops else WAKING)


def parts_of(call: KernelCall) -> int:
    """How many items of a kernel one thread does in order."""
    return call.launch.nest.parts if isinstance(call.launch, NestLaunch) else 1


def buffer_accesses(step: KernelCall | Callback) -> list[BufferAccess]:
    """What a step reads and writes, partitioned by what threads share; the stages after the kernels ask this of each
    call many times."""
    if isinstance(step, Callback):
        return [BufferAccess(view.buffer, Whole.THREAD_0, writes)
                for views, writes in ((step.inputs, False), (step.outputs, True)) for view in views]
    if step not in _accesses:
        _accesses[step] = _accesses_of(step, by_parts=False)
    return _accesses[step]


def accesses_by_parts(call: KernelCall) -> list[BufferAccess]:
    """What a kernel reads and writes, partitioned by the parts of what threads share."""
    return _accesses_of(call, by_parts=True)


def _accesses_of(step: KernelCall, *, by_parts: bool) -> list[BufferAccess]:
    operands, writes = step.launch.operands, step.launch.writes
    if not is_shared(step):
        return [BufferAccess(operand.buffer, Whole.THREAD_0, i in writes) for i, operand in enumerate(operands)]
    every = accesses(step.launch.nest) if isinstance(step.launch, NestLaunch) else []
    places = [[x for x in every if x.buffer == i] for i in range(len(operands))]
    return [BufferAccess(operand.buffer, _partition(step, i, places[i], by_parts), i in writes)
            for i, operand in enumerate(operands)]


def _partition(call: KernelCall, number: int, places: Sequence[Access], by_parts: bool) -> Partition:
    """How the items of a kernel partition the operand of that number, which it reads and writes at these places."""
    kernel, launch = call.kernel, call.launch
    if not kernel.rows:
        return Whole.ANY_THREAD
    if not isinstance(launch, NestLaunch):
        buffer = launch.operands[number].buffer
        is_own = number in launch.writes or buffer is launch.scatters_into
        return Rows(kernel.rows, buffer.bytes // kernel.rows) if is_own else Whole.ANY_THREAD
    partitions = {_rows(access, launch.nest, kernel, by_parts) for access in places}
    return partitions.pop() if len(partitions) == 1 else Whole.ANY_THREAD


def _rows(access: Access, nest: Nest, kernel: Kernel, by_parts: bool) -> Partition:
    """The partition by an access whose first indices make up the items; none where rows overlap, or where those indices
    do not go over them in order."""
    parts = 1 if by_parts else nest.parts
    count = (nest.outer or 1) - (parts > 1)
    outer, others = access.strides[:count] or (0,), access.strides[count:]
    reach = access.offset + sum((n - 1) * s for n, s in zip(nest.sizes[count:], others, strict=False))
    in_order = all(a == b * n for (a, b), n in zip(itertools.pairwise(outer), nest.sizes[1:count], strict=False))
    if access.offset < 0 or min(others, default=0) < 0 or not (in_order and 0 <= reach < outer[-1]):
        return Whole.ANY_THREAD
    return Rows(kernel.items // parts, outer[-1] * kernel.per_item * access.dtype.itemsize)


def conflict(first: BufferAccess, second: BufferAccess) -> int:
    """Whether two accesses of memory with one root need a barrier between them: 0 for never, 1 for always; for another
    number whenever it cannot be divided evenly among the threads, as then the borders of their shares differ."""
    if not (first.writes or second.writes):
        return 0
    one, other = first.partition, second.partition
    if first.buffer.row_key != second.buffer.row_key or Whole.ANY_THREAD in (one, other):
        return 1
    if one == other:
        return 0
    if isinstance(one, Whole) or isinstance(other, Whole) or math.prod(one) != math.prod(other):
        return 1
    return math.gcd(one.items, other.items)
