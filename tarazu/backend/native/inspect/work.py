"""What a step of a program does: which primitives over which loops, for which module, operations and bytes.

A step's bytes are those that it touches at least: an element counts once for each step, however often a loop or another
kernel of the same run comes back to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tarazu.backend.native.lowering.loop_nest import Access, Apply, Expression, Nest, loads
from tarazu.backend.native.lowering.steps import Branch, Callback, Launch, Repeat, Step, input_types, result_types
from tarazu.backend.native.schedule.work_sharing import Run, is_shared
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
    flops: int = 0  # of one call, as the bytes
    read: int = 0
    written: int = 0


def work(step: Step | Run) -> Work:
    """What `step` does each time it is its turn; of a loop or a branch without what is inside."""
    if isinstance(step, Launch):
        return _launch(step)
    if isinstance(step, Run):
        return _run(step)
    if isinstance(step, Callback):
        read, written = _bytes_of(step.node)
        return Work("NumPy", "NumPy", _signature(step.node), _where([step.node]), "thread 0", False,
                    _flops(step.node), read, written)
    return Work("loop", "loop", turns(step)) if isinstance(step, Repeat) else Work("branch", "branch", "one of two")


def turns(step: Repeat) -> str:
    """How often a loop turns, in words."""
    if step.condition is not None:
        return "while its condition holds" + (f", at most {step.bound:,} turns" if step.bound is not None else "")
    return f"{step.length:,} turns" + (", backwards" if step.reverse else "")


def parts(step: Step | Run) -> list[tuple[str, list[Step]]]:
    """The lists of steps inside a step, with their names."""
    if isinstance(step, Repeat):
        return [*([("condition", step.condition)] if step.condition else []), ("turn", step.body)]
    return [("if true", step.on_true), ("if false", step.on_false)] if isinstance(step, Branch) else []


def _launch(launch: Launch) -> Work:
    assert launch.kernel is not None
    nest, node = launch.nest, launch.node
    shared = is_shared(launch)
    split = ", ".join(filter(None, [_items(launch.kernel.items, shared), launch.kernel.tile]))
    if nest is None:
        assert node is not None
        read, written = _bytes_of(node)
        return Work(launch.title, launch.kernel.name, _signature(node), _where([node]), split, shared, _flops(node),
                    read, written)
    read, written = (_touched(launch, nest, writes) for writes in (False, True))
    return Work(launch.title, launch.kernel.name, f"{_loops(nest)}{_names(nest)}", _where(launch.members), split,
                shared, _nest_flops(nest), read, written)


def _run(run: Run) -> Work:
    found = [_launch(launch) for launch in run.launches]
    kernel = run.launches[0].kernel
    assert kernel is not None
    scopes = _where([node for launch in run.launches for node in launch.members])
    split = f"{_items(kernel.items, True)}, in blocks of {run.block:,}"
    flops, read, written = (sum(numbers) for numbers in zip(*[one[-3:] for one in found], strict=True))
    return Work("run", "run", f"of {', '.join(one.name for one in found)}", scopes, split, True, flops, read, written)


def _items(items: int, shared: bool) -> str:
    return f"{items:,} item{'s' * (items != 1)}, {'shared' if shared else 'thread 0'}"


# In words

def _loops(nest: Nest) -> str:
    kept, reduced = (" x ".join(map(str, part)) for part in (nest.sizes[:nest.kept], nest.sizes[nest.kept:]))
    return f"{kept or '1'}{f' over {reduced}' if reduced else ''}"


def _names(nest: Nest) -> str:
    names = list(dict.fromkeys(x.op.name for x in _applied(_values(nest))))
    more = ", ..." if len(names) > MOST_NAMES else ""
    return f": {', '.join(names[:MOST_NAMES])}{more}" if names else ""


def _values(nest: Nest) -> list[Expression]:
    return [*[reduction.value for reduction in nest.reductions], *[store.value for store in nest.stores]]


def _applied(expressions: Sequence[Expression]) -> Iterator[Apply]:
    """The primitives in expressions, each once, inputs before users."""
    seen: dict[int, Apply] = {}

    def visit(x: Expression) -> None:
        if isinstance(x, Apply) and id(x) not in seen:
            for part in x.inputs:
                visit(part)
            seen[id(x)] = x

    for x in expressions:
        visit(x)
    yield from seen.values()


def _signature(node: Node) -> str:
    given, made = (", ".join(map(str, types)) for types in (input_types(node), result_types(node)))
    return f"{node.op.name}: {given} -> {made}"  # type: ignore[union-attr]


def _where(nodes: Sequence[Node]) -> str:
    found = list(dict.fromkeys("/".join(node.origin.scope) + " back" * node.origin.is_backward
                               for node in nodes if node.origin.scope))
    return ", ".join([*found[:MOST_SCOPES], *["..."] * (len(found) > MOST_SCOPES)])


# In numbers

def _flops(node: Node) -> int:
    return FLOPS[node.op.category](node)  # type: ignore[union-attr]


def _nest_flops(nest: Nest) -> int:
    """One for each primitive and for each step of a reduction, at each place."""
    inner = sum(1 + sum(1 for _ in _applied([reduction.value])) for reduction in nest.reductions)
    outer = sum(1 for _ in _applied([store.value for store in nest.stores]))
    return math.prod(nest.sizes) * inner + math.prod(nest.sizes[:nest.kept]) * outer


def _touched(launch: Launch, nest: Nest, writes: bool) -> int:
    """The bytes that a nest reads or writes."""
    values = _values(nest)
    found = [store.access for store in nest.stores] if writes else [one for value in values for one in loads(value)]
    by_place: dict[int, int] = {}
    for access in dict.fromkeys(found):
        by_place[access.buffer] = by_place.get(access.buffer, 0) + _reach(access, nest.sizes)
    return sum(min(count, launch.operands[place][0].bytes) for place, count in by_place.items())


def _reach(access: Access, sizes: Sequence[int]) -> int:
    moving = [size for size, stride in zip(sizes, access.strides, strict=False) if stride]
    return math.prod(moving) * access.dtype.itemsize


def _bytes_of(node: Node) -> tuple[int, int]:
    """Of a primitive that has a kernel of its own; what looks things up reads no more than it finds."""
    read, written = ([type_.size * type_.dtype.itemsize for type_ in types]
                     for types in (input_types(node), result_types(node)))
    if node.op.category == "index" and read:  # type: ignore[union-attr]
        read[0] = min(read[0], sum(written))
    return sum(read), sum(written)
