"""The accesses of memory since the last barrier, found by where they lie, so that a program may have thousands."""

from __future__ import annotations

import bisect
from collections.abc import Iterator

from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.schedule.memory_plan import MemoryPlan
from tarazu.backend.native.schedule.work_sharing import BufferAccess, Whole

Key = tuple[tuple[tuple[int, int], ...], object, bool]  # accesses of one root that conflict with the same others


class PendingAccesses:
    """Accesses that a barrier has not separated from what follows; those of thread 0 alone stand apart."""

    def __init__(self, plan: MemoryPlan) -> None:
        self._of_first, self._of_all = _Accesses(plan), _Accesses(plan)
        self._start: list[BufferAccess] | None = None  # of the turn of a loop, as long as it has had no barrier

    def add(self, access: BufferAccess) -> None:
        """Note an access."""
        (self._of_first if access.partition is Whole.THREAD_0 else self._of_all).add(access)
        if self._start is not None:
            self._start.append(access)

    def clear(self) -> None:
        """Forget all accesses, as after a barrier."""
        self._of_first.clear()
        self._of_all.clear()
        self._start = None

    def start_turn(self) -> list[BufferAccess]:
        """What a turn of a loop, which begins behind a barrier, will have accessed before the first barrier in it."""
        self.clear()
        self._start = []
        return self._start

    def near(self, access: BufferAccess) -> Iterator[BufferAccess]:
        """The accesses of the same memory; for one by thread 0, which does its steps in order, those of others."""
        yield from self._of_all.near(access.buffer)
        if access.partition is not Whole.THREAD_0:
            yield from self._of_first.near(access.buffer)


class _Accesses:
    """Accesses by the buffer that owns the memory, and these buffers by where they lie in the arena."""

    def __init__(self, plan: MemoryPlan) -> None:
        self._plan = plan
        self._by_root: dict[Buffer, dict[Key, BufferAccess]] = {}
        self._starts: dict[int, list[tuple[int, int]]] = {}  # by the bit length of sizes: offsets, and positions in
        self._roots: list[Buffer] = []

    def add(self, access: BufferAccess) -> None:
        root = access.buffer.root
        if root not in self._by_root:
            self._by_root[root] = {}
            if root.storage == "arena":
                bisect.insort(self._starts.setdefault(root.bytes.bit_length(), []),
                              (self._plan.offset(root), len(self._roots)))
                self._roots.append(root)
        self._by_root[root].setdefault((access.buffer.row_key, access.partition, access.writes), access)

    def clear(self) -> None:
        self._by_root.clear()
        self._starts.clear()
        self._roots.clear()

    def near(self, buffer: Buffer) -> Iterator[BufferAccess]:
        root = buffer.root
        yield from self._by_root.get(root, {}).values()
        if root.storage == "arena":
            for other in self._overlapping(root):
                yield from self._by_root[other].values()

    def _overlapping(self, root: Buffer) -> Iterator[Buffer]:
        """Other buffers that share memory of the arena with `root`."""
        start = self._plan.offset(root)
        for bits, starts in self._starts.items():
            first = bisect.bisect_left(starts, (start - 2**bits, 0))
            last = bisect.bisect_left(starts, (start + root.bytes, 0))
            for _, position in starts[first:last]:
                other = self._roots[position]
                if other is not root and self._plan.overlap(other, root):
                    yield other
