"""The work of a step of a program, in words and numbers: primitives, loops, the module it is for, operations, bytes.

A step's bytes are those that it touches at least: an element counts once for each step, however often a loop or another
kernel of the same run reads it again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.kernel import KernelCall
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Apply,
    Expression,
    Nest,
    Reduction,
    expressions,
    factors_in_pairs,
    loads,
    walk,
)
from tarazu.backend.native.lowering.nodes import input_types, op_of, result_types
from tarazu.backend.native.lowering.steps import (
    Callback,
    CountedLoop,
    Launch,
    NestLaunch,
    Part,
    PrimitiveLaunch,
    WhileLoop,
)
from tarazu.backend.native.schedule.runs import Run, ScheduledStep
from tarazu.backend.native.schedule.work_sharing import is_shared
from tarazu.ir.cost import FLOPS
from tarazu.ir.node import Node

MOST_NAMES, MOST_SCOPES = 8, 2


class Work(NamedTuple):
    """One step, in words and numbers."""

    kind: str  # map, dot, sum, gather, copy, ..., run, NumPy, loop, branch
    name: str  # of the kernel, else the kind
    what: str  # loops and primitives
    where: str = ""  # the modules that the nodes come from
    split: str = ""  # how it is shared out
    is_shared: bool = False
    items: int = 1  # that threads share out
    flops: int = 0  # of one call, as the bytes
    read: int = 0
    written: int = 0


def work(step: ScheduledStep) -> Work:
    """What a step does each time it is reached; of a loop or a branch without what is inside."""
    if isinstance(step, KernelCall):
        return _kernel_call(step)
    if isinstance(step, Run):
        return _run(step)
    if isinstance(step, Callback):
        read, written = _bytes_of(step.node)
        return Work("NumPy", "NumPy", _signature(step.node), _where([step.node]), "thread 0", False, 1,
                    _flops(step.node), read, written)
    if isinstance(step, CountedLoop | WhileLoop):
        return Work("loop", "loop", iterations(step))
    return Work("branch", "branch", "one of two")


def iterations(loop: CountedLoop[ScheduledStep] | WhileLoop[ScheduledStep]) -> str:
    """How many iterations a loop has, in words."""
    if isinstance(loop, WhileLoop):
        return "while its condition holds" + (f", at most {loop.bound:,} turns" if loop.bound is not None else "")
    return f"{loop.length:,} turns" + (", backwards" if loop.reverse else "")


def _kernel_call(call: KernelCall) -> Work:
    kernel, launch = call.kernel, call.launch
    shared = is_shared(call)
    split = ", ".join(filter(None, [_items(kernel.items, shared), kernel.tile]))
    if isinstance(launch, NestLaunch):
        read, written = _read_and_written(launch)
        return Work(launch.title, kernel.name, f"{_loops(launch.nest)}{_names(launch.nest)}", _where(launch.members),
                    split, shared, kernel.items, _nest_flops(launch.nest), read, written)
    read, written = _bytes_of(launch.node) if launch.part is Part.WHOLE else _read_and_written(launch)
    return Work(launch.title, kernel.name, _signature(launch.node), _where([launch.node]), split, shared,
                kernel.items, _flops(launch.node), read, written)


def _run(run: Run) -> Work:
    works = [_kernel_call(call) for call in run.calls]
    scopes = _where([node for call in run.calls if isinstance(call.launch, NestLaunch) for node in call.launch.members])
    split = f"{_items(run.items, True)}, in blocks of {run.block:,}"
    flops, read, written = (sum(numbers) for numbers in zip(*[one[-3:] for one in works], strict=True))
    return Work("run", "run", f"of {', '.join(one.name for one in works)}", scopes, split, True,
                run.calls[0].kernel.items, flops, read, written)


def _items(items: int, shared: bool) -> str:
    return f"{items:,} item{'s' * (items != 1)}, {'shared' if shared else 'thread 0'}"


# In words

def _loops(nest: Nest) -> str:
    kept, reduced = (" x ".join(map(str, part)) for part in (nest.sizes[:nest.kept], nest.sizes[nest.kept:]))
    return f"{kept or '1'}{f' over {reduced}' if reduced else ''}"


def _names(nest: Nest) -> str:
    names = list(dict.fromkeys(x.op.name for x in _applied(*expressions(nest))))
    more = ", ..." if len(names) > MOST_NAMES else ""
    return f": {', '.join(names[:MOST_NAMES])}{more}" if names else ""


def _applied(*expressions: Expression) -> list[Apply]:
    """The primitives in expressions, each once, inputs before users."""
    return [x for x in walk(*expressions) if isinstance(x, Apply)]


def _signature(node: Node) -> str:
    inputs, results = (", ".join(map(str, types)) for types in (input_types(node), result_types(node)))
    return f"{op_of(node).name}: {inputs} -> {results}"


def _where(nodes: Sequence[Node]) -> str:
    scopes = list(dict.fromkeys("/".join(node.origin.scope) + " back" * node.origin.is_backward
                                for node in nodes if node.origin.scope))
    return ", ".join([*scopes[:MOST_SCOPES], *["..."] * (len(scopes) > MOST_SCOPES)])


# In numbers

def _flops(node: Node) -> int:
    return FLOPS[op_of(node).category](node)


def _nest_flops(nest: Nest) -> int:
    """One for each primitive and for each reduction, at each point of the nest."""
    inner = sum(_flops_inside(reduction) for reduction in nest.reductions)
    outer = len(_applied(*[store.value for store in nest.stores]))
    return math.prod(nest.sizes) * inner + math.prod(nest.sizes[:nest.kept]) * outer


def _flops_inside(reduction: Reduction) -> int:
    """Those of a reduction for one term; two products of a pair and their sums."""
    return 4 if factors_in_pairs(reduction.value) else 1 + len(_applied(reduction.value))


def touched_bytes(launch: Launch, writes: bool) -> dict[int, int]:
    """The bytes that a launch reads or writes of each operand, by its number."""
    if isinstance(launch, PrimitiveLaunch):
        return {number: operand.buffer.bytes for number, operand in enumerate(launch.operands)
                if (number in launch.writes) == writes}
    nest = launch.nest
    accesses = [store.access for store in nest.stores] if writes else loads(*expressions(nest))
    by_buffer: dict[int, int] = {}
    for access in dict.fromkeys(accesses):
        by_buffer[access.buffer] = by_buffer.get(access.buffer, 0) + _reach(access, nest.sizes)
    return {number: min(count, launch.operands[number].buffer.bytes) for number, count in by_buffer.items()}


def _reach(access: Access, sizes: Sequence[int]) -> int:
    moving = [size for size, stride in zip(sizes, access.strides, strict=False) if stride]
    return math.prod(moving) * access.dtype.itemsize


def _bytes_of(node: Node) -> tuple[int, int]:
    """The bytes that a special kernel reads and writes; a gather reads only the elements that it selects."""
    read, written = ([type_.size * type_.dtype.itemsize for type_ in types]
                     for types in (input_types(node), result_types(node)))
    if op_of(node).category == "index" and read:
        read[0] = min(read[0], sum(written))
    return sum(read), sum(written)


def _read_and_written(launch: Launch) -> tuple[int, int]:
    """The bytes that a nest, or a part of a primitive, reads and writes."""
    read, written = (sum(touched_bytes(launch, writes).values()) for writes in (False, True))
    return read, written
