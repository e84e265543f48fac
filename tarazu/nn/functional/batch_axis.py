"""Where the batch axis goes in operations of functional models, which must treat each sample for itself.

A symbolic tensor is a batch of one sample, so a sum over its batch axis would be the sample itself, where a sum over a
real batch joins all of them. Such operations are refused as they are recorded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from tarazu.base.errors import ShapeError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, RESULT, Node
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType

Axis: TypeAlias = int | None
Rule: TypeAlias = Callable[[Op, Sequence[TensorType], Sequence[Axis], Mapping[str, Any]], Axis]


def batch_axes(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> list[Axis]:
    """The batch axis of each result of a primitive; None where it is not known, or where there is none.

    `types` and `axes` are those of its inputs. ShapeError for an operation that joins samples.
    """
    if op is ops.CALL:
        return _of_graph(attributes["body"], axes)
    if op is ops.SORT:
        return [_along(op, types, axes, attributes)] * 2
    if op is ops.COND:
        return _of_graph(attributes["on_true"], axes[1:])
    if op.multiple:
        return [None] * len(op.rule(op.name, *types, **attributes))
    rule = _elementwise if op.is_elementwise else _RULES.get(op)
    return [rule(op, types, axes, attributes) if rule is not None and any(a is not None for a in axes) else None]


def _of_graph(graph: Graph, axes: Sequence[Axis]) -> list[Axis]:
    known: dict[Node, Any] = dict(zip(graph.parameters, axes, strict=True))
    for node in graph.nodes[len(graph.parameters):]:
        if node.op is CONSTANT:
            known[node] = None
        elif node.op is RESULT:
            known[node] = known[node.inputs[0]][node.attributes["index"]]
        else:
            assert isinstance(node.op, Op)
            out = batch_axes(node.op, [x.type for x in node.inputs], [known[x] for x in node.inputs], node.attributes)
            known[node] = out if node.op.multiple else out[0]
    return [known[node] for node in graph.outputs]


def _joins(op: Op, types: Sequence[TensorType]) -> ShapeError:
    shapes = " and ".join(str(tuple(t.shape)) for t in types)
    return ShapeError(f"{op.name} of shape {shapes} joins the samples of a batch",
                      expected="operations that treat each sample of a functional model for itself: axis 0 is the "
                               "batch axis",
                      fix="name the other axes: x.mean((1, 2)); what needs the whole batch belongs into a Module")


def _elementwise(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> Axis:
    rank = max(len(t.shape) for t in types)
    places = {axis + rank - len(t.shape) for t, axis in zip(types, axes, strict=True) if axis is not None}
    if len(places) > 1:
        raise _joins(op, types)
    axis = places.pop()
    sizes = [t.shape[axis - rank] for t in types if len(t.shape) >= rank - axis]
    return axis if max(sizes) == 1 else None


def _transpose(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> Axis:
    return attributes["permutation"].index(axes[0])


def _reshape(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> Axis:
    """The axis of size 1 that has as many elements before it as the batch axis had, in the shape that comes out."""
    shape, before = attributes["shape"], math.prod(types[0].shape[:axes[0]])
    fitting = [i for i, n in enumerate(shape) if n == 1 and math.prod(shape[:i]) == before]
    return min(fitting, key=lambda i: abs(i - (axes[0] or 0)), default=None)


def _broadcast(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> Axis:
    shape = attributes["shape"]
    axis = (axes[0] or 0) + len(shape) - len(types[0].shape)
    return axis if shape[axis] == 1 else None


def _concat(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> Axis:
    known = {axis for axis in axes if axis is not None}
    if len(known) > 1 or attributes["axis"] in known:
        raise _joins(op, types)
    return known.pop()


def _reduced(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> Axis:
    removed = attributes["axes"] if "axes" in attributes else (attributes["axis"],)
    if axes[0] in removed:
        raise _joins(op, types)
    return (axes[0] or 0) - sum(one < (axes[0] or 0) for one in removed)


def _along(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> Axis:
    """The same axis; the operation works along others."""
    if axes[0] in (attributes["axes"] if "axes" in attributes else (attributes["axis"],)):
        raise _joins(op, types)
    return axes[0]


def _same(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> Axis:
    return axes[0]


def _dot(op: Op, types: Sequence[TensorType], axes: Sequence[Axis], attributes: Mapping[str, Any]) -> Axis:
    places: set[int] = set()
    lead = len(attributes["batch"][0])
    for side, (type_, axis) in enumerate(zip(types, axes, strict=True)):
        contract, batch = attributes["contract"][side], attributes["batch"][side]
        if axis is None:
            continue
        if axis in contract:
            raise _joins(op, types)
        free = [i for i in range(len(type_.shape)) if i not in contract + batch]
        before = 0 if side == 0 else len(types[0].shape) - len(attributes["contract"][0]) - lead
        places.add(batch.index(axis) if axis in batch else lead + before + free.index(axis))
    if len(places) > 1:
        raise _joins(op, types)
    return places.pop()


_RULES: dict[Op, Rule] = {
    ops.TRANSPOSE: _transpose, ops.RESHAPE: _reshape, ops.BROADCAST: _broadcast, ops.CONCAT: _concat,
    ops.SLICE: _same, ops.PAD: _same, ops.CONV: _same, ops.FLIP: _along, ops.FFT: _along,
    ops.CUMSUM: _along, ops.CUMPROD: _along, ops.DOT: _dot,
    **dict.fromkeys((ops.SUM, ops.PROD, ops.MAX, ops.MIN, ops.ANY_TRUE, ops.ALL_TRUE, ops.ARGMAX, ops.ARGMIN),
                    _reduced)}
