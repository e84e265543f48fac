"""Reductions of the same elements, one after the other, joined into one nest, which reads them once.

The gradient of a batch norm is an example: the sum of the gradient, and that of its product with what was normalized.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Accumulated,
    Apply,
    Expression,
    Load,
    Nest,
    Reduction,
    Store,
    leaf_map,
    loads,
)
from tarazu.backend.native.lowering.steps import NestLaunch, Operand, Step
from tarazu.ir import op as ops

MOST = 4  # reductions of one nest, whose accumulators are in registers


def with_joined_sums(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps, with neighbors joined that reduce the same elements and do not wait for each other."""
    last: Step | None = None
    for step in steps:
        if isinstance(last, NestLaunch) and isinstance(step, NestLaunch) and _may_join(last, step):
            last = _joined(last, step)
            continue
        if last is not None:
            yield last
        last = step
    if last is not None:
        yield last


def _may_join(first: NestLaunch, second: NestLaunch) -> bool:
    a, b = first.nest, second.nest
    if not a.reductions or not b.reductions or (a.sizes, a.kept) != (b.sizes, b.kept):
        return False
    if len(a.reductions) + len(b.reductions) > MOST or _has_product(a) or _has_product(b):
        return False
    return _is_independent(first, second) and bool(_reduced(first) & _reduced(second))


def _has_product(nest: Nest) -> bool:
    """Whether a nest sums products of two loads, which register tiles do faster alone."""
    values = [reduction.value for reduction in nest.reductions]
    return any(isinstance(x, Apply) and x.op is ops.MUL and all(isinstance(y, Load) for y in x.inputs) for x in values)


def _is_independent(first: NestLaunch, second: NestLaunch) -> bool:
    """Whether neither of two launches touches memory that the other one writes."""
    one, other = ({operand.buffer.root for operand in launch.operands} for launch in (first, second))
    written, also = ({launch.operands[i].buffer.root for i in launch.writes} for launch in (first, second))
    return not (written & other or also & one)


def _reduced(launch: NestLaunch) -> set[tuple[Operand, Access]]:
    """What a launch reads for each term of its reductions."""
    nest = launch.nest
    every = loads(*[reduction.value for reduction in nest.reductions])
    return {(launch.operands[access.buffer], access._replace(buffer=0)) for access in every
            if any(access.strides[nest.kept:])}


def _joined(first: NestLaunch, second: NestLaunch) -> NestLaunch:
    """One launch that does what both do."""
    operands = list(dict.fromkeys([*first.operands, *second.operands]))
    number = [operands.index(operand) for operand in second.operands]
    a, b, shift = first.nest, second.nest, len(first.nest.reductions)

    def moved(access: Access) -> Access:
        return access._replace(buffer=number[access.buffer])

    def leaf(x: Expression) -> Expression:
        if isinstance(x, Load):
            return Load(moved(x.access))
        return x._replace(which=x.which + shift) if isinstance(x, Accumulated) else x

    changed = leaf_map(leaf)
    reductions = [Reduction(one.op, changed(one.value)) for one in b.reductions]
    stores = [Store(changed(store.value), moved(store.access)) for store in b.stores]
    nest = Nest(a.sizes, a.kept, (*a.reductions, *reductions), (*a.stores, *stores),
                a.loop_invariant | {number[i] for i in b.loop_invariant})
    writes = [*first.writes, *[number[i] for i in second.writes]]
    return NestLaunch.of(first.title, operands, writes, nest, (*first.members, *second.members))
