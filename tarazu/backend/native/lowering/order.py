"""The order of the steps of a program: what nothing waits for, such as updates of weights, comes as soon as it can.

A graph has all updates behind the whole way back. Done there, they keep what they read until then: activations,
gradients of these. Done as soon as both are there, they let memory be used again, and find their inputs in the cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.in_place import Pair
from tarazu.backend.native.lowering.steps import NestLaunch, Step, touched
from tarazu.ir import op as ops

MUCH = 2**24  # bytes of memory of its own from which on a program is ordered: caches hold less
PRODUCTS = frozenset([op.name for op in ops.PRODUCTS])


def with_early_updates(steps: Sequence[Step], pairs: Iterable[Pair]) -> list[Step]:
    """The steps, each that only writes new state right behind the last one that it depends on.

    The `new` buffer of a pair counts as the memory of the `old` one: it is written after that was read.
    """
    pairs = list(pairs)
    every = [(buffer.root, writes) for step in steps for buffer, writes in touched(step)]
    if sum(buffer.bytes for buffer in {buffer for buffer, _ in every} if buffer.storage == "arena") < MUCH:
        return list(steps)
    read = {buffer for buffer, writes in every if not writes}
    unread = {pair.new for pair in pairs if pair.new not in read}
    order = _Order({pair.new: pair.old for pair in pairs})
    updates = []
    for step in steps:
        if _writes_only(step, unread):
            updates.append(step)
        else:
            order.append(step)
    if not order.places:
        return list(steps)
    for step in updates:
        order.insert(step)
    return [step for place in order.places for step in place]


def _writes_only(step: Step, buffers: Set[Buffer]) -> bool:
    """Whether a step is a kernel that writes some of `buffers` and nothing else."""
    return isinstance(step, NestLaunch) and all(step.operands[i].buffer in buffers for i in step.writes)


class _Order:
    """The steps in their order, as places; what is inserted stands at the end of the place of what it follows."""

    def __init__(self, same_memory: dict[Buffer, Buffer]) -> None:
        self.places: list[list[Step]] = []
        self._same = same_memory
        self._read: dict[Buffer, int] = {}  # the last place where memory is read
        self._written: dict[Buffer, int] = {}

    def append(self, step: Step) -> None:
        """Put a step behind all others."""
        self._note(step, len(self.places))
        self.places.append([step])

    def insert(self, step: Step) -> None:
        """Put a step right behind the last one that it depends on, but not between the kernels of a run."""
        place = 0
        for buffer, writes in touched(step):
            root = self._root(buffer)
            place = max(place, self._written.get(root, 0), self._read.get(root, 0) if writes else 0)
        while place + 1 < len(self.places) and _may_run_together(self.places[place][0], self.places[place + 1][0]):
            place += 1
        self._note(step, place)
        self.places[place].append(step)

    def _note(self, step: Step, place: int) -> None:
        for buffer, writes in touched(step):
            noted, root = self._written if writes else self._read, self._root(buffer)
            noted[root] = max(noted.get(root, 0), place)

    def _root(self, buffer: Buffer) -> Buffer:
        return self._same.get(buffer.root, buffer.root)


def _may_run_together(first: Step, second: Step) -> bool:
    """Whether the second may have to stand right behind the first one, with which it is done block by block."""
    if not (isinstance(first, NestLaunch) and isinstance(second, NestLaunch)):
        return False
    if second.title in PRODUCTS:
        return False
    written = {first.operands[i].buffer.root for i in first.writes}
    return any(operand.buffer.root in written for operand in second.operands)
