"""How each primitive runs for all lanes at once: a row per primitive, written in ops, so that gradients follow.

A row is a function `(op, size, lanes, **attributes)`, where `lanes` are the inputs (at least one batched, except where
random bits are drawn) and `size` is the number of lanes. It gives the result with the lanes along the first axis; for
primitives with several results, a list of `Lanes`. Elementwise primitives need no row.
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
from tarazu.transform.batching.contract_rules import conv, dot, shifted, solve
from tarazu.transform.batching.control_rules import barrier, call, cond, scan, while_
from tarazu.transform.batching.engine import BATCH_RULES, Lanes, align, batch_graph, broadcast_lanes
from tarazu.transform.typing import AxisTuple, Tensor

__all__ = ["BATCH_RULES", "NOT_BATCHED", "batch_graph"]  # whoever imports the engine from here has its table filled


def _one_input(attributes_for: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """The rule of a primitive with one input; `attributes_for(size, **attributes)` are its attributes in all lanes."""
    def rule(op: Op, size: int, lanes: list[Lanes], **attributes: object) -> Any:
        out = bind(op, lanes[0].value, **attributes_for(size, **attributes))
        return [Lanes(one, True) for one in out] if op.multiple else out
    return rule


_over_axes = _one_input(lambda size, axes: {"axes": shifted(axes)})
_along_axis = _one_input(lambda size, axis: {"axis": axis + 1})
_matrices = _one_input(lambda size, **options: options)  # the last two axes, for each index of those before


# Shape ----------------------------------------------------------------------------------------------------------

def _broadcast(op: Op, size: int, lanes: list[Lanes], shape: AxisTuple) -> Tensor:
    return broadcast_to(align(lanes[0], len(shape)), (size, *shape))


def _pad(op: Op, size: int, lanes: list[Lanes], low: AxisTuple, high: AxisTuple, interior: AxisTuple) -> Tensor:
    x, value = broadcast_lanes(lanes[0], size), lanes[1]
    widths = {"low": (0, *low), "high": (0, *high), "interior": (0, *interior)}
    if not value.batched:
        return bind(op, x, value.value, **widths)
    is_inside = bind(op, full_like(x, True, dtype="bool"), as_value(False), **widths)
    return where(is_inside, bind(op, x, as_value(0, x.dtype), **widths), align(value, len(low)))


def _concat(op: Op, size: int, lanes: list[Lanes], axis: int) -> Tensor:
    return bind(op, *[broadcast_lanes(x, size) for x in lanes], axis=axis + 1)


# Index ----------------------------------------------------------------------------------------------------------

def _gather(op: Op, size: int, lanes: list[Lanes], axes: AxisTuple) -> Tensor:
    x, *indices = lanes
    if not x.batched:
        return bind(op, x.value, *_aligned(indices), axes=axes)
    if any(index.batched for index in indices):
        return bind(op, x.value, *_with_lane(indices, size), axes=(0, *shifted(axes)))
    picked = bind(op, x.value, *[index.value for index in indices], axes=shifted(axes))  # lanes after the index axes
    return moveaxis(picked, max(index.rank for index in indices), 0)


def _scatter(op: Op, size: int, lanes: list[Lanes], axes: AxisTuple) -> Tensor:
    x, updates, *indices = lanes
    return bind(op, broadcast_lanes(x, size), broadcast_lanes(updates, size), *_with_lane(indices, size),
                axes=(0, *shifted(axes)))


def _aligned(indices: list[Lanes]) -> list[Tensor]:
    rank = max(index.rank for index in indices)
    return [align(index, rank) for index in indices]


def _with_lane(indices: list[Lanes], size: int) -> list[Tensor]:
    """The index tensors, behind a further one that is the number of the lane."""
    rank = max(index.rank for index in indices)
    return [reshape(arange(size), (size, *(1,) * rank)), *_aligned(indices)]


# Sort, matrices, random --------------------------------------------------------------------------------------------

def _random_bits(op: Op, size: int, lanes: list[Lanes], shape: AxisTuple) -> Tensor:
    """One longer draw where all lanes share a state; where each has its own, what it would draw alone."""
    (generator,) = lanes
    if not generator.batched:
        return bind(op, generator.value, shape=(size, *shape))
    return loops.scan(lambda _, own: (None, bind(op, own, shape=shape)), None, generator.value)[1]


NOT_BATCHED = frozenset({ops.IOTA})  # without inputs: the same in all lanes

BATCH_RULES.update({
    ops.RESHAPE: _one_input(lambda size, shape: {"shape": (size, *shape)}),
    ops.TRANSPOSE: _one_input(lambda size, permutation: {"permutation": (0, *shifted(permutation))}),
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
    ops.FFT: _one_input(lambda size, axes, kind: {"axes": shifted(axes), "kind": kind}),
    ops.CHOLESKY: _matrices,
    ops.QR: _matrices,
    ops.EIGH: _matrices,
    ops.EIG: _matrices,
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
