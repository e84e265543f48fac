"""Blocks of rows inside the products of a batch: where the matrices between products are large, some rows of them are
done by all kernels of a chain before the next rows, so that no matrix is in memory as a whole.

Rows are those of the first product. Kernels that have an index of them are done for a block of rows; sums over rows add
the sum of a block to what the blocks before have given. What else a kernel reads is there as a whole.

In a block matrices lie column by column, where only these kernels access them: the first product then packs its block
of rows, not all columns for each block, and a sum over rows reads neighboring numbers. So blocks may be as small as
the cache is, where there is no sum over rows.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Container, Sequence

from tarazu.backend.native.kernels.merge_axes import Strides, with_strides
from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Accumulated,
    Apply,
    Constant,
    Expression,
    Load,
    Nest,
    Position,
    Store,
    Triangle,
    accesses,
    expressions,
    leaf_map,
    loads,
)
from tarazu.backend.native.lowering.steps import NestLaunch
from tarazu.base.dtypes import bool_, int64
from tarazu.ir import op as ops

LARGE, LARGE_BY_COLUMNS = 2**23, 2**22  # bytes of a matrix that is cut, and of one whose blocks lie column by column
FEWEST, MOST = 16, 256  # rows of a block: for each block sums over all rows are read and written again
CACHED = 2**18  # bytes of a block that lies column by column
Reach = tuple[Strides, int]  # the strides of the axes of the batch, and that of the rows


def with_row_blocks(launches: Sequence[NestLaunch], batch: int, users: Counter[Buffer]) -> list[NestLaunch]:
    """The launches of a chain whose first `batch` axes number matrices, with a further axis for blocks of rows where
    that can be: of as many in a row as go together, or as are done before a sum over rows and hand no matrix on.
    `users` says how many steps access some memory."""
    result: list[NestLaunch] = []
    while len(result) < len(launches):
        rest = launches[len(result):]
        group = _Group(batch, users)
        count = next((i for i, launch in enumerate(rest) if not group.takes(launch)), len(rest))
        shorter = (_Group.of(rest[:end], batch, users) for end in range(count, 1, -1)) if group.sums else ()
        group = next((part for part in shorter if not part.sums and part.turned and part.is_worth_it()), group)
        result += group.cut() if group.is_worth_it() else rest[:max(count, 1)]
    return result


class _Group:
    """Launches of a chain that may be done block by block."""

    def __init__(self, batch: int, users: Counter[Buffer]) -> None:
        self._batch, self._users, self._rows = batch, users, 0
        self._launches: list[tuple[NestLaunch, int]] = []  # with the axis of the rows
        self._written: dict[Buffer, Reach | None] = {}  # how rows lie in memory that is written; None for sums of them
        self._read: dict[Buffer, set[Reach | None]] = {}  # the same of what is read; None for more than the own rows

    @classmethod
    def of(cls, launches: Sequence[NestLaunch], batch: int, users: Counter[Buffer]) -> _Group:
        """The group of launches that go together."""
        group = cls(batch, users)
        for launch in launches:
            group.takes(launch)
        return group

    @property
    def sums(self) -> bool:
        """Whether a kernel sums over rows."""
        return None in self._written.values()

    def takes(self, launch: NestLaunch) -> bool:
        """Append a launch, if it can be done block by block with those that are there."""
        axis = self._axis(launch)
        if axis is None:
            return False
        nest, written, read = launch.nest, dict(self._written), {own: set(r) for own, r in self._read.items()}
        for access in loads(*expressions(nest)):
            read.setdefault(launch.operands[access.buffer].buffer.root, set()).add(self._reach(access, axis))
        for store in nest.stores:
            buffer = launch.operands[store.access.buffer].buffer.root
            reach = self._reach(store.access, axis) if axis < nest.kept else None
            if (axis < nest.kept and reach is None) or written.setdefault(buffer, reach) != reach:
                return False
            if reach is None and (buffer in self._written or buffer in read):
                return False
        if any(buffer in written and reaches != {written[buffer]} for buffer, reaches in read.items()):
            return False
        self._rows, self._written, self._read = nest.sizes[axis], written, read
        self._launches.append((launch, axis))
        return True

    def _axis(self, launch: NestLaunch) -> int | None:
        """The axis of a launch's rows: the one along which it goes over rows that were written before."""
        nest, batch = launch.nest, self._batch
        known = {axis for access in loads(*expressions(nest)) if (reach := self._written.get(
            launch.operands[access.buffer].buffer.root)) for axis in range(batch, len(access.strides))
            if (access.strides[axis], nest.sizes[axis]) == (reach[1], self._rows)}
        if not known:
            is_first = nest.kept > batch and (not self._rows or nest.sizes[batch] == self._rows)
            return batch if is_first else None
        (axis, *others) = known
        if others or (axis >= nest.kept and not _is_sum(nest)):
            return None
        return axis

    def _reach(self, access: Access, axis: int) -> Reach | None:
        """The strides of an access, where it reaches rows of its own alone."""
        stride = access.strides[axis] if axis < len(access.strides) else 0
        return (access.strides[:self._batch], stride) if stride > 0 else None

    def is_worth_it(self) -> bool:
        """Whether large matrices lie between products."""
        products = [launch for launch, _ in self._launches if launch.title == ops.DOT.name]
        largest = max([_matrix_bytes(launch.nest, self._batch) for launch in products], default=0)
        if len(products) < 2 or largest < min(LARGE, LARGE_BY_COLUMNS):
            return False
        return largest >= (LARGE_BY_COLUMNS if self.turned else LARGE) and self._block > 0

    def cut(self) -> list[NestLaunch]:
        """The launches with the axis of blocks."""
        result = []
        for launch, axis in self._launches:
            numbers = [i for i, operand in enumerate(launch.operands) if operand.buffer.root in self.turned]
            nest = _cut(launch.nest, self._batch, axis, self._block)
            result.append(launch._replace(nest=_turned(nest, numbers, self._batch, self._block)))
        return result

    @functools.cached_property
    def _block(self) -> int:
        """The rows of a block, all of one size; 0 where no size suits."""
        of_row = max((buffer.bytes for buffer in self.turned), default=0) // self._count
        most = max(CACHED // of_row, FEWEST) if of_row and not self.sums else MOST
        sizes = [size for size in range(FEWEST, min(most, MOST, self._rows // 2) + 1) if self._rows % size == 0]
        return max(sizes, key=lambda size: (size / math.ceil(size / FEWEST) if of_row else 0, size), default=0)

    @property
    def _count(self) -> int:
        """The rows of all matrices."""
        return math.prod(self._launches[0][0].nest.sizes[:self._batch]) * self._rows

    @functools.cached_property
    def turned(self) -> set[Buffer]:
        """The memory of matrices that may lie column by column; none where other steps access one as large, or a kernel
        other memory, by rows and columns too, beside them."""
        found: dict[Buffer, list[int | None]] = {}
        for launch, axis in self._launches:
            for access in accesses(launch.nest):
                found.setdefault(launch.operands[access.buffer].buffer.root, []).append(
                    self._column(launch, axis, access))
        touching = Counter(root for launch, _ in self._launches
                           for root in {operand.buffer.root for operand in launch.operands})
        turned = {root for root, columns in found.items() if root.storage == "arena" and None not in columns
                  and touching[root] == self._users[root]}
        largest = max((root.bytes for root in turned), default=0)
        if any(root.bytes >= largest for root, columns in found.items() if root not in turned and any(columns)):
            return set()
        for launch, axis in self._launches:
            every = [(launch.operands[access.buffer].buffer.root, access) for access in accesses(launch.nest)]
            columns = {self._column(launch, axis, access) for root, access in every if root in turned}
            if any(_reaches(access, axis) and any(_reaches(access, column) for column in columns if column is not None)
                   for root, access in every if root not in turned):
                return set()
        return turned

    def _column(self, launch: NestLaunch, axis: int, access: Access) -> int | None:
        """The axis of the columns, where an access goes over a matrix with rows along an axis row by row; else None."""
        operand, strides, sizes = launch.operands[access.buffer], access.strides, launch.nest.sizes
        others = [i for i in range(self._batch, len(strides)) if i != axis and strides[i]]
        if len(others) != 1 or not _reaches(access, axis) or access.offset or operand.skipped:
            return None
        (column,) = others
        is_whole = operand.buffer.size == operand.buffer.root.size == self._count * sizes[column]
        is_by_rows = strides[column] == 1 < strides[axis] == sizes[column]
        return column if is_whole and is_by_rows and operand.buffer.dtype is operand.buffer.root.dtype else None


def _reaches(access: Access, axis: int) -> bool:
    """Whether an access goes along an axis."""
    return axis < len(access.strides) and access.strides[axis] != 0


def _is_sum(nest: Nest) -> bool:
    """Whether all that a nest stores is a sum, or a multiple of one: the sums of parts then add up."""
    def is_linear(x: Expression) -> bool:
        while isinstance(x, Apply) and x.op is ops.MUL and isinstance(x.inputs[1], Constant):
            x = x.inputs[0]
        return isinstance(x, Accumulated)

    return all(r.op is ops.SUM for r in nest.reductions) and all(is_linear(store.value) for store in nest.stores)


def _matrix_bytes(nest: Nest, batch: int) -> int:
    """The bytes of what a nest stores for each of the batch."""
    return math.prod(nest.sizes[batch:nest.kept]) * nest.stores[0].value.dtype.itemsize


def _cut(nest: Nest, batch: int, axis: int, rows: int) -> Nest:
    """The nest with blocks of `rows` indices of an axis as the last of its outer axes."""
    def strides(own: Strides) -> Strides:
        return (*own[:batch], own[axis] * rows if axis < len(own) else 0, *own[batch:])

    reductions, stores = with_strides(nest, strides)
    if axis >= nest.kept:
        stores = tuple([_added_up(store, batch) for store in stores])
    sizes = [rows if i == axis else size for i, size in enumerate(nest.sizes)]
    blocks = nest.sizes[axis] // rows
    return nest._replace(sizes=(*sizes[:batch], blocks, *sizes[batch:]), kept=nest.kept + 1, reductions=reductions,
                         stores=stores, outer=batch + 1, parts=blocks, triangle=_triangle(nest, batch, axis))


def _turned(nest: Nest, numbers: Container[int], batch: int, rows: int) -> Nest:
    """A nest with blocks of so many rows, where the buffers of these numbers lie column by column in each block."""
    def turned(access: Access) -> Access:
        if access.buffer not in numbers:
            return access
        inside = [stride and (rows if stride == 1 else 1) for stride in access.strides[batch + 1:]]
        return access._replace(strides=(*access.strides[:batch + 1], *inside))

    changed = leaf_map(lambda x: Load(turned(x.access)) if isinstance(x, Load) else x)
    return nest._replace(reductions=tuple([r._replace(value=changed(r.value)) for r in nest.reductions]),
                         stores=tuple([Store(changed(s.value), turned(s.access)) for s in nest.stores]))


def _triangle(nest: Nest, batch: int, axis: int) -> Triangle | None:
    """The triangle of a nest with an axis of blocks in front of those of the matrices."""
    if nest.triangle is None or axis != nest.triangle.row:
        return None
    row, column = (own + (own >= batch) for own in nest.triangle.axes)
    return nest.triangle._replace(row=row, column=column, block=batch)


def _added_up(store: Store, block: int) -> Store:
    """The store, which adds to what blocks before have stored."""
    dtype, place = store.value.dtype, store.access
    number = Position(0, tuple([int(axis == block) for axis in range(len(place.strides))]), int64)
    is_first = Apply(ops.EQUAL, (number, Constant(0, int64)), (), bool_)
    before = Apply(ops.WHERE, (is_first, Constant(0, dtype), Load(place)), (), dtype)
    return store._replace(value=Apply(ops.ADD, (before, store.value), (), dtype))
