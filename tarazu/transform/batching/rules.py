"""How each primitive runs for all lanes at once: a row per primitive, written in ops, so that gradients follow.

A row is a function `(op, size, lanes, **attributes)`, where `lanes` are the inputs (at least one batched, except where
random bits are drawn) and `size` says how many lanes there are. It gives the result with the lanes along the first
axis; for primitives with several results, a list of `Lanes`. Elementwise primitives need no row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.base.device import Layout
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.op import Op
from tarazu.ops.control_flow import loops
from tarazu.ops.create import arange, full_like
from tarazu.ops.elementwise import where
from tarazu.ops.promote import as_value
from tarazu.ops.shape import broadcast_to, moveaxis, reshape
from tarazu.transform.batching.contract_rules import conv, dot, solve, up
from tarazu.transform.batching.control_rules import barrier, call, cond, scan, while_
from tarazu.transform.batching.engine import BATCH_RULES, Lanes, align, batch_graph, spread

__all__ = ["BATCH_RULES", "NOT_BATCHED", "batch_graph"]  # the engine is to be had here, where its table is full

Axes = tuple[int, ...]


def _one_input(attributes_for: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """The rule of a primitive with one input, from the attributes for one lane to those for `size` of them."""
    def rule(op: Op, size: int, lanes: list[Lanes], **attributes: Any) -> Any:
        out = bind(op, lanes[0].value, **attributes_for(size, **attributes))
        return [Lanes(one, True) for one in out] if op.multiple else out
    return rule


_over_axes = _one_input(lambda size, axes: {"axes": up(axes)})
_along_axis = _one_input(lambda size, axis: {"axis": axis + 1})
_matrices = _one_input(lambda size, **options: options)  # the last two axes, for each index of those before


# Shape ----------------------------------------------------------------------------------------------------------

def _broadcast(op: Op, size: int, lanes: list[Lanes], shape: Axes) -> Any:
    return broadcast_to(align(lanes[0], len(shape)), (size, *shape))


def _pad(op: Op, size: int, lanes: list[Lanes], low: Axes, high: Axes, interior: Axes) -> Any:
    x, value = spread(lanes[0], size), lanes[1]
    widths = {"low": (0, *low), "high": (0, *high), "interior": (0, *interior)}
    if not value.batched:
        return bind(op, x, value.value, **widths)
    is_inside = bind(op, full_like(x, True, dtype="bool"), as_value(False), **widths)
    return where(is_inside, bind(op, x, as_value(0, x.dtype), **widths), align(value, len(low)))


def _concat(op: Op, size: int, lanes: list[Lanes], axis: int) -> Any:
    return bind(op, *[spread(x, size) for x in lanes], axis=axis + 1)


# Index ----------------------------------------------------------------------------------------------------------

def _gather(op: Op, size: int, lanes: list[Lanes], axes: Axes) -> Any:
    x, *indices = lanes
    if not x.batched:
        return bind(op, x.value, *_aligned(indices), axes=axes)
    if any(index.batched for index in indices):
        return bind(op, x.value, *_with_lane(indices, size), axes=(0, *up(axes)))
    picked = bind(op, x.value, *[index.value for index in indices], axes=up(axes))  # lanes after the index axes
    return moveaxis(picked, max(index.rank for index in indices), 0)


def _scatter(op: Op, size: int, lanes: list[Lanes], axes: Axes) -> Any:
    x, updates, *indices = lanes
    return bind(op, spread(x, size), spread(updates, size), *_with_lane(indices, size), axes=(0, *up(axes)))


def _aligned(indices: list[Lanes]) -> list[Any]:
    rank = max(index.rank for index in indices)
    return [align(index, rank) for index in indices]


def _with_lane(indices: list[Lanes], size: int) -> list[Any]:
    """The index tensors with one before them that names the lane."""
    rank = max(index.rank for index in indices)
    return [reshape(arange(size), (size, *(1,) * rank)), *_aligned(indices)]


# Sort, matrices, random --------------------------------------------------------------------------------------------

def _random_bits(op: Op, size: int, lanes: list[Lanes], shape: Axes) -> Any:
    """One longer draw where all lanes share a state; where each has its own, what it would draw alone."""
    (generator,) = lanes
    if not generator.batched:
        return bind(op, generator.value, shape=(size, *shape))
    return loops.scan(lambda _, own: (None, bind(op, own, shape=shape)), None, generator.value)[1]


NOT_BATCHED = frozenset({ops.IOTA})  # without inputs: the same in all lanes

BATCH_RULES.update({
    ops.RESHAPE: _one_input(lambda size, shape: {"shape": (size, *shape)}),
    ops.TRANSPOSE: _one_input(lambda size, permutation: {"permutation": (0, *up(permutation))}),
    ops.BROADCAST: _broadcast,
    ops.SLICE: _one_input(lambda size, start, stop, step: {
        "start": (0, *start), "stop": (size, *stop), "step": (1, *step)}),
    ops.PAD: _pad,
    ops.CONCAT: _concat,
    ops.FLIP: _over_axes,
    ops.PLACE: _one_input(lambda size, where: {
        "where": where._replace(spec=(None, *where.spec)) if isinstance(where, Layout) else where}),
    ops.GATHER: _gather,
    ops.SCATTER_ADD: _scatter,
    ops.SCATTER_SET: _scatter,
    ops.SUM: _over_axes,
    ops.PROD: _over_axes,
    ops.MAX: _over_axes,
    ops.MIN: _over_axes,
    ops.ANY_TRUE: _over_axes,
    ops.ALL_TRUE: _over_axes,
    ops.ARGMAX: _along_axis,
    ops.ARGMIN: _along_axis,
    ops.CUMSUM: _along_axis,
    ops.CUMPROD: _along_axis,
    ops.DOT: dot,
    ops.CONV: conv,
    ops.FFT: _one_input(lambda size, axes, kind: {"axes": up(axes), "kind": kind}),
    ops.CHOLESKY: _matrices,
    ops.QR: _matrices,
    ops.EIGH: _matrices,
    ops.SVD: _matrices,
    ops.SLOGDET: _matrices,
    ops.SOLVE: solve,
    ops.SORT: _along_axis,
    ops.RANDOM_BITS: _random_bits,
    ops.CALL: call,
    ops.COND: cond,
    ops.BARRIER: barrier,
    ops.SCAN: scan,
    ops.WHILE: while_,
})
