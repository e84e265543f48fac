"""The memory plan: where each buffer lies in the arena, one piece of memory whose parts are used again when free."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.kernel import KernelCall
from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.steps import (
    Callback,
    ControlFlow,
    CountedLoop,
    WhileLoop,
    inner_steps,
    predicate_of,
)
from tarazu.backend.native.schedule.runs import Run, ScheduledStep, touched_itself

MUCH, WORTH = 2**24, 0.98  # bytes of an arena from which on another plan is tried, and how much smaller it must be
MANY = 1000  # buffers for which that takes too long
ALIGN = 64  # bytes, a cache line and the widest vector
Loop = int  # the time at which a loop starts


class MemoryPlan(NamedTuple):
    """Offsets in the arena, in bytes from its start."""

    offsets: Mapping[Buffer, int]
    size: int  # of the arena

    def offset(self, buffer: Buffer) -> int:
        """Where the buffer starts that owns this one's memory."""
        return self.offsets[buffer.root]

    def overlap(self, a: Buffer, b: Buffer) -> bool:
        """Whether two buffers share memory."""
        first, second = a.root, b.root
        if first is second:
            return True
        if first.storage != "arena" or second.storage != "arena":
            return False
        start, other = self.offsets[first], self.offsets[second]
        return start < other + second.bytes and other < start + first.bytes


class _Lifetimes:
    """From which time to which each buffer is needed; all through a loop when it is touched outside it too."""

    def __init__(self, steps: Sequence[ScheduledStep]) -> None:
        self.touches: dict[Buffer, list[tuple[int, tuple[Loop, ...]]]] = {}
        self._ends: dict[Loop, int] = {}
        self._clock = 0
        self._walk(steps, ())

    def _walk(self, steps: Sequence[ScheduledStep], loops: tuple[Loop, ...]) -> None:
        for step in steps:
            self._clock += 1
            if isinstance(step, Run | KernelCall | Callback):
                for buffer in _buffers(step):
                    self._touch(buffer, loops)
            else:
                self._control_flow(step, loops)

    def _control_flow(self, step: ControlFlow[ScheduledStep], loops: tuple[Loop, ...]) -> None:
        start, predicate = self._clock, predicate_of(step)
        inner = (*loops, start) if isinstance(step, CountedLoop | WhileLoop) else loops
        if predicate is not None:
            self._touch(predicate, inner)
        for _, steps in inner_steps(step):
            self._walk(steps, inner)
        self._clock += 1
        if isinstance(step, WhileLoop):
            self._touch(step.predicate, inner)
        self._ends[start] = self._clock

    def _touch(self, buffer: Buffer, loops: tuple[Loop, ...]) -> None:
        if buffer.root.storage == "arena":
            self.touches.setdefault(buffer.root, []).append((self._clock, loops))

    def span(self, buffer: Buffer) -> tuple[int, int]:
        """The first and the last time at which a buffer is needed."""
        touches = self.touches[buffer]
        first, last = touches[0][0], touches[-1][0]
        for loop in {loop for _, loops in touches for loop in loops}:
            if any(loop not in loops for _, loops in touches):
                first, last = min(first, loop), max(last, self._ends[loop])
        return first, last


def _buffers(step: Run | KernelCall | Callback) -> Iterator[Buffer]:
    """The buffers that a step reads or writes, without those that are local to it."""
    local = step.local if isinstance(step, Run) else {}
    yield from (buffer for buffer in touched_itself(step) if buffer.root not in local)


def aligned(size: int) -> int:
    """`size` bytes, rounded up to where the next buffer may start."""
    return -(-size // ALIGN) * ALIGN


class _Span(NamedTuple):
    """A buffer, and the first and the last time at which it is needed."""

    start: int
    last: int
    buffer: Buffer

    @property
    def size(self) -> int:
        return aligned(max(self.buffer.bytes, 1))


def plan_memory(steps: Sequence[ScheduledStep]) -> MemoryPlan:
    """The offset of every buffer of the arena."""
    lifetimes = _Lifetimes(steps)
    spans = sorted([_Span(*lifetimes.span(buffer), buffer) for buffer in lifetimes.touches],
                   key=lambda span: (span.start, span.last))
    in_turn = _in_turn(spans)
    if in_turn.size < MUCH or len(spans) > MANY:
        return in_turn
    by_size = _by_size(spans)
    return by_size if by_size.size < WORTH * in_turn.size else in_turn


def _in_turn(spans: Sequence[_Span]) -> MemoryPlan:
    """Each buffer in the first gap that is large enough when it is first needed."""
    live: list[tuple[int, int, int]] = []  # a heap: last time, offset, size
    free = _FreeMemory()
    offsets: dict[Buffer, int] = {}
    for span in spans:
        while live and live[0][0] < span.start:
            free.give_back(*heapq.heappop(live)[1:])
        offsets[span.buffer] = free.take(span.size)
        heapq.heappush(live, (span.last, offsets[span.buffer], span.size))
    return MemoryPlan(offsets, free.end)


def _by_size(spans: Sequence[_Span]) -> MemoryPlan:
    """The largest buffers first, each as low as those allow that are needed at the same time: fewer gaps stay, but
    the time grows with the square of the number."""
    placed: list[tuple[int, int, _Span]] = []  # from where to where, in order
    for span in sorted(spans, key=lambda span: -span.size):
        offset = 0
        for begin, end, other in placed:
            if other.start <= span.last and span.start <= other.last:
                if begin - offset >= span.size:
                    break
                offset = max(offset, end)
        bisect.insort(placed, (offset, offset + span.size, span), key=lambda item: item[:2])
    return MemoryPlan({span.buffer: begin for begin, _, span in placed}, max([end for _, end, _ in placed], default=0))


class _FreeMemory:
    """The gaps of the arena in their order, each as large as can be; behind `end` all is free."""

    def __init__(self) -> None:
        self.end = 0
        self._gaps: list[tuple[int, int]] = []  # offset, size

    def take(self, size: int) -> int:
        """The offset of the first gap of at least `size` bytes, which are taken from it."""
        for i, (offset, room) in enumerate(self._gaps):
            if room >= size:
                self._gaps[i:i + 1] = [(offset + size, room - size)] if room > size else []
                return offset
        offset = self.end
        if self._gaps and sum(self._gaps[-1]) == self.end:
            offset = self._gaps.pop()[0]
        self.end = offset + size
        return offset

    def give_back(self, offset: int, size: int) -> None:
        """Free `size` bytes again."""
        i = bisect.bisect(self._gaps, (offset, 0))
        if i < len(self._gaps) and self._gaps[i][0] == offset + size:
            size += self._gaps.pop(i)[1]
        if i and sum(self._gaps[i - 1]) == offset:
            offset, before = self._gaps.pop(i - 1)
            size, i = size + before, i - 1
        self._gaps.insert(i, (offset, size))
