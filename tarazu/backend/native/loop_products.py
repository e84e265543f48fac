"""Products by matrices that a loop does not change: these are laid out in panels before the loop, and threads share out
the rows of the result, so that none waits for another before what follows row by row.

A panel is the columns that a register tile needs, with those of each row side by side; it stays in the first level of
the cache while all rows of a thread use it. Without that a turn would copy each panel itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.contraction_choice import CACHE
from tarazu.backend.native.kernels.merge_axes import with_strides, without_short_axes
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.loop_nest import Access, Apply, Load, Nest, Store, accesses
from tarazu.backend.native.lowering.steps import CONTROL_FLOW, CountedLoop, NestLaunch, Operand, Step, map_inner
from tarazu.base.dtypes import float32, float64
from tarazu.ir import op as ops

SHORTEST = 4  # turns of a loop from which on the copy pays
FEWEST, MOST = 8, 512  # rows: fewer are no tile of a thread; beside more a copy in each turn costs nothing


class _Product(NamedTuple):
    """A launch of rows times a matrix, without axes of size 1: its axes are those of rows, columns and the sum."""

    launch: NestLaunch
    right: Access  # the matrix


def with_panels(steps: Sequence[Step], target: Target) -> tuple[Step, ...]:
    """The steps, those inside loops and branches too, with matrices of products in loops in panels."""
    result: list[Step] = []
    for step in steps:
        if isinstance(step, CONTROL_FLOW):
            step = map_inner(step, lambda inner: with_panels(inner, target))
        if isinstance(step, CountedLoop) and step.length >= SHORTEST:
            panels = _Panels(target)
            step = step._replace(body=tuple([panels.changed(inner) for inner in step.body]))
            result += panels.copies
        result.append(step)
    return tuple(result)


class _Panels:
    """The panels of the products of one loop, and the launches that copy them there."""

    def __init__(self, target: Target) -> None:
        self.copies: list[NestLaunch] = []
        self._target = target
        self._known: dict[tuple[Operand, Access, int], Buffer] = {}

    def changed(self, step: Step) -> Step:
        """A step of the loop, where it is such a product with its matrix in panels, and divided among threads."""
        product = _product(step)
        if product is None:
            return step
        _, columns, depth = product.launch.nest.sizes
        width = _width(columns, self._target, product.right)
        if not width:
            return step
        launch, number = product.launch, product.right.buffer
        panels = self._panels(launch.operands[number], product.right, (columns // width, depth, width))
        operands = [Operand(panels) if i == number else x for i, x in enumerate(launch.operands)]
        place = Access(number, product.right.dtype, 0, (0, depth * width, 1, width))
        nest = _by_rows(_in_panels(launch.nest, place, width), self._target.threads)
        return launch._replace(operands=tuple(operands), nest=nest)

    def _panels(self, matrix: Operand, access: Access, sizes: tuple[int, int, int]) -> Buffer:
        """The buffer with the panels of a matrix: their number, rows and columns are `sizes`."""
        key = matrix, access._replace(buffer=0), sizes[2]
        if key not in self._known:
            count, depth, width = sizes
            self._known[key] = buffer = Buffer(access.dtype, count * depth * width)
            _, column, row = access.strides
            read = access._replace(buffer=0, strides=(column * width, row, column))
            stored = Access(1, access.dtype, 0, (depth * width, width, 1))
            nest = Nest(sizes, 3, (), (Store(Load(read), stored),))
            self.copies.append(NestLaunch.of("copy", [matrix, Operand(buffer)], [1], nest))
        return self._known[key]


def _product(step: Step) -> _Product | None:
    """A launch as a product of some rows by a matrix that the loop does not change; None for other steps."""
    if not isinstance(step, NestLaunch) or step.nest.outer or step.nest.triangle or len(step.nest.reductions) != 1:
        return None
    nest = without_short_axes(step.nest)
    value = nest.reductions[0].value
    if (len(nest.sizes), nest.kept) != (3, 2) or not FEWEST <= nest.sizes[0] <= MOST:
        return None
    if nest.reductions[0].op is not ops.SUM or not isinstance(value, Apply) or value.op is not ops.MUL:
        return None
    left, right = value.inputs
    if value.dtype not in (float32, float64) or not (isinstance(left, Load) and isinstance(right, Load)):
        return None
    if left.access.strides[1] or right.access.strides[0] or left.access.strides[0] <= 0:
        return None
    matrix = right.access
    alone = sum(access.buffer == matrix.buffer for access in accesses(nest)) == 1
    _, columns, depth = nest.sizes
    fits = columns * depth * matrix.dtype.itemsize <= CACHE
    is_matrix = min(matrix.strides[1:]) > 0 and matrix.buffer in nest.loop_invariant
    return _Product(step._replace(nest=nest), matrix) if alone and fits and is_matrix else None


def _width(columns: int, target: Target, access: Access) -> int:
    """The columns of a panel, whole vectors that divide all columns; 0 where none do, or one panel has all."""
    lanes = target.vector_bytes // access.dtype.itemsize
    most = target.tile_columns * lanes // target.lanes
    return next((width for width in range(most, 0, -lanes) if columns % width == 0 and columns > width), 0)


def _in_panels(nest: Nest, place: Access, width: int) -> Nest:
    """The nest with an axis of panels and one of the columns of a panel, and its matrix at another place."""
    rows, columns, depth = nest.sizes
    (reduction,), stores = with_strides(nest, lambda own: (own[0], own[1] * width, *own[1:]))
    assert isinstance(reduction.value, Apply)
    product = reduction.value._replace(inputs=(reduction.value.inputs[0], Load(place)))
    return nest._replace(sizes=(rows, columns // width, width, depth), kept=3, stores=stores,
                         reductions=(reduction._replace(value=product),))


def _by_rows(nest: Nest, threads: int) -> Nest:
    """The nest with the rows in as many parts as there are threads as its items, where these are large enough."""
    rows, rest = divmod(nest.sizes[0], threads)
    if threads < 2 or rest or rows < FEWEST:
        return nest
    reductions, stores = with_strides(nest, lambda own: (own[0] * rows, *own))
    return nest._replace(sizes=(threads, rows, *nest.sizes[1:]), kept=nest.kept + 1, reductions=reductions,
                         stores=stores, outer=1)
