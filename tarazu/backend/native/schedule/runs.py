"""Runs: neighboring kernels over the same items that are done block by block, so that a block stays in the cache.

An item of one kernel may be several of another: 8 images, and each of them. What only the kernels of a run access needs
memory for a block only, which each thread has: it is *local*.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from tarazu.backend.native.kernels.kernel import KernelCall, KernelStep
from tarazu.backend.native.kernels.loops import FEW_ITEMS
from tarazu.backend.native.llvm.target import CACHE_LINE
from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.steps import (
    Branch,
    Callback,
    CountedLoop,
    NestLaunch,
    WhileLoop,
    every,
    map_inner,
    predicate_of,
    touched,
)
from tarazu.backend.native.schedule.work_sharing import (
    BufferAccess,
    Rows,
    accesses_by_parts,
    buffer_accesses,
    conflict,
    is_shared,
    parts_of,
)

CACHED = 65536  # bytes that a block may touch


class Local(NamedTuple):
    """Memory of a thread for what belongs to one block of a run."""

    offset: int  # in bytes from the start of the thread's memory
    bytes: int  # of each item


class Run(NamedTuple):
    """Kernels that go over the same items one after the other: all of them over one block of items, then the next."""

    calls: tuple[KernelCall, ...]
    block: int  # items
    local: Mapping[Buffer, Local] = {}  # buffers that no other step accesses
    parts: int = 1  # of each item, which one thread does one after the other, all kernels for one before the next

    @classmethod
    def of(cls, calls: Sequence[KernelCall]) -> Run:
        """The run with blocks that fit into the cache."""
        touched = sum(buffer.bytes for buffer in {operand.buffer for call in calls for operand in call.launch.operands})
        parts = parts_of(calls[0])
        block = max(CACHED * items_of(calls) // max(touched, 1), 1) if parts == 1 else 1
        return cls(tuple(calls), block, parts=parts)

    @property
    def items(self) -> int:
        """The number of items of the kernel with the fewest; each other has a multiple of that."""
        return items_of(self.calls)

    def accesses(self) -> Iterator[BufferAccess]:
        """What the run reads and writes of memory that others access too, in its own items."""
        for call in self.calls:
            yield from (access for access in _in_items(call, self.items) if access.buffer.root not in self.local)


ScheduledStep: TypeAlias = \
    "Run | KernelCall | Callback | CountedLoop[ScheduledStep] | WhileLoop[ScheduledStep] | Branch[ScheduledStep]"


def items_of(calls: Sequence[KernelCall]) -> int:
    """The items of the kernel that has the fewest."""
    return min(call.kernel.items // parts_of(call) for call in calls)


def _in_items(call: KernelCall, items: int) -> Iterator[BufferAccess]:
    """The accesses of a kernel, partitioned into so many items, which its own divide."""
    for access in buffer_accesses(call):
        rows = access.partition
        yield access._replace(partition=Rows(items, rows.bytes * (rows.items // items))) \
            if isinstance(rows, Rows) else access


def with_runs(steps: Sequence[KernelStep]) -> tuple[ScheduledStep, ...]:
    """The steps, those inside loops and branches too, with neighbors that fit together as runs."""
    scheduled: list[ScheduledStep] = []
    current = _Growing(scheduled)
    for step, following in zip(steps, [*steps, None][1:], strict=True):
        if not isinstance(step, KernelCall):
            current.finish()
            scheduled.append(step if isinstance(step, Callback) else map_inner(step, with_runs))
        elif not (current.takes(step) or current.leaves_out(step, following)):
            current.finish()
            if not current.takes(step):
                scheduled.append(step)
    current.finish()
    return tuple(scheduled)


class _Growing:
    """A run that grows, and the steps among its kernels that are none of it and are done after it."""

    def __init__(self, scheduled: list[ScheduledStep]) -> None:
        self._scheduled = scheduled
        self._calls: list[KernelCall] = []
        self._after: list[KernelCall] = []

    def takes(self, call: KernelCall) -> bool:
        """Append a kernel that fits; whether it does."""
        if not _can_run(call) or (self._calls and not self._fits(call)):
            return False
        self._calls.append(call)
        return True

    def _fits(self, call: KernelCall) -> bool:
        return _fits(self._calls, call) and _independent(call, self._after)

    def leaves_out(self, call: KernelCall, following: KernelStep | None) -> bool:
        """Do a kernel before or after the run, if the following one fits again; whether that can be."""
        if not (self._calls and isinstance(following, KernelCall) and _can_run(following) and self._fits(following)):
            return False
        if _independent(call, [*self._calls, *self._after]):
            self._scheduled.append(call)
        elif _independent(call, [following]):
            self._after.append(call)
        else:
            return False
        return True

    def finish(self) -> None:
        """Schedule the run, which may be a single kernel."""
        if self._calls:
            self._scheduled.append(Run.of(self._calls) if len(self._calls) > 1 else self._calls[0])
        self._scheduled += self._after
        self._calls, self._after = [], []


def _independent(call: KernelCall, others: Sequence[KernelCall]) -> bool:
    """Whether a kernel and others may be done in any order."""
    own = {buffer.root: writes for buffer, writes in sorted(touched(call.launch), key=lambda item: item[1])}
    return not any(buffer.root in own and (writes or own[buffer.root])
                   for other in others for buffer, writes in touched(other.launch))


def _can_run(call: KernelCall) -> bool:
    in_blocks = isinstance(call.launch, NestLaunch) or call.launch.is_by_rows
    return in_blocks and is_shared(call) and bool(call.kernel.rows)


def _fits(run: Sequence[KernelCall], call: KernelCall) -> bool:
    """Whether a kernel goes over the same items as those of a run, without a barrier in front of it; or over parts or
    groups of them, where one hands something on to the other."""
    items = items_of([*run, call])
    if any(parts_of(other) != parts_of(call) or other.kernel.items % items for other in (*run, call)):
        return False
    own = list(_in_items(call, items))
    common = [(a, b) for other in run for a in _in_items(other, items) for b in own if a.buffer.root is b.buffer.root]
    same = all(other.kernel.items == call.kernel.items for other in run)
    hands_on = items >= FEW_ITEMS and any(a.writes or b.writes for a, b in common)
    return (same or hands_on) and not any(conflict(a, b) for a, b in common)


# Local memory

def with_local_buffers(steps: Sequence[ScheduledStep], threads: int,
                       start: int) -> tuple[tuple[ScheduledStep, ...], int]:
    """The steps, where runs have memory behind byte `start` of each thread's memory for what only they access; and how
    many bytes each thread then needs."""
    users: dict[Buffer, set[int]] = {}
    for number, step in enumerate(every(steps)):
        for buffer in touched_itself(step):
            users.setdefault(buffer.root, set()).add(number)
    need = start

    def changed(steps: Sequence[ScheduledStep]) -> tuple[ScheduledStep, ...]:
        return tuple([local(step) if isinstance(step, Run) else step if isinstance(step, KernelCall | Callback) else
                      map_inner(step, changed) for step in steps])

    def local(run: Run) -> Run:
        nonlocal need
        own = {buffer for buffer in touched_itself(run) if buffer.storage == "arena" and len(users[buffer]) == 1}
        found, end = _local(run, own if run.block * threads <= run.items else set(), start)
        need = max(need, end)
        return run._replace(local=found)

    return changed(steps), need


def touched_itself(step: ScheduledStep) -> Iterator[Buffer]:
    """The buffers that a step itself accesses, without the steps inside it."""
    if isinstance(step, CountedLoop | WhileLoop | Branch):
        predicate = predicate_of(step)
        yield from [] if predicate is None else [predicate]
        return
    for part in step.calls if isinstance(step, Run) else [step]:
        yield from (buffer for buffer, _ in touched(part.launch if isinstance(part, KernelCall) else part))


def _local(run: Run, own: set[Buffer], offset: int) -> tuple[dict[Buffer, Local], int]:
    """Where those of its own buffers lie of which each item has a part, and where the last one ends."""
    partitions: dict[Buffer, set[object]] = {}
    accesses = run.accesses() if run.parts == 1 else \
        [access for call in run.calls for access in accesses_by_parts(call)]
    for access in accesses:
        partitions.setdefault(access.buffer.root, set()).add(access.partition if not access.buffer.row_key else None)
    found: dict[Buffer, Local] = {}
    for buffer, kinds in partitions.items():
        rows = next(iter(kinds))
        if buffer in own and len(kinds) == 1 and isinstance(rows, Rows):
            found[buffer] = Local(offset, rows.bytes)
            offset += math.ceil(rows.bytes * run.block / CACHE_LINE) * CACHE_LINE
    return found, offset
