"""Loops and branches: their bodies become regions of their own, whose inputs and results lie in the outer one's memory.

The carries of a loop lie where its results will. In the body a new carry is written in place where nothing reads the
old one afterwards; else the kernel that computes it stores it there too, or it is copied at the end of the iteration
(`carries.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tarazu.backend.native.lowering.buffers import Buffer, Iteration, View
from tarazu.backend.native.lowering.region.builder import LowerGraph, Region, RegionBuilder
from tarazu.backend.native.lowering.region.carries import with_carries
from tarazu.backend.native.lowering.region.pairs import PAIRS
from tarazu.backend.native.lowering.steps import Branch, CountedLoop, NestLaunch, Operand, Step, WhileLoop, touched
from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.node import Node


def scan(builder: RegionBuilder, node: Node, inside: LowerGraph) -> None:
    attributes = node.attributes
    constants, carried, length = attributes["constants"], attributes["carries"], attributes["length"]
    results = builder.store_results(node)
    carries, stacks = results[:carried], results[carried:]
    fixed = [builder.read_contiguous(x) for x in node.inputs[:constants]]
    sequences = [builder.read_contiguous(x) for x in node.inputs[constants + carried:]]
    _copy_starts(builder, node, node.inputs[constants:constants + carried], carries)
    if not length:
        return
    iteration = Iteration()
    inputs = [*fixed, *carries, *[_row(view, iteration) for view in sequences]]
    body = inside(attributes["body"], inputs, [*[None] * carried, *[_row(view, iteration) for view in stacks]],
                  constants)
    steps = with_carries(_with_pairs_before(builder, body, fixed), inputs, carries)
    builder.append(CountedLoop(iteration, length, attributes["reverse"], steps), *builder.results(node))


def _with_pairs_before(builder: RegionBuilder, body: Region, fixed: Sequence[View]) -> Region:
    """The body of a loop without the steps that put into pairs what no iteration changes: these are done before it."""
    same = {view.buffer.root for view in fixed}

    def is_done_once(step: Step) -> bool:
        return isinstance(step, NestLaunch) and step.title == PAIRS and all(
            writes or buffer.root in same or buffer.root.storage == "constant" for buffer, writes in touched(step))

    for step in filter(is_done_once, body.steps):
        builder.append(step)
    return body._replace(steps=tuple([step for step in body.steps if not is_done_once(step)]))


def _copy_starts(builder: RegionBuilder, node: Node, inputs: Sequence[Node], carries: Sequence[View]) -> None:
    """Copy the first values of the carries of a loop into the memory of its results."""
    results = builder.results(node)
    for source, carry in zip(inputs, carries, strict=True):
        builder.copy(builder.read_contiguous(source), carry, *results)


def _row(view: View, iteration: Iteration) -> View:
    """The row of a stack that belongs to the current iteration."""
    shape = view.shape[1:]
    return View.whole(view.buffer.row(iteration, math.prod(shape)), shape)


def while_(builder: RegionBuilder, node: Node, inside: LowerGraph) -> None:
    attributes = node.attributes
    first, second = attributes["condition_constants"], attributes["body_constants"]
    carries = builder.store_results(node)
    fixed = [builder.read_contiguous(x) for x in node.inputs[:first + second]]
    _copy_starts(builder, node, node.inputs[first + second:], carries)
    predicate = View.whole(Buffer(dtypes.bool_, 1), ())
    condition = inside(attributes["condition"], [*fixed[:first], *carries], [predicate]).steps
    inputs = [*fixed[first:], *carries]
    body = inside(attributes["body"], inputs, [None] * len(carries), second)
    steps = with_carries(_with_pairs_before(builder, body, fixed[first:]), inputs, carries)
    loop = WhileLoop(Iteration(), condition, predicate.buffer, steps, attributes.get("bound"))
    builder.append(loop, *builder.results(node))


def cond(builder: RegionBuilder, node: Node, inside: LowerGraph) -> None:
    predicate = builder.read_contiguous(node.inputs[0])
    inputs = [builder.read_contiguous(x) for x in node.inputs[1:]]
    results = builder.store_results(node)
    on_true, on_false = (inside(node.attributes[name], inputs, results).steps for name in ("on_true", "on_false"))
    builder.append(Branch(Operand(predicate.buffer, predicate.offset), on_true, on_false), *builder.results(node))


LOWER: dict[ops.Op | str, Callable[[RegionBuilder, Node, LowerGraph], None]] = {
    ops.SCAN: scan, ops.WHILE: while_, ops.COND: cond}
