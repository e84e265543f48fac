"""From a graph to the steps of a program: lowers its nodes one by one.

Nodes are lowered one after the other, by the function for their primitive: elementwise ones join groups
(`builder.py`), reductions and products start groups (`nests.py`), loops and branches become steps with regions of their
own inside (`control.py`). In the end each group becomes the launch of a kernel (`launches.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from tarazu.backend.native.lowering.buffers import View
from tarazu.backend.native.lowering.index_map import identity
from tarazu.backend.native.lowering.joined_sums import with_joined_sums
from tarazu.backend.native.lowering.nodes import is_barrier_result
from tarazu.backend.native.lowering.primitives import has_special_kernel, is_compiled, is_scatter_by_rows
from tarazu.backend.native.lowering.region import control, nests
from tarazu.backend.native.lowering.region.builder import LowerGraph, Region, RegionBuilder
from tarazu.backend.native.lowering.region.convolutions.frames import frames
from tarazu.backend.native.lowering.region.convolutions.surroundings import Frame
from tarazu.backend.native.lowering.region.convolutions.zeros import store_framed
from tarazu.backend.native.lowering.region.expressions import reads_to_compute
from tarazu.backend.native.lowering.region.group import Group
from tarazu.backend.native.lowering.region.launches import launch
from tarazu.backend.native.lowering.region.scatters import scatter_by_rows
from tarazu.backend.native.lowering.steps import Externals, Operand, PrimitiveLaunch, Step
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Node


def lower_graph(externals: Externals, graph: Graph, inputs: Sequence[View], targets: Sequence[View | None],
                constants: int = 0) -> Region:
    """The region of a graph whose inputs lie in `inputs`; output i goes to `targets[i]` if there is one.

    In the body of a loop, so many of the first inputs are `constants`.
    """
    builder = RegionBuilder(graph, inputs, externals, _stored_targets(graph, targets), constants)
    inside, framed = functools.partial(lower_graph, externals), frames(builder.demand, externals.target.winograd)
    pairs = list(zip(graph.outputs, targets, strict=True))
    for node, target in pairs:
        if node.op is PARAMETER and target is not None:  # copied before anything overwrites it
            builder.copy(builder.read_contiguous(node), target)
    for node in sorted(graph.nodes[len(graph.parameters):], key=lambda node: node not in builder.demand.early):
        if node.op not in (CONSTANT, RESULT) and node in builder.demand.stored:
            _lower(builder, node, inside, framed.get(node))
    outputs = [target if node.op is PARAMETER and target is not None else _output(builder, node, target)
               for node, target in pairs]
    return Region(tuple(with_joined_sums(_steps(builder, graph))), tuple(outputs))


def _stored_targets(graph: Graph, targets: Sequence[View | None]) -> dict[Node, View]:
    """Which stored node goes straight to which target."""
    result: dict[Node, View] = {}
    for node, target in zip(graph.outputs, targets, strict=True):
        while node.op is ops.RESHAPE:
            node = node.inputs[0]
        if (target is not None and node not in result and node.op not in (PARAMETER, CONSTANT)
                and not is_barrier_result(node)):
            result[node] = View.whole(target.buffer, node.shape)._replace(offset=target.offset)
    return result


def _output(builder: RegionBuilder, node: Node, target: View | None) -> View:
    """Where an output lies in the end; copied when it could not be put into its target."""
    view = builder.read_contiguous(node)
    if target is None or (view.buffer is target.buffer and view.offset == target.offset):
        return view
    builder.copy(view, target)
    return target


def _lower(builder: RegionBuilder, node: Node, inside: LowerGraph, frame: Frame | None) -> None:
    """Append the steps that store a node, in a frame of zeros if one is given and it has a kernel of its own."""
    if not is_compiled(node):
        if node.op in control.LOWER:
            control.LOWER[node.op](builder, node, inside)
        elif is_scatter_by_rows(node):
            scatter_by_rows(builder, node)
        elif node.op is not ops.BARRIER:
            _opaque(builder, node)
    elif not node.type.size:
        builder.store(node)
    elif node.op in nests.LOWER:
        nests.LOWER[node.op](builder, node)
    else:
        _elementwise(builder, node, frame)


def _elementwise(builder: RegionBuilder, node: Node, frame: Frame | None) -> None:
    """Let a group that is there compute a node, or append one of its own, which may store it in a frame of zeros."""
    reads = reads_to_compute(builder, node, identity(node.shape))
    if builder.join(node, reads):
        return
    builder.mark_read([base for base, _ in reads])
    if frame is None:
        builder.store(node)
    else:
        store_framed(builder, node, frame)
    builder.append(Group.elementwise(node), node)


def _opaque(builder: RegionBuilder, node: Node) -> None:
    """Append the step of a primitive that takes and gives contiguous memory."""
    inputs = [builder.read_contiguous(x) for x in node.inputs]
    outputs = builder.store_results(node)
    if not any(view.buffer.size for view in outputs):
        return
    step: Step = builder.externals.callback(node, inputs, outputs) if not has_special_kernel(node) else \
        _primitive_launch(node, inputs, outputs)
    builder.append(step, *builder.results(node))


def _primitive_launch(node: Node, inputs: Sequence[View], outputs: Sequence[View]) -> PrimitiveLaunch:
    operands = tuple([Operand(view.buffer, view.offset) for view in [*inputs, *outputs]])
    estimate = float(sum(view.buffer.size for view in [*inputs[1:], *outputs]))
    return PrimitiveLaunch(operands, frozenset(range(len(inputs), len(operands))), node, estimate)


def _steps(builder: RegionBuilder, graph: Graph) -> Iterator[Step]:
    """The parts of the region as steps."""
    kept = builder.kept(graph.outputs)
    for part in builder.parts:
        if not isinstance(part, Group):
            yield part
        elif (step := launch(builder, part, kept)) is not None:
            yield step
