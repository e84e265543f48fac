"""What a graph costs: nodes by primitive, floating-point operations, bytes read and written.

The numbers are those of the graph as it stands, each node by itself; a backend that fuses nodes reads and writes less.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Node
from tarazu.ir.op import Op
from tarazu.ir.structure import GraphStructure, graphs_in
from tarazu.ir.types import TensorType


class Cost(NamedTuple):
    """The cost of one node, or of several together."""

    nodes: int = 0
    flops: int = 0
    bytes_read: int = 0
    bytes_written: int = 0

    def plus(self, other: Cost) -> Cost:
        """The cost of both.

        >>> Cost(1, 6, 24, 8).plus(Cost(1, 2, 8, 8))
        Cost(nodes=2, flops=8, bytes_read=32, bytes_written=16)
        """
        return Cost(*map(sum, zip(self, other, strict=True)))

    def times(self, count: int) -> Cost:
        """The cost when the same nodes run `count` times.

        >>> Cost(1, 6, 24, 8).times(10)
        Cost(nodes=1, flops=60, bytes_read=240, bytes_written=80)
        """
        return Cost(self.nodes, *[number * count for number in self[1:]])


class Counts(NamedTuple):
    """What `graph.counts()` gives: the cost of each primitive, and of all together."""

    by_primitive: dict[str, Cost]
    total: Cost

    @property
    def nodes(self) -> dict[str, int]:
        """How many nodes there are of each primitive.

        >>> import tarazu as tz
        >>> tz.trace(lambda x: tz.sin(x) + tz.sin(x * 2))(tz.ones(3)).counts().nodes
        {'sin': 2, 'mul': 1, 'add': 1}
        """
        return {name: cost.nodes for name, cost in self.by_primitive.items()}

    @property
    def flops(self) -> int:
        """Floating-point (or integer) operations in one run.

        >>> import tarazu as tz
        >>> tz.trace(tz.sum)(tz.ones(2, 3)).counts().flops
        6
        """
        return self.total.flops

    def __str__(self) -> str:
        rows = [*sorted(self.by_primitive.items(), key=lambda row: -row[1].flops), ("total", self.total)]
        lines = [f"{'primitive':14}{'nodes':>7}{'flops':>16}{'bytes read':>16}{'bytes written':>16}"]
        lines += [f"{name:14}{cost.nodes:7,}" + "".join(f"{number:16,}" for number in cost[1:]) for name, cost in rows]
        return "\n".join(lines)


def counts(graph: GraphStructure) -> Counts:
    """The cost of `graph` by primitive; bodies of calls and scans count as often as they run, a `while` body once."""
    rows: dict[str, Cost] = {}
    for node in graph.nodes:
        if node.op in (PARAMETER, CONSTANT, RESULT):
            continue
        for name, cost in _rows(node):
            rows[name] = rows.get(name, Cost()).plus(cost)
    total = Cost()
    for cost in rows.values():
        total = total.plus(cost)
    return Counts(rows, total)


def _rows(node: Node) -> list[tuple[str, Cost]]:
    op: Any = node.op
    bodies = graphs_in(node.attributes)
    if not bodies:
        read, written = sum(map(_bytes, (x.type for x in node.inputs))), sum(map(_bytes, _types(node)))
        return [(op.name, Cost(1, FLOPS[op.category](node), read, written))]
    times = node.attributes.get("length", 1)
    inner = [(name, cost.times(times)) for body in bodies for name, cost in counts(body).by_primitive.items()]
    return [(op.name, Cost(1)), *inner]


def _types(node: Node) -> list[TensorType]:
    return list(node.type) if isinstance(node.op, Op) and node.op.multiple else [node.type]


def _bytes(type_: TensorType) -> int:
    return type_.size * type_.dtype.numpy.itemsize


def _written(node: Node) -> int:
    return sum(type_.size for type_ in _types(node))


def _read(node: Node) -> int:
    return sum(x.type.size for x in node.inputs)


def _nothing(_: Node) -> int:
    return 0


def _dot(node: Node) -> int:
    """A multiplication and an addition for each element of the result and each step along the contracted axes."""
    left, axes = node.inputs[0].shape, node.attributes["contract"][0]
    return 2 * node.type.size * math.prod(left[axis] for axis in axes)


def _sorting(node: Node) -> int:
    """n log2(n) comparisons along the axis."""
    size = node.inputs[0].type.size
    length = node.inputs[0].shape[node.attributes["axis"]]
    return size * math.ceil(math.log2(length)) if length > 1 else 0


def _convolution(node: Node) -> int:
    """A multiplication and an addition for each element of the result and each weight of one filter."""
    kernel = node.inputs[1]
    return 2 * node.type.size * math.prod(kernel.shape[:-1])


def _factorization(node: Node) -> int:
    """The order of magnitude: n multiplications and additions for each element of n x n matrices."""
    return 2 * sum(x.type.size * x.shape[-1] for x in node.inputs)


def _fourier(node: Node) -> int:
    """5 n log2(n) for each transform of n elements, as for radix 2 (Cooley and Tukey, 1965)."""
    length = math.prod(node.shape[axis] for axis in node.attributes["axes"])
    return math.ceil(5 * node.type.size * math.log2(max(length, 1)))


FLOPS: dict[str, Callable[[Node], int]] = {  # one rule per category of primitives
    "elementwise": _written,
    "shape": _nothing,
    "index": _nothing,
    "reduce": _read,
    "contract": lambda node: CONTRACTIONS[node.op.name](node),  # type: ignore[union-attr]
    "linalg": _factorization,
    "sort": _sorting,
    "random": _nothing,
    "control": _nothing,  # `call` and the loops cost what their bodies do
}
CONTRACTIONS: dict[str, Callable[[Node], int]] = {"dot": _dot, "conv": _convolution, "fft": _fourier}
