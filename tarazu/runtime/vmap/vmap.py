"""`tz.vmap`: a function of one example as a function of many, each computed in its own *lane* of one graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.pytree import flatten
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.promote import as_value
from tarazu.ops.shape import moveaxis
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.vmap.lane_axes import (
    LaneAxes,
    MappedLeaf,
    arguments_with_axes,
    leaves_with_axes,
    number_of_lanes,
)
from tarazu.runtime.vmap.lane_trace import Members, trace_lane
from tarazu.transform.batching.engine import Flags
from tarazu.transform.batching.rules import batch_graph


def vmap(function: Callable[..., Any], in_axes: LaneAxes = 0, out_axes: LaneAxes = 0) -> Callable[..., Any]:
    """`function`, written for one example, for a whole axis of them at once: a loop over examples without the loop.

    `in_axes` says along which axis each positional argument has the examples: one axis for all, or a tuple with an
    axis, or None for what is the same in all lanes, or containers nested like the argument, for each. Keyword arguments
    are the same in all lanes. `out_axes` says where the results have them; None asks for a result that is the
    same in all. The call raises ArgumentError for axes that do not fit, ShapeError for sizes that differ.

    Random numbers differ between lanes, and the generator goes on by one draw. A tensor from outside may be changed in
    place only to what is the same in all lanes, TraceError otherwise; `tz.replicate` gives each lane its own.

    >>> import tarazu as tz
    >>> loss = lambda w, x, y: ((x * w).sum() - y) ** 2
    >>> w, x, y = tz.ones(2), tz.tensor([[1.0, 2.0], [3.0, 4.0]]), tz.tensor([1.0, 2.0])
    >>> tz.vmap(tz.grad(loss), in_axes=(None, 0, 0))(w, x, y)
    Tensor([[ 4.,  8.],
            [30., 40.]], dtype=float32)
    """

    @functools.wraps(function)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        return run_lanes(function, args, kwargs, in_axes, out_axes)
    return mapped


def run_lanes(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any], in_axes: LaneAxes,
              out_axes: LaneAxes, count: int | None = None, members: Members | None = None) -> Any:
    """The results of `function` in all lanes; `members` are handles with a value for each of `count` lanes."""
    arguments = arguments_with_axes(function, in_axes, args)
    size = number_of_lanes(arguments, count)
    arguments = [one if one.axis is None else one._replace(leaf=as_value(one.leaf)) for one in arguments]
    traced = trace_lane(function, arguments, flatten(args)[1], kwargs, members or {})
    results = leaves_with_axes(out_axes, traced.structure.rebuild(traced.results), "the result", "out_axes")
    inputs = [moveaxis(one.leaf, one.axis, 0) for one in arguments if one.axis is not None]
    handles = [traced.stacked.get(id(handle), handle) for handle in traced.captured]
    flags = (True,) * len(inputs) + tuple([id(handle) in traced.stacked for handle in traced.captured])
    has_axis = tuple([one.axis is not None for one in results])
    graph, batched = batch_graph(traced.graph, flags, size, has_axis + traced.forced)
    _require_results(results, batched)
    traced.require_same(batched[len(results):])
    label = getattr(function, "__name__", type(function).__name__)
    outputs = bind(ops.CALL, *inputs, *handles, label=label, body=graph)
    traced.write_back(outputs[len(results):])
    return traced.structure.rebuild([_with_axis(one, y) for one, y in zip(results, outputs, strict=False)])


def _require_results(results: list[MappedLeaf], batched: Flags) -> None:
    """ArgumentError for a result without an axis that differs between lanes, ShapeError for an axis out of range."""
    for one, differs in zip(results, batched, strict=False):
        if one.axis is None and differs:
            raise ArgumentError(f"vmap: out_axes is None for {one.name}, which differs between lanes",
                                expected="an axis for every result that depends on a mapped argument",
                                fix="write out_axes=0, or reduce over the lanes afterwards")
        rank = len(one.leaf.shape) + 1
        if one.axis is not None and not -rank <= one.axis < rank:
            raise ShapeError(f"vmap: out_axes={one.axis} for {one.name}, of shape {one.leaf.shape} in one lane",
                             expected=f"an axis from {-rank} to {rank - 1}", fix="write for example out_axes=0")


def _with_axis(one: MappedLeaf, value: Tensor) -> Tensor:
    """An output, whose lanes are along its first axis, with the lanes along the axis of the result."""
    if one.leaf.tape_entry is None:
        value = Tensor(value.raw)
    return value if not one.axis else moveaxis(value, 0, one.axis)
