"""Neighbors around batches of products get the batch as their items, so that each product and what follows from it is
done before the next one: attention head by head, whose scores then stay in the cache."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence

from tarazu.backend.native.kernels.loops import FEW_ITEMS
from tarazu.backend.native.kernels.merge_axes import without_short_axes
from tarazu.backend.native.kernels.row_blocks import with_row_blocks
from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.loop_nest import loads
from tarazu.backend.native.lowering.steps import CONTROL_FLOW, NestLaunch, Step, every, map_inner, touched
from tarazu.ir import op as ops
from tarazu.ir.types import Shape

EACH = 2  # items that a thread should have at least
FEWEST_PRODUCTS = 2  # of a chain: what is computed between them need not go through memory


def with_batches(steps: Sequence[Step], threads: int) -> tuple[Step, ...]:
    """The steps, those inside loops and branches too, with the axes of the batch as items in chains of neighbors that
    contain several products over the same batch."""
    users = Counter(root for step in every(steps) if not isinstance(step, CONTROL_FLOW)
                    for root in {buffer.root for buffer, _ in touched(step)})
    return _with_batches(steps, threads, users)


def _with_batches(steps: Sequence[Step], threads: int, users: Counter[Buffer]) -> tuple[Step, ...]:
    """The same, given how many steps of the program access some memory."""
    result = [map_inner(step, lambda inner: _with_batches(inner, threads, users)) if isinstance(step, CONTROL_FLOW)
              else step for step in steps]
    for first, last, batch in _chains(result, max(FEW_ITEMS, EACH * threads)):
        chain = [launch._replace(nest=without_short_axes(launch.nest)._replace(outer=len(batch)))
                 for launch in result[first:last] if isinstance(launch, NestLaunch)]
        result[first:last] = with_row_blocks(chain, len(batch), users)
    return tuple(result)


def _chains(steps: Sequence[Step], fewest: int) -> list[tuple[int, int, Shape]]:
    """The first step of each chain, the one after the last, and the sizes of the batch, of `fewest` items or more."""
    chains: list[tuple[int, int, Shape]] = []
    for i, step in enumerate(steps):
        batch, end = _batch(step), chains[-1][1] if chains else 0
        if i < end or math.prod(batch) < fewest:
            continue
        first = next((j + 1 for j in range(i, end - 1, -1) if not _goes_over(steps[j], batch)), end)
        last = next((j for j in range(i, len(steps)) if not _goes_over(steps[j], batch)), len(steps))
        if sum(_batch(step) == batch for step in steps[first:last]) >= FEWEST_PRODUCTS:
            chains.append((first, last, batch))
    return chains


def _batch(step: Step) -> Shape:
    """The sizes of the axes that number the products of a batch; none for other steps."""
    if not isinstance(step, NestLaunch) or step.title != ops.DOT.name or not step.nest.reductions:
        return ()
    nest = without_short_axes(step.nest)
    factors = loads(nest.reductions[0].value)
    return tuple(itertools.takewhile(bool, [size * all(factor.strides[axis] for factor in factors)
                                            for axis, size in enumerate(nest.sizes[:nest.kept])]))


def _goes_over(step: Step, batch: Shape) -> bool:
    """Whether the first axes of a step are those of the batch, and others follow; of a product both factors have them,
    as one by a weight is done faster for the whole batch."""
    if not isinstance(step, NestLaunch):
        return False
    if step.title == ops.DOT.name and step.nest.reductions and _batch(step)[:len(batch)] != batch:
        return False
    nest = without_short_axes(step.nest)
    return nest.kept > len(batch) and nest.sizes[:len(batch)] == batch
