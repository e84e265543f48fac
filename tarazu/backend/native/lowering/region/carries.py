"""How the new carries of a loop get into the memory of the old ones by the end of an iteration.

In place, where nothing reads the old carry once the new one is written; by a second store of the kernel that computes
the new carry; else by a copy at the end of the iteration.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

from tarazu.backend.native.lowering.buffers import Buffer, View
from tarazu.backend.native.lowering.in_place import (
    Pair,
    Touches,
    current,
    may_take_place,
    reads_what_it_writes,
    reused_in_place,
)
from tarazu.backend.native.lowering.loop_nest import Store
from tarazu.backend.native.lowering.order import with_early_updates
from tarazu.backend.native.lowering.region.builder import Region
from tarazu.backend.native.lowering.steps import NestLaunch, Operand, Step, copy_launch, touched, with_buffers


class _Carry(NamedTuple):
    """Where an iteration leaves a carry (`new`), and where the next iteration reads it (`old`)."""

    new: View
    old: View


def with_carries(body: Region, inputs: Sequence[View], carries: Sequence[View]) -> tuple[Step, ...]:
    """The steps of an iteration, with its first outputs where the next iteration expects its carries.

    `inputs` are those of the body; the `carries` are among them, and belong to the first outputs one by one.
    """
    moved = [_Carry(new, old) for new, old in zip(body.outputs, carries, strict=False) if new.buffer is not old.buffer]
    given = {view.buffer for view in inputs}
    own = [carry for carry in moved if _is_own(carry.new, given)]
    rest = [carry for carry in moved if not _is_own(carry.new, given)]
    still_read = {carry.new.buffer.root for carry in rest}
    iteration = _IterationBuilder(with_early_updates(body.steps, [Pair(new.buffer, old.buffer) for new, old in own]))
    for carry in own:
        if carry.old.buffer.root not in still_read and iteration.may_replace(carry):
            iteration.replace(carry)
        else:
            rest.append(carry)
    still_read = {iteration.root(carry.new.buffer) for carry in rest}
    copied = []
    for carry in rest:
        storing = None if carry.old.buffer.root in still_read else iteration.with_second_store(carry)
        if storing is None:
            copied.append(carry)
        else:
            iteration.set_step(*storing)
    iteration.copy(copied, {carry.buffer.root for carry in carries})
    outside = {view.buffer.root for view in [*inputs, *body.outputs]}
    return tuple(reused_in_place(iteration.finished(), outside))


def _is_own(view: View, given: Set[Buffer]) -> bool:
    """Whether an output fills memory that was made for it."""
    buffer = view.buffer
    return (buffer.storage == "arena" and buffer not in given and not view.offset
            and math.prod(view.shape) == buffer.size)


class _IterationBuilder:
    """The steps of an iteration while its carries find their place; which buffers they read and write."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = list(steps)
        self._touches = Touches(self._steps)
        self._aliases: dict[Buffer, Buffer] = {}

    def root(self, buffer: Buffer) -> Buffer:
        """The buffer that owns the memory, replaced ones considered."""
        return self._aliases.get(buffer.root, buffer).root

    def may_replace(self, carry: _Carry) -> bool:
        """Whether the new carry may be written where the old one lies."""
        new, old = carry.new.buffer, carry.old.buffer
        return new not in self._aliases and may_take_place(self._steps, self._touches, new, old)

    def replace(self, carry: _Carry) -> None:
        """Write the new carry where the old one lies."""
        self._aliases[carry.new.buffer] = carry.new.buffer.alias_of(carry.old.buffer)

    def with_second_store(self, carry: _Carry) -> tuple[int, NestLaunch] | None:
        """The step that computes the new carry, by its position, as a launch that also stores it where the old one
        lies; None where that is not safe."""
        new, old = carry.new.buffer, carry.old.buffer
        positions, reads = self._writers(new), self._touches.reads.get(old.root, [])
        if len(positions) != 1 or carry.new.offset or carry.old.offset or old.root in self._touches.writes:
            return None
        (position,) = positions
        launch = self._steps[position]
        if not isinstance(launch, NestLaunch) or any(at > position for at in reads):
            return None
        stores = _stores_to(launch, new)
        is_whole = math.prod(launch.nest.sizes[:launch.nest.kept]) == math.prod(carry.old.shape)
        if len(stores) != 1 or not is_whole or (position in reads and not reads_what_it_writes(launch, new, old)):
            return None
        number = len(launch.operands)
        second = stores[0]._replace(access=stores[0].access._replace(buffer=number))
        return position, launch._replace(
            operands=(*launch.operands, Operand(old)), writes=launch.writes | {number},
            nest=launch.nest._replace(stores=(*launch.nest.stores, second)))

    def set_step(self, position: int, step: Step) -> None:
        """Put another step in the place of one."""
        self._steps[position] = step

    def _writers(self, buffer: Buffer) -> list[int]:
        """The positions of the steps that write a buffer; none once it is replaced."""
        return [] if buffer in self._aliases else [position for position in self._touches.writes.get(buffer.root, [])
                                                   if (buffer, True) in touched(self._steps[position])]

    def copy(self, carries: Sequence[_Carry], carried: Set[Buffer]) -> None:
        """Append copies from the new carries to the old ones; those from one of `carried` to another go by way of
        other memory."""
        first, last = [], []
        for new, old in carries:
            if not old.buffer.size:
                continue
            if self.root(new.buffer) in carried:
                between = View.new(old.buffer.dtype, old.shape)
                first.append(copy_launch(new, between))
                new = between
            last.append(copy_launch(new, old))
        self._steps += [*first, *last]

    def finished(self) -> tuple[Step, ...]:
        """All steps, with replaced buffers as aliases of what they replace."""
        if not self._aliases:
            return tuple(self._steps)
        find = current(self._aliases)
        return tuple([with_buffers(step, find) for step in self._steps])


def _stores_to(launch: NestLaunch, buffer: Buffer) -> list[Store]:
    number = next(i for i, operand in enumerate(launch.operands) if operand.buffer is buffer)
    return [store for store in launch.nest.stores if store.access.buffer == number]
