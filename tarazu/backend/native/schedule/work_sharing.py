"""How threads share the work of a step, and where they must wait for each other.

A step is done by thread 0 alone, or in shares. Shares of two steps that are cut alike at the same places of a buffer
need no barrier between them; everything else that meets in memory does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tarazu.backend.native.lowering.loop_nest import Access, accesses
from tarazu.backend.native.lowering.steps import Callback, Launch, Repeat, Step
from tarazu.backend.native.lowering.views import Buffer

WORTH_SHARING = 400.0  # nanoseconds of one thread; a barrier takes two or three hundred
WAKING, WAKING_FOR_A_LOOP = 75, 5  # what waking helpers costs, in units of that
ALONE, ANYWHERE = "alone", "anywhere"  # done by thread 0; each thread may touch any element

Cut = tuple[int, int] | str  # items and bytes for each, or one of the two above


class Touch(NamedTuple):
    """Memory that a step reads or writes, and how it is cut into shares."""

    buffer: Buffer
    cut: Cut
    writes: bool


def is_shared(launch: Launch) -> bool:
    """Whether it pays to share a kernel out among threads."""
    assert launch.kernel is not None
    return launch.kernel.items > 1 and launch.estimate > WORTH_SHARING


def takes_threads(steps: Sequence[Step], launches: Sequence[Launch]) -> bool:
    """Whether waking the other threads pays for a program: for a loop soon, for a few steps only when they are long."""
    gained = sum(launch.estimate for launch in launches if is_shared(launch))
    loops = any(isinstance(step, Repeat) for step in steps)
    return gained > WORTH_SHARING * (WAKING_FOR_A_LOOP if loops else WAKING)


def touches(step: Launch | Callback) -> list[Touch]:
    if isinstance(step, Callback):
        return [Touch(view.buffer, ALONE, writes) for views, writes in ((step.inputs, False), (step.outputs, True))
                for view in views]
    shared = is_shared(step)
    return [Touch(buffer, _cut(step, i) if shared else ALONE, i in step.writes)
            for i, (buffer, _) in enumerate(step.operands)]


def _cut(launch: Launch, position: int) -> Cut:
    kernel, nest = launch.kernel, launch.nest
    assert kernel is not None
    if not kernel.rows:
        return ANYWHERE
    buffer = launch.operands[position][0]
    if nest is None:
        return (kernel.rows, buffer.bytes // kernel.rows) if position in launch.writes else ANYWHERE
    cuts = {_row_cut(access, nest.sizes, kernel.items, kernel.per_item) for access in accesses(nest)
            if access.buffer == position}
    return cuts.pop() if len(cuts) == 1 else ANYWHERE


def _row_cut(access: Access, sizes: Sequence[int], items: int, step: int) -> Cut:
    """The cut of an access whose first index makes up the items; ANYWHERE when rows overlap."""
    stride, *others = access.strides or (0,)
    reach = access.offset + sum((n - 1) * s for n, s in zip(sizes[1:], others, strict=False))
    if access.offset < 0 or min(others, default=0) < 0 or not 0 <= reach < stride:
        return ANYWHERE
    return items, stride * step * access.dtype.itemsize


def conflict(first: Touch, second: Touch) -> int:
    """Whether two touches of the same buffer need a barrier between them: 0 for never, 1 for always; for another number
    whenever it cannot be divided evenly among the threads, as then the borders of their shares differ."""
    if not (first.writes or second.writes):
        return 0
    if first.buffer.row_key != second.buffer.row_key or ANYWHERE in (first.cut, second.cut):
        return 1
    if first.cut == second.cut:
        return 0
    if isinstance(first.cut, str) or isinstance(second.cut, str) or math.prod(first.cut) != math.prod(second.cut):
        return 1
    return math.gcd(first.cut[0], second.cut[0])


class Run:
    """Kernels that go over the same items one after the other, block by block, so that a block stays in the cache."""

    __slots__ = ("block", "launches")

    def __init__(self, launches: list[Launch]) -> None:
        self.launches = launches
        per_item = sum(buffer.bytes for buffer in {b for launch in launches for b, _ in launch.operands})
        items = launches[0].kernel.items  # type: ignore[union-attr]
        self.block = max(CACHED * items // max(per_item, 1), 1)


CACHED = 65536  # bytes that a block may touch


def with_runs(steps: Sequence[Step]) -> list[Step | Run]:
    """The steps with neighbors that fit together as runs."""
    found: list[Step | Run] = []
    current: list[Launch] = []

    def finish() -> None:
        if current:
            found.append(Run(list(current)) if len(current) > 1 else current[0])
            current.clear()

    for step in steps:
        if not (isinstance(step, Launch) and _can_run(step)):
            finish()
            found.append(step)
            continue
        if current and not _fits(current, step):
            finish()
        current.append(step)
    finish()
    return found


def _can_run(launch: Launch) -> bool:
    return launch.nest is not None and is_shared(launch) and bool(launch.kernel and launch.kernel.rows)


def _fits(run: Sequence[Launch], launch: Launch) -> bool:
    assert launch.kernel is not None
    if run[0].kernel.items != launch.kernel.items:  # type: ignore[union-attr]
        return False
    mine = touches(launch)
    return not any(conflict(a, b) for other in run for a in touches(other) for b in mine
                   if a.buffer.root is b.buffer.root)

