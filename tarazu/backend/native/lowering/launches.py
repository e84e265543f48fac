"""From groups to launches: expressions and accesses are fixed, axes that can be one are joined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tarazu.backend.native.kernels.loops import FEW_ITEMS, accesses
from tarazu.backend.native.lowering.group import Group
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Accumulated,
    Apply,
    Constant,
    Expression,
    Load,
    Nest,
    Position,
    Reduction,
    Store,
)
from tarazu.backend.native.lowering.materialize import CHEAP, DEAR
from tarazu.backend.native.lowering.steps import Launch, Operand
from tarazu.backend.native.lowering.views import Buffer, Lines, View, access, identity
from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.node import Node

if TYPE_CHECKING:
    from tarazu.backend.native.lowering.region import Region

EMPTY = {ops.SUM: 0, ops.PROD: 1, ops.ANY_TRUE: 0, ops.ALL_TRUE: 1}  # what reductions of nothing give


class _Maker:
    """Makes the launch of one group."""

    def __init__(self, region: Region, group: Group) -> None:
        self.region, self.group = region, group
        self.operands: list[Operand] = []
        self.numbers: dict[Buffer, int] = {}
        self.writes: set[int] = set()
        self.memo: dict = {"rank": group.kept}
        self.all: dict = {"rank": len(group.sizes)}

    def number(self, buffer: Buffer) -> int:
        """The position of a buffer among the kernel's."""
        if buffer not in self.numbers:
            self.numbers[buffer] = len(self.operands)
            self.operands.append((buffer, 0))
        return self.numbers[buffer]

    def at(self, view: View, lines: Lines, rank: int) -> Access:
        return access(view, lines, rank, view.buffer.dtype)._replace(buffer=self.number(view.buffer))

    def member(self, base: Node, lines: Lines | None, view: View, found: Lines) -> Expression:
        """A leaf of an expression over the kept axes."""
        if base not in self.group.members:
            return Load(self.at(view, found, self.group.kept))
        return self.value(base)

    def value(self, node: Node) -> Expression:
        """The expression of a member."""
        if node is self.group.value:
            return self.memo.setdefault("accumulated", Accumulated(0, node.dtype))
        return self.region.build(node, self.group.members[node], self.member, self.memo, start=True)

    def inner(self, node: Node, lines: Lines) -> Expression:
        """The elements of a node over all axes of the nest."""
        return self.region.build(node, lines, lambda base, lines, view, found: self.load(view, found), self.all)

    def load(self, view: View, lines: Lines) -> Expression:
        """The elements of memory over all axes of the nest."""
        return Load(self.at(view, lines, len(self.group.sizes)))

    def stores(self, kept: set[Node]) -> tuple[Store, ...]:
        rank, found = self.group.kept, []
        for node, lines in self.group.members.items():
            if node in kept:
                value = self.value(node)
                found.append(Store(value, self._written(self.region.views[node], lines, rank)))
        for source, view in self.group.extra:
            found.append(Store(self._extra(source, view), self._written(view, identity(view.shape), rank)))
        return tuple(found)

    def _extra(self, source: Node | View | Constant, target: View) -> Expression:
        if isinstance(source, Constant):
            return source
        lines = identity(target.shape)
        if isinstance(source, View):
            return Load(self.at(source, lines, self.group.kept))
        fit = lines if source.shape else ()
        return self.region.build(source, fit, self.member, self.memo)

    def _written(self, view: View, lines: Lines, rank: int) -> Access:
        made = self.at(view, lines, rank)
        self.writes.add(made.buffer)
        return made


def launch(region: Region, group: Group, kept: set[Node]) -> list[Launch]:
    """The launch of a group, or nothing where nobody needs what it computes."""
    maker = _Maker(region, group)
    if 0 in group.sizes[:group.kept]:
        return []
    stores = maker.stores(kept)
    if not stores:
        return []
    reductions = () if group.reduce is None else (group.reduce(maker),)
    steady = frozenset(number for buffer, number in maker.numbers.items() if buffer.root in region.steady)
    nest = Nest(group.sizes, group.kept, reductions, stores, steady)
    if 0 in group.sizes:
        nest = _of_nothing(nest)
        maker.operands = maker.operands[:1 + max(access.buffer for access in accesses(nest))]
    return [Launch(group.title, maker.operands, maker.writes, nest=nest, estimate=estimate(nest),
                   members=tuple(group.members))]


