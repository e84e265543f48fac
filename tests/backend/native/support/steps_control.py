"""Random steps with graphs inside: calls, loops, branches, barriers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from growth import Growth, Item
from inputs import Source

from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.types import TensorType

Grow = Callable[[Growth, int], None]


class Body:
    """A graph inside another: its growth, with the values that it gets from around it as parameters."""

    def __init__(self, outer: Growth, grow: Grow) -> None:
        self.inner = Growth(outer.choose, min(outer.largest, 2000), outer.depth + 1)
        self.grow = grow
        self.given: list[Item] = []

    def take(self, item: Item, type_: TensorType | None = None, exact: bool = True) -> Item:
        """A parameter that stands for `item`, or for rows of it."""
        self.given.append(item)
        return self.inner.parameter(type_ or item.node.type, bound=item.bound, exact=exact and item.exact)

    def graph(self, outputs: list[Item]) -> Graph:
        return Graph(self.inner.parameters, [item.node for item in outputs])


def _some(growth: Growth, most: int, among: Callable[[Item], bool] = lambda _: True) -> list[Item]:
    found = [item for item in growth.items if among(item)]
    return [growth.choose.one_of(found) for _ in range(growth.choose.between(0, most))] if found else []


def _bounded(growth: Growth, item: Item) -> Item:
    """What a loop may carry without growing."""
    return growth.limit(item, 2)


def _kept(growth: Growth, results: Any, items: list[Item]) -> None:
    for node, item in zip(results, items, strict=True):
        growth.keep(Item(node, item.exact, item.bound))


def call(growth: Growth, grow: Grow) -> None:
    body = Body(growth, grow)
    for item in [growth.operand(), *_some(growth, 2)]:
        body.take(item)
    grow(body.inner, growth.choose.between(1, 4))
    outputs = [body.inner.items[-1], *_some(body.inner, 2)]
    results = growth.node(ops.CALL, [item.node for item in body.given], label="part", body=body.graph(outputs),
                          gradient=None)
    _kept(growth, results, outputs)


def barrier(growth: Growth, grow: Grow) -> None:
    items = [growth.operand(), *_some(growth, 2)]
    _kept(growth, growth.node(ops.BARRIER, [item.node for item in items]), items)


def branch(growth: Growth, grow: Grow) -> None:
    predicate = growth.scalar(growth.operand({dtypes.bool_: 1}, exact=True))
    given = [growth.operand(), *_some(growth, 2)]
    bodies = [Body(growth, grow) for _ in range(2)]
    for body in bodies:
        for item in given:
            body.take(item)
        grow(body.inner, growth.choose.between(0, 4))
    first = [bodies[0].inner.items[-1], *_some(bodies[0].inner, 2)]
    second = [bodies[1].inner.conform(item.node.type) for item in first]
    results = growth.node(ops.COND, [predicate.node, *(item.node for item in given)], on_true=bodies[0].graph(first),
                          on_false=bodies[1].graph(second))
    joined = [Item(a.node, a.exact and b.exact and predicate.exact, max(a.bound, b.bound))
              for a, b in zip(first, second, strict=True)]
    _kept(growth, results, joined)


def scan(growth: Growth, grow: Grow) -> None:
    body, inner = (made := Body(growth, grow)), made.inner
    constants = _some(growth, 2)
    starts = [_bounded(growth, item) for item in _some(growth, 2)]
    sequences = _sequences(growth, at_least=0 if starts else 1)
    length = sequences[0].shape[0] if sequences else growth.choose.weighted({3: 5, 1: 2, 0: 1, 7: 1})
    for item in constants:
        body.take(item)
    carried = [body.take(item, exact=item.dtype.kind != "float") for item in starts]
    for item in sequences:
        body.take(item, TensorType(item.shape[1:], item.dtype))
    grow(inner, growth.choose.between(1, 5))
    after = [_bounded(inner, inner.conform(item.node.type)) for item in carried]
    rows = [item for item in _some(inner, 2) if growth.fits(max(length, 1), *item.shape)]
    if not after and not rows:
        return
    results = growth.node(ops.SCAN, [item.node for item in body.given], body=body.graph(after + rows), length=length,
                          reverse=growth.choose.chance(30), constants=len(constants), carries=len(starts))
    _kept(growth, results, [Item(a.node, _loop_exact(a, b), 2 + b.bound) for a, b in zip(after, starts, strict=True)]
          + [Item(row.node, row.exact and row.dtype.kind != "float", row.bound) for row in rows])


def _loop_exact(after: Item, start: Item) -> bool:
    return after.exact and start.exact and after.dtype.kind != "float"


def _sequences(growth: Growth, at_least: int) -> list[Item]:
    """Values with the same number of rows, not too many."""
    first = growth.operand(rank=1)
    if first.shape[0] > 17:
        first = growth.fresh(TensorType((growth.choose.between(0, 5), 3), first.dtype))
    same = [first, *(item for item in growth.items if item.shape[:1] == first.shape[:1])]
    return [growth.choose.one_of(same) for _ in range(growth.choose.between(at_least, 2))]


def loop(growth: Growth, grow: Grow) -> None:
    """A `while` that counts up to a limit, which is only known when it runs."""
    limit = growth.fresh(TensorType((), dtypes.int32), Source("below", 5))
    start = growth.fresh(TensorType((), dtypes.int32), Source("below", 3))
    starts = [start, *(_bounded(growth, item) for item in _some(growth, 2))]
    constants = _some(growth, 2)
    body, inner = (made := Body(growth, grow)), made.inner
    for item in constants:
        body.take(item)
    carried = [body.take(item, exact=item.dtype.kind != "float") for item in starts]
    grow(inner, growth.choose.between(1, 4))
    count = inner.apply(ops.ADD, carried[0], inner.constant(1, dtypes.int32), bound=9, exact=True)
    after = [count, *(_bounded(inner, inner.conform(item.node.type)) for item in carried[1:])]
    condition = _below_limit([limit, *starts])
    results = growth.node(
        ops.WHILE, [limit.node, *(item.node for item in constants), *(item.node for item in starts)],
        condition=condition, body=body.graph(after), condition_constants=1, body_constants=len(constants),
        bound=growth.choose.one_of((None, 8)))
    _kept(growth, results, [Item(a.node, _loop_exact(a, b), 2 + b.bound) for a, b in zip(after, starts, strict=True)])


def _below_limit(items: list[Item]) -> Graph:
    from tarazu.ir.node import Builder

    builder = Builder()
    parameters = [builder.parameter(item.node.type) for item in items]
    return Graph(parameters, [builder.add(ops.LESS, [parameters[1], parameters[0]], {})])


STEPS = {call: 3, barrier: 1, branch: 3, scan: 4, loop: 2}
