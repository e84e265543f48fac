"""Loops and branches: their bodies are regions of their own; inputs and results lie in memory of the outer one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tarazu.backend.native.lowering.launches import copy
from tarazu.backend.native.lowering.loop_nest import accesses, loads
from tarazu.backend.native.lowering.steps import Branch, Launch, Repeat, Step, Turn, touched
from tarazu.backend.native.lowering.views import Buffer, View
from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import Node

if TYPE_CHECKING:
    from tarazu.backend.native.lowering.region import Region


def _started(region: Region, inputs: Sequence[Node], carries: Sequence[View]) -> None:
    """Copy the first values of the carries into the memory that goes round the loop."""
    for source, carry in zip(inputs, carries, strict=True):
        region.copy(region.contiguous(source), carry)


def scan(region: Region, node: Node) -> None:
    attributes = node.attributes
    constants, carries, length = attributes["constants"], attributes["carries"], attributes["length"]
    results = region.result_views(node)
    fixed = [region.contiguous(x) for x in node.inputs[:constants]]
    sequences = [region.contiguous(x) for x in node.inputs[constants + carries:]]
    _started(region, node.inputs[constants:constants + carries], results[:carries])
    if length:
        turn = Turn()
        rows = [_row(view, turn) for view in sequences]
        stacks = [_row(view, turn) for view in results[carries:]]
        inputs = [*fixed, *results[:carries], *rows]
        body = loop_body(region, attributes["body"], inputs, results[:carries], stacks, constants)
        region.parts.append(Repeat(turn, body, length=length, reverse=attributes["reverse"]))
    _settle(region, node)


def _settle(region: Region, node: Node) -> None:
    """The results are there after the last part."""
    for user in region.demand.users[node]:
        region.position[user] = len(region.parts) - 1


def _row(view: View, turn: Turn) -> View:
    """The row of a stack at which the loop is."""
    shape = view.shape[1:]
    return View.whole(view.buffer.row(turn, math.prod(shape)), shape)


def while_(region: Region, node: Node) -> None:
    attributes = node.attributes
    first, second = attributes["condition_constants"], attributes["body_constants"]
    carries = region.result_views(node)
    fixed = [region.contiguous(x) for x in node.inputs[:first + second]]
    _started(region, node.inputs[first + second:], carries)
    predicate = View.whole(Buffer(dtypes.bool_, 1), ())
    condition = inside(region, attributes["condition"], [*fixed[:first], *carries], [predicate])
    body = loop_body(region, attributes["body"], [*fixed[first:], *carries], carries, [], second)
    region.parts.append(Repeat(Turn(), body, condition=condition, predicate=predicate.buffer,
                               bound=attributes.get("bound")))
    _settle(region, node)


def cond(region: Region, node: Node) -> None:
    predicate = region.contiguous(node.inputs[0])
    inputs = [region.contiguous(x) for x in node.inputs[1:]]
    results = region.result_views(node)
    branches = [inside(region, node.attributes[name], inputs, results) for name in ("on_true", "on_false")]
    region.parts.append(Branch((predicate.buffer, predicate.offset), *branches))
    _settle(region, node)


def inside(region: Region, graph: Graph, inputs: Sequence[View], targets: Sequence[View | None]) -> list[Step]:
    """The steps of an inner graph."""
    return type(region)(graph, inputs, targets, region.shared).steps


def loop_body(region: Region, graph: Graph, inputs: Sequence[View], carries: Sequence[View],
              stacks: Sequence[View], constants: int) -> list[Step]:
    """The steps of one turn: carries are renewed in place where nothing reads the old value afterwards, else at the end
    of the turn, by copies."""
    inner = type(region)(graph, inputs, [*[None] * len(carries), *stacks], region.shared, constants)
    steps = inner.steps
    pairs = [(view, carry) for view, carry in zip(inner.outputs, carries, strict=False)
             if view.buffer is not carry.buffer]
    late = [(view, carry) for view, carry in pairs if not _is_own(inner, view)]
    passed_on = {view.buffer.root for view, _ in late}
    uses = _Uses(steps)
    for view, carry in pairs:
        if (view, carry) in late:
            continue
        if _is_own(inner, view) and carry.buffer.root not in passed_on and uses.may_replace(view.buffer, carry.buffer):
            view.buffer.parent = carry.buffer
        else:
            late.append((view, carry))
    kept = {view.buffer.root for view, _ in late}
    late = [(view, carry) for view, carry in late if carry.buffer.root in kept or not uses.store_too(view, carry)]
    return [*steps, *_renewed(late, {carry.buffer.root for carry in carries})]


def _renewed(late: Sequence[tuple[View, View]], carried: set[Buffer]) -> list[Step]:
    """Copies at the end of a turn; those from one carry to another go by way of other memory."""
    first, last = [], []
    for view, carry in late:
        if not carry.buffer.size:
            continue
        if view.buffer.root in carried:
            between = View.whole(Buffer(carry.buffer.dtype, carry.buffer.size), carry.shape)
            first.append(copy(view, between))
            view = between
        last.append(copy(view, carry))
    return [*first, *last]


def _is_own(inner: Region, view: View) -> bool:
    """Whether an output fills memory that was made for it."""
    given = {x.buffer for x in map(inner.views.get, inner.graph.parameters) if x is not None}
    buffer = view.buffer
    return (buffer.place == "arena" and buffer.parent is None and buffer not in given and not view.offset
            and math.prod(view.shape) == buffer.size)


class _Uses:
    """At which steps each buffer is read and written."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.reads: dict[Buffer, list[int]] = {}
        self.writes: dict[Buffer, list[int]] = {}
        for place, step in enumerate(steps):
            for buffer, writes in touched(step):
                (self.writes if writes else self.reads).setdefault(buffer.root, []).append(place)

    def may_replace(self, new: Buffer, old: Buffer) -> bool:
        """Whether `new` may be written where `old` lies: no step reads `old` after `new` is written, and the step that
        writes it reads each element of `old` only where it writes that of `new`."""
        written, reads = self.writes.get(new, []), self.reads.get(old.root, [])
        if not written or old.root in self.writes or any(place > written[0] for place in reads):
            return False
        return written[0] not in reads or _in_step(self.steps[written[0]], new, old)

    def store_too(self, view: View, carry: View) -> bool:
        """Let the kernel that fills `view` store the same in `carry`, where that is safe."""
        writers = [place for place in self.writes.get(view.buffer.root, [])
                   if any(buffer is view.buffer and writes for buffer, writes in touched(self.steps[place]))]
        reads = self.reads.get(carry.buffer.root, [])
        step = self.steps[writers[0]] if len(writers) == 1 else None
        if not isinstance(step, Launch) or step.nest is None or carry.buffer.root in self.writes:
            return False
        number = next(i for i, (buffer, _) in enumerate(step.operands) if buffer is view.buffer)
        found = [store for store in step.nest.stores if store.access.buffer == number]
        if len(found) != 1 or any(place > writers[0] for place in reads) or view.offset or carry.offset:
            return False
        if writers[0] in reads and not _in_step(step, view.buffer, carry.buffer):
            return False
        if math.prod(step.nest.sizes[:step.nest.kept]) != math.prod(carry.shape):
            return False
        step.operands.append((carry.buffer, 0))
        step.writes.add(len(step.operands) - 1)
        twin = found[0]._replace(access=found[0].access._replace(buffer=len(step.operands) - 1))
        step.nest = step.nest._replace(stores=(*step.nest.stores, twin))
        return True


def _in_step(step: Step, new: Buffer, old: Buffer) -> bool:
    if not isinstance(step, Launch) or step.nest is None:
        return False
    numbers = {buffer: i for i, (buffer, _) in enumerate(step.operands)}
    if sum(buffer.root is old.root for buffer in numbers) != 1 or old not in numbers:
        return False
    target = next(store.access for store in step.nest.stores if store.access.buffer == numbers[new])
    inner = [access for reduction in step.nest.reductions for access in loads(reduction.value)]
    if any(access.buffer == numbers[old] for access in inner):
        return False
    return all((access.offset, access.strides) == (target.offset, target.strides)
               for access in accesses(step.nest) if access.buffer == numbers[old])


LOWER = {ops.SCAN: scan, ops.WHILE: while_, ops.COND: cond}
