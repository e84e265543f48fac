"""Where in the arena each buffer lies: memory is used again when nothing needs what was there."""

from __future__ import annotations

from tarazu.backend.native.lowering.steps import Launch, Repeat, Step, inner_lists, touched
from tarazu.backend.native.lowering.views import Buffer
from tarazu.backend.native.schedule.work_sharing import Run

ALIGN = 64  # bytes, a cache line and the widest vector
Loop = int  # the step at which a loop starts


class _Lifetimes:
    """From which step to which each buffer is needed; all through a loop when it is touched outside it too."""

    def __init__(self, steps: list[Step | Run]) -> None:
        self.touches: dict[Buffer, list[tuple[int, tuple[Loop, ...]]]] = {}
        self.ends: dict[Loop, int] = {}
        self._clock = 0
        self._walk(steps, ())

    def _walk(self, steps: list[Step | Run], loops: tuple[Loop, ...]) -> None:
        for step in steps:
            self._clock += 1
            if isinstance(step, Run):
                for launch in step.launches:
                    self._note(launch, loops)
            elif inner_lists(step):
                self._region(step, loops)
            else:
                self._note(step, loops)

    def _region(self, step: Step, loops: tuple[Loop, ...]) -> None:
        start = self._clock
        inner = (*loops, start) if isinstance(step, Repeat) else loops
        if isinstance(step, Repeat) and step.predicate is not None:
            self._touch(step.predicate, inner)
        elif not isinstance(step, Repeat):
            self._touch(step.predicate[0], inner)  # type: ignore[union-attr]
        for steps in inner_lists(step):
            self._walk(steps, inner)  # type: ignore[arg-type]
        self._clock += 1
        if isinstance(step, Repeat) and step.predicate is not None:
            self._touch(step.predicate, inner)
        self.ends[start] = self._clock

    def _note(self, step: Step | Launch, loops: tuple[Loop, ...]) -> None:
        for buffer, _ in touched(step):
            self._touch(buffer, loops)

    def _touch(self, buffer: Buffer, loops: tuple[Loop, ...]) -> None:
        if buffer.root.place == "arena":
            self.touches.setdefault(buffer.root, []).append((self._clock, loops))

    def span(self, buffer: Buffer) -> tuple[int, int]:
        found = self.touches[buffer]
        first, last = found[0][0], found[-1][0]
        for loop in {loop for _, loops in found for loop in loops}:
            if any(loop not in loops for _, loops in found):
                first, last = min(first, loop), max(last, self.ends[loop])
        return first, last


def aligned(size: int) -> int:
    """`size` bytes, rounded up to where the next buffer may start."""
    return -(-size // ALIGN) * ALIGN


def place(steps: list[Step | Run]) -> int:
    """Give every buffer of the arena its offset; the number of bytes in all."""
    lifetimes = _Lifetimes(steps)
    spans = sorted(((lifetimes.span(buffer), buffer) for buffer in lifetimes.touches), key=lambda item: item[0])
    placed: list[tuple[int, int, int]] = []  # offset, end, last step
    total = 0
    for (start, last), buffer in spans:
        placed = sorted(entry for entry in placed if entry[2] >= start)
        size, offset = aligned(max(buffer.bytes, 1)), 0
        for low, high, _ in placed:
            if offset + size <= low:
                break
            offset = max(offset, high)
        buffer.offset = offset
        placed.append((offset, offset + size, last))
        total = max(total, offset + size)
    return total
