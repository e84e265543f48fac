"""A rewrite of a graph: dilated convolutions as ones without gaps, which have tiles, of every so many-th pixel.

With a dilation of 2 outputs of even rows meet even rows only: each of the four parities is a picture of its own, one
more of the batch. So it is for the gradient of the kernel, which is a convolution with a stride instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tarazu.backend.native.lowering.region.convolutions.winograd import tiles
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import Builder, Node
from tarazu.ir.op import Op
from tarazu.ir.structure import with_graphs

_PICTURES = {"permutation": (3, 1, 2, 0)}  # how the gradient of a kernel reads pictures: channels first, images last
_GRADIENTS = {"permutation": (1, 2, 0, 3)}
Gaps = tuple[int, int]


def without_dilation(graph: Graph, most: int) -> Graph:
    """`graph` with dilated convolutions as others, where these have tiles of up to `most` outputs."""
    builder = Builder()
    parameters = [builder.parameter(node.type, node.origin) for node in graph.parameters]

    def at(node: Node) -> None:
        builder.origin = node.origin

    def apply(op: Op, inputs: Sequence[Node], attributes: dict[str, Any]) -> Any:
        attributes = with_graphs(attributes, lambda body: without_dilation(body, most))
        dense = _dense(builder, inputs, attributes, most) if op is ops.CONV and len(inputs[0].shape) == 4 else None
        return builder.add(op, inputs, attributes) if dense is None else dense

    return Graph(parameters, graph.evaluate(parameters, apply, builder.constant, at))


def _dense(builder: Builder, inputs: Sequence[Node], attributes: dict[str, Any], most: int) -> Node | None:
    """A dilated convolution of two axes, or the gradient of its kernel, by one without gaps; None for what is neither,
    does not divide evenly, or has no tiles either."""
    (x, kernel), gaps, strides = inputs, attributes["dilation"], attributes["stride"]
    every = gaps if max(gaps) > 1 else strides
    if max(every) == 1 or (max(gaps) > 1 and max(strides) > 1) or max(attributes["dilation_input"]) > 1 \
            or attributes["groups"] > 1 or not _divides(every, x.shape[1:3], attributes["padding"]):
        return None
    padding = tuple([(low // n, high // n) for n, (low, high) in zip(every, attributes["padding"], strict=True)])
    dense = {**attributes, "padding": padding, "dilation": (1, 1), "stride": (1, 1)}
    if every is gaps:
        if any(high % n for n, (_, high) in zip(gaps, attributes["padding"], strict=True)):
            return None
        found = builder.add(ops.CONV, [_split(builder, x, gaps), kernel], dense)
        return _joined(builder, found, gaps) if tiles(found, most) else None
    if not (_is_turned(x, _PICTURES) and _is_turned(kernel, _GRADIENTS) and _divides(every, kernel.shape[:2])):
        return None
    x, kernel = (builder.add(ops.TRANSPOSE, [_split(builder, node.inputs[0], strides)], node.attributes)
                 for node in (x, kernel))
    found = builder.add(ops.CONV, [x, kernel], dense)
    return found if tiles(found, most) else None


def _divides(every: Gaps, sizes: Sequence[int], padding: Sequence[tuple[int, int]] = ((0, 0), (0, 0))) -> bool:
    """Whether pictures of these sizes, with zeros in front, fall into so many of the same size."""
    return not any(size % n or low % n for n, size, (low, _) in zip(every, sizes, padding, strict=True))


def _is_turned(node: Node, attributes: dict[str, Any]) -> bool:
    return node.op is ops.TRANSPOSE and node.attributes == attributes


def _split(builder: Builder, x: Node, every: Gaps) -> Node:
    """Pictures (batch, height, width, channels) as smaller ones, each of every so many-th pixel along both axes."""
    (batch, height, width, channels), (rows, columns) = x.shape, every
    x = builder.add(ops.RESHAPE, [x], {"shape": (batch, height // rows, rows, width // columns, columns, channels)})
    x = builder.add(ops.TRANSPOSE, [x], {"permutation": (0, 2, 4, 1, 3, 5)})
    return builder.add(ops.RESHAPE, [x], {"shape": (batch * rows * columns, height // rows, width // columns,
                                                    channels)})


def _joined(builder: Builder, x: Node, every: Gaps) -> Node:
    """The pictures that were split."""
    (batch, height, width, channels), (rows, columns) = x.shape, every
    x = builder.add(ops.RESHAPE, [x], {"shape": (batch // (rows * columns), rows, columns, height, width, channels)})
    x = builder.add(ops.TRANSPOSE, [x], {"permutation": (0, 3, 1, 4, 2, 5)})
    return builder.add(ops.RESHAPE, [x], {"shape": (batch // (rows * columns), height * rows, width * columns,
                                                    channels)})
