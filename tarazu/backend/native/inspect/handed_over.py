"""What threads hand over to each other: the bytes that one reads and another one wrote, which go from core to core.

The items of a kernel run over a *span* of each buffer: the i-th of n threads has the i-th part of each so many bytes.
Kernels with the same span of a buffer have it divided alike, and nothing goes from one core to another. A thread that
needs another part, or all of it, gets what others wrote when it first reads it; then its core has it until it is
written again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.inspect.work import touched_bytes
from tarazu.backend.native.kernels.contraction_choice import CACHE
from tarazu.backend.native.kernels.kernel import KernelCall
from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.steps import Callback, every
from tarazu.backend.native.schedule.runs import Run, ScheduledStep
from tarazu.backend.native.schedule.work_sharing import Rows, buffer_accesses, is_shared

THREAD_0, ALL = -1, 0  # in place of a span: only thread 0 has it; each thread has all of it


class Handed(NamedTuple):
    """Bytes that others wrote, each time a step is done."""

    first: float  # to thread 0
    others: float  # to each other thread


NOTHING = Handed(0, 0)


class _Use(NamedTuple):
    """What a step reads or writes of a buffer."""

    buffer: Buffer
    span: int
    bytes: int  # by all threads together, each counted once
    writes: bool


class _Memory(NamedTuple):
    """Who wrote what is in a buffer, and who has read it since, by spans."""

    writer: int
    readers: set[int]


def handed_over(steps: Sequence[ScheduledStep], threads: int) -> dict[int, Handed]:
    """What each step, by its id, gets from other threads of so many, in a run that follows others like it."""
    state: dict[Buffer, _Memory] = {}
    handed: dict[int, Handed] = {}
    for _ in range(2):  # in the second run all is where the first has left it
        for step in every(steps):
            found = [_handed(state, use, threads) for use in _uses(step)]
            handed[id(step)] = Handed(sum(one.first for one in found), sum(one.others for one in found))
    return handed


def _uses(step: ScheduledStep) -> Iterator[_Use]:
    """What a step reads and then what it writes, without the steps inside it."""
    if isinstance(step, Run):
        for call in step.calls:
            yield from (use for use in _uses(call) if use.buffer.root not in step.local)
    elif isinstance(step, KernelCall):
        for writes in (False, True):
            for number, count in touched_bytes(step.launch, writes).items():
                yield _Use(step.launch.operands[number].buffer, _span(step, number), count, writes)
    elif isinstance(step, Callback):
        yield from (_Use(access.buffer, THREAD_0, access.buffer.bytes, access.writes)
                    for access in buffer_accesses(step))


def _span(call: KernelCall, number: int) -> int:
    if not is_shared(call):
        return THREAD_0
    if number < len(call.kernel.spans):
        return call.kernel.spans[number]
    access = buffer_accesses(call)[number]
    if isinstance(access.partition, Rows):
        return access.partition.items * access.partition.bytes
    return access.buffer.bytes if access.writes else ALL


def _handed(state: dict[Buffer, _Memory], use: _Use, threads: int) -> Handed:
    """What goes from core to core for a use of a buffer, which is noted."""
    memory = state.get(use.buffer.root)
    if use.writes:
        state[use.buffer.root] = _Memory(use.span, {use.span})
        return NOTHING
    if memory is None or ALL in memory.readers or use.span in memory.readers:
        return NOTHING
    memory.readers.add(use.span)
    share = use.bytes if use.span == ALL else use.bytes / threads
    if use.bytes > CACHE:  # others have it no longer in their caches: it comes from where one's own would come from
        return NOTHING
    of_others = (threads - 1) / threads
    if use.span == THREAD_0:
        return Handed(use.bytes * of_others, 0)
    return Handed(0, share) if memory.writer == THREAD_0 else Handed(share * of_others, share * of_others)