def copy(source: View, target: View) -> Launch:
    """A launch that copies bytes between contiguous views."""
    size = source.buffer.dtype.itemsize * math.prod(source.shape)
    unit = next(dtype for dtype in (dtypes.uint64, dtypes.uint32, dtypes.uint16, dtypes.uint8)
                if not size % dtype.itemsize and not (source.offset * source.buffer.dtype.itemsize) % dtype.itemsize
                and not (target.offset * target.buffer.dtype.itemsize) % dtype.itemsize)
    sizes = (size // unit.itemsize,)
    offsets = [view.offset * view.buffer.dtype.itemsize // unit.itemsize for view in (source, target)]
    value = Load(Access(0, unit, offsets[0], (1,)))
    nest = Nest(sizes, 1, (), (Store(value, Access(1, unit, offsets[1], (1,))),))
    return Launch("copy", [(source.buffer, 0), (target.buffer, 0)], {1}, nest=nest, estimate=estimate(nest))


def _of_nothing(nest: Nest) -> Nest:
    """A nest whose reduction has no elements, without the reduction."""
    def replace(x: Expression) -> Expression:
        if isinstance(x, Accumulated):
            return Constant(EMPTY[nest.reductions[x.which].op], x.dtype)
        return x._replace(inputs=tuple([replace(part) for part in x.inputs])) if isinstance(x, Apply) else x

    stores = tuple([Store(replace(store.value), store.access) for store in nest.stores])
    return Nest(nest.sizes[:nest.kept], nest.kept, (), stores)


# Axes -----------------------------------------------------------------------------------------------------------

def joined(nest: Nest) -> Nest:
    """The nest without axes of size 1, and with neighboring axes as one where every access allows it.

    A first axis that is long enough to be shared out among threads stays apart, so that kernels one after the other
    share alike and need not wait for each other.
    """
    strides = [[*found, *[0] * (len(nest.sizes) - len(found))] for found in _all_strides(nest)]
    runs: list[list[int]] = []
    for axis, size in enumerate(nest.sizes):
        if size == 1:
            continue
        apart = not runs or axis == nest.kept or (runs[-1][-1] < nest.kept <= axis)
        first = len(runs) == 1 and runs[0][0] < nest.kept and math.prod(
            nest.sizes[i] for i in runs[0]) >= FEW_ITEMS and axis < nest.kept
        if apart or first or any(own[runs[-1][-1]] != own[axis] * size for own in strides):
            runs.append([axis])
        else:
            runs[-1].append(axis)
    return _merged(nest, runs)


def _all_strides(nest: Nest) -> list[Sequence[int]]:
    found: list[Sequence[int]] = [access.strides for access in accesses(nest)]
    seen: set[int] = set()

    def visit(x: Expression) -> None:
        if id(x) in seen:
            return
        seen.add(id(x))
        if isinstance(x, Position):
            found.append(x.strides)
        elif isinstance(x, Apply):
            for part in x.inputs:
                visit(part)

    for root in [*(reduction.value for reduction in nest.reductions), *(store.value for store in nest.stores)]:
        visit(root)
    return found


def _merged(nest: Nest, runs: list[list[int]]) -> Nest:
    """The nest whose axis i stands for the axes `runs[i]` of the old one."""
    kept = sum(run[0] < nest.kept for run in runs)
    memo: dict[int, tuple[Expression, Expression]] = {}

    def thin(strides: Sequence[int]) -> tuple[int, ...]:
        return tuple([strides[run[-1]] for run in runs if run[-1] < len(strides)])

    def moved(x: Expression) -> Expression:
        if id(x) not in memo:
            memo[id(x)] = (x, _moved(x))  # keeps x alive, so that its identity stays its own
        return memo[id(x)][1]

    def _moved(x: Expression) -> Expression:
        if isinstance(x, Load):
            return Load(x.access._replace(strides=thin(x.access.strides)))
        if isinstance(x, Position):
            return x._replace(strides=thin(x.strides))
        return x._replace(inputs=tuple([moved(part) for part in x.inputs])) if isinstance(x, Apply) else x

    sizes = tuple([math.prod(nest.sizes[axis] for axis in run) for run in runs])
    reductions = tuple([Reduction(r.op, moved(r.value)) for r in nest.reductions])
    stores = tuple([Store(moved(s.value), s.access._replace(strides=thin(s.access.strides))) for s in nest.stores])
    return Nest(sizes, kept, reductions, stores)


_PRODUCT = 0.4  # what a product and its addition cost in a register tile, where loading a number costs 1


def is_product(reduction: Reduction) -> bool:
    """Whether a reduction is a sum of products of two loads."""
    value = reduction.value
    return (reduction.op is ops.SUM and isinstance(value, Apply) and value.op is ops.MUL
            and all(isinstance(x, Load) for x in value.inputs))


def estimate(nest: Nest) -> float:
    """About how many nanoseconds one thread takes."""
    seen: set[int] = set()

    def weigh(x: Expression) -> float:
        if id(x) in seen:
            return 0.0
        seen.add(id(x))
        if isinstance(x, Load):
            return 1.0
        if isinstance(x, Apply):
            return sum(map(weigh, x.inputs)) + (1 if x.op in CHEAP else DEAR.get(x.op, 20))
        return 0.0

    inner = sum(_PRODUCT if is_product(r) else weigh(r.value) + 1 for r in nest.reductions)
    outer = sum(weigh(s.value) + 1 for s in nest.stores)
    places = math.prod(nest.sizes[:nest.kept])
    return 0.05 * (math.prod(nest.sizes) * inner * bool(nest.reductions) + places * outer)
