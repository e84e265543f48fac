"""Runs: neighboring kernels over the same items that are done block by block, so that a block stays in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from tarazu.backend.native.kernels.kernel import KernelCall, KernelStep
from tarazu.backend.native.lowering.steps import Branch, Callback, CountedLoop, NestLaunch, WhileLoop, map_inner
from tarazu.backend.native.schedule.work_sharing import buffer_accesses, conflict, is_shared

CACHED = 65536  # bytes that a block may touch


class Run(NamedTuple):
    """Kernels that go over the same items one after the other: all of them over one block of items, then the next."""

    calls: tuple[KernelCall, ...]
    block: int  # items

    @classmethod
    def of(cls, calls: Sequence[KernelCall]) -> Run:
        """The run with blocks that fit into the cache."""
        touched = sum(buffer.bytes for buffer in {operand.buffer for call in calls for operand in call.launch.operands})
        return cls(tuple(calls), max(CACHED * calls[0].kernel.items // max(touched, 1), 1))


ScheduledStep: TypeAlias = \
    "Run | KernelCall | Callback | CountedLoop[ScheduledStep] | WhileLoop[ScheduledStep] | Branch[ScheduledStep]"


def with_runs(steps: Sequence[KernelStep]) -> tuple[ScheduledStep, ...]:
    """The steps, those inside loops and branches too, with neighbors that fit together as runs."""
    scheduled: list[ScheduledStep] = []
    current: list[KernelCall] = []

    def finish() -> None:
        if current:
            scheduled.append(Run.of(current) if len(current) > 1 else current[0])
            current.clear()

    for step in steps:
        if not (isinstance(step, KernelCall) and _can_run(step)):
            finish()
            scheduled.append(step if isinstance(step, KernelCall | Callback) else map_inner(step, with_runs))
            continue
        if current and not _fits(current, step):
            finish()
        current.append(step)
    finish()
    return tuple(scheduled)


def _can_run(call: KernelCall) -> bool:
    return isinstance(call.launch, NestLaunch) and is_shared(call) and bool(call.kernel.rows)


def _fits(run: Sequence[KernelCall], call: KernelCall) -> bool:
    """Whether a kernel goes over the same items as those of a run, without a barrier in front of it."""
    if run[0].kernel.items != call.kernel.items:
        return False
    own = buffer_accesses(call)
    return not any(conflict(a, b) for other in run for a in buffer_accesses(other) for b in own
                   if a.buffer.root is b.buffer.root)
