"""Steps that write where they read: a value takes over the memory of another that nothing reads afterwards.

So a program's state is renewed where it lies, and what is computed element by element needs no second buffer. In both
cases the step that writes reads each element of the old value only where it computes that of the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from typing import NamedTuple

from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.loop_nest import accesses, loads
from tarazu.backend.native.lowering.steps import NestLaunch, PrimitiveLaunch, Step, touched, with_buffers

LARGE = 2**18  # bytes of a buffer that is worth a barrier before the step that writes in its place


class Pair(NamedTuple):
    """A buffer that may be written in the place of another one."""

    new: Buffer
    old: Buffer


def reads_what_it_writes(step: Step, new: Buffer, old: Buffer) -> bool:
    """Whether a step reads each element of `old` only where it computes that of `new` with the same index."""
    if isinstance(step, PrimitiveLaunch):
        return _scatters(step, new, old)
    if not isinstance(step, NestLaunch):
        return False
    numbers = {operand.buffer: i for i, operand in enumerate(step.operands)}
    if sum(buffer.root is old.root for buffer in numbers) != 1 or old not in numbers:
        return False
    target = next(store.access for store in step.nest.stores if store.access.buffer == numbers[new])
    if any(access.buffer == numbers[old] for access in loads(*[reduction.value for reduction in step.nest.reductions])):
        return False
    return all((access.offset, access.strides) == (target.offset, target.strides)
               for access in accesses(step.nest) if access.buffer == numbers[old])


def _scatters(step: PrimitiveLaunch, new: Buffer, old: Buffer) -> bool:
    """Whether a step scatters into what is in the whole of `old`."""
    own = [operand for operand in step.operands if operand.buffer.root is old.root]
    return (step.scatters_into is old and step.operands[-1].buffer is new and len(own) == 1
            and not own[0].skipped and not step.operands[-1].skipped)


class Touches:
    """The positions of the steps that read and that write each buffer, by the buffer that owns the memory."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.reads: dict[Buffer, list[int]] = {}
        self.writes: dict[Buffer, list[int]] = {}
        for position, step in enumerate(steps):
            for buffer, writes in touched(step):
                (self.writes if writes else self.reads).setdefault(buffer.root, []).append(position)

    def all_of(self, buffer: Buffer) -> list[int]:
        """Where a buffer is read or written."""
        return self.reads.get(buffer, []) + self.writes.get(buffer, [])


def may_take_place(steps: Sequence[Step], touches: Touches, new: Buffer, old: Buffer) -> bool:
    """Whether `new` may be written where `old` lies: no step reads the old one after the new one is written, and the
    step that writes it reads each element of the old one only where it writes the new one's."""
    writes, reads = touches.writes.get(new, []), touches.reads.get(old.root, [])
    if not writes or old.root in touches.writes or any(at > writes[0] for at in reads):
        return False
    return writes[0] not in reads or reads_what_it_writes(steps[writes[0]], new, old)


def renewed_in_place(steps: Sequence[Step], pairs: Iterable[Pair]) -> tuple[list[Step], list[Pair]]:
    """The steps with state written in the place of old state where that is safe, and these pairs."""
    touches = Touches(steps)
    chosen: dict[Buffer, Pair] = {}
    for new, old in pairs:
        if may_take_place(steps, touches, new, old):
            chosen[new] = Pair(new, old)
    placed = _with_aliases(steps, {pair.new: pair.new.alias_of(pair.old) for pair in chosen.values()})
    return [step for step in placed if not _copies_to_itself(step)], list(chosen.values())


def _copies_to_itself(step: Step) -> bool:
    """Whether a step copies a buffer to where it lies: the first value of what a loop renews in place."""
    if not isinstance(step, NestLaunch) or step.title != "copy":
        return False
    (store,), (source, target) = step.nest.stores, step.operands
    places = {(access.offset, access.strides) for access in (store.access, *loads(store.value))}
    return source.buffer.root is target.buffer.root and source.skipped == target.skipped and len(places) == 1


def reused_in_place(steps: Sequence[Step], outside: Set[Buffer] = frozenset()) -> list[Step]:
    """The steps with large values written in the place of others that end there.

    Both are memory of the program's own that no other steps touch: none of the buffers `outside`.
    """
    touches = Touches(steps)
    aliases: dict[Buffer, Buffer] = {}

    def is_own(buffer: Buffer) -> bool:
        return buffer.storage == "arena" and buffer.bytes >= LARGE and buffer not in outside

    for position, step in enumerate(steps):
        if not isinstance(step, NestLaunch | PrimitiveLaunch):
            continue
        given = [operand.buffer for i, operand in enumerate(step.operands) if i not in step.writes]
        ending = [old for old in dict.fromkeys(given) if is_own(old) and max(touches.all_of(old)) == position]
        for new in [step.operands[i].buffer for i in sorted(step.writes)]:
            if not is_own(new) or min(touches.all_of(new)) < position:
                continue
            old = next((old for old in ending if old.bytes == new.bytes and old.dtype.itemsize == new.dtype.itemsize
                        and reads_what_it_writes(step, new, old)), None)
            if old is not None:
                ending.remove(old)
                aliases[new] = new.alias_of(aliases.get(old, old))
    return _with_aliases(steps, aliases)


def _with_aliases(steps: Sequence[Step], aliases: dict[Buffer, Buffer]) -> list[Step]:
    """The steps with other buffers in the place of some, and of rows and aliases of these."""
    find = current(aliases)
    return [with_buffers(step, find) for step in steps] if aliases else list(steps)


def current(aliases: dict[Buffer, Buffer]) -> Callable[[Buffer], Buffer]:
    """What gives the buffer that stands for one after some were replaced by aliases."""
    known = dict(aliases)

    def find(buffer: Buffer) -> Buffer:
        if buffer not in known:
            parent = None if buffer.parent is None else find(buffer.parent)
            known[buffer] = buffer if parent is None or parent is buffer.parent else buffer.with_parent(parent)
        return known[buffer]

    return find
