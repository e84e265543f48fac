"""A function traced for one lane: its graph, what it read from outside, and what it changed there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tarazu.base.errors import ArgumentError, TarazuError, TraceError
from tarazu.base.pytree import Structure, flatten
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Assigned, state
from tarazu.ir.node import Node
from tarazu.ir.types import TensorType
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.assigned import settle
from tarazu.runtime.trace.captures import KEPT, Change
from tarazu.runtime.trace.trace import Trace
from tarazu.runtime.vmap.lane_axes import MappedLeaf
from tarazu.transform.batching.engine import Flags
from tarazu.transform.gradient.tape import USER, Leaf

Members = Mapping[int, Tensor]  # by id of a handle that differs between lanes: the handle of all its values, stacked


class LaneUpdate(NamedTuple):
    """An output of the graph that a handle from outside gets: as its value, or as its gradient."""

    handle: Tensor
    is_gradient: bool
    is_tracked: bool  # whether gradients may flow back through the new value


class _LaneTrace(Trace):
    """A trace of one lane. The gradients of members are read from, and belong to, their stacked handles."""

    def __init__(self, members: Members) -> None:
        super().__init__()
        self.stacked = dict(members)
        self._with_placeholder: list[Tensor] = []  # members whose `.grad` is one only in this trace

    @contextlib.contextmanager
    def outside(self) -> Iterator[None]:
        if self.stacked:
            raise TraceError("a layer of one of several replicas has not seen an input yet",
                             expected="layers that know their input sizes before they are replicated",
                             fix="give the sizes, such as in_features")
        with super().outside():
            yield

    def _depend_on_gradient(self, handle: Tensor) -> None:
        stacked = self.stacked.get(id(handle))
        if stacked is None:
            super()._depend_on_gradient(handle)
        else:
            self._outer.before_grad_read(stacked)
            self._give_placeholder(handle)

    def before_change(self, handle: Tensor) -> None:
        self._give_placeholder(handle)
        super().before_change(handle)

    def _give_placeholder(self, handle: Tensor) -> None:
        """Let a member have a gradient, to be read or cleared, while its stacked handle has one."""
        stacked = self.stacked.get(id(handle))
        if stacked is not None and stacked._grad is not None and handle._grad is None \
                and id(handle) not in self._originals:
            handle._grad = Tensor(handle.raw)
            self.stacked[id(handle._grad)] = stacked._grad
            self._with_placeholder.append(handle)

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        for handle in self._with_placeholder:
            handle._grad = None


class TracedLane(NamedTuple):
    """A function traced for one lane."""

    graph: Graph  # outputs: the results, then what becomes of handles from outside
    results: list[Tensor]
    structure: Structure
    captured: list[Tensor]
    updates: list[LaneUpdate]
    cleared: list[Tensor]  # handles whose gradient becomes None
    stacked: Members
    assigned: list[Assigned]

    @property
    def forced(self) -> Flags:
        """Which of the updates have a value for each lane in any case."""
        return tuple([id(handle) in self.stacked for handle, _, _ in self.updates])

    def require_same(self, batched: Flags) -> None:
        """TraceError for an update that differs between lanes, of a handle that has one value for all."""
        for (handle, _, _), differs in zip(self.updates, batched, strict=True):
            if differs and id(handle) not in self.stacked:
                raise TraceError(f"vmap: a tensor of shape {handle.shape} from outside would get another value in each "
                                 "lane",
                                 expected="changes in place that are the same in all lanes",
                                 fix="return the new value instead, or give each lane its own tensor: tz.replicate")

    def write_back(self, outputs: list[Tensor]) -> None:
        """Give handles from outside their new values and gradients; those of members go to their stacked handles."""
        own = [one for one in self.assigned if not any(id(x) in self.stacked for x in one.stand_ins)]
        stand_ins = {id(x) for one in own for x in one.stand_ins}
        values = {}
        for (handle, is_gradient, is_tracked), value in zip(self.updates, outputs, strict=True):
            target = self.stacked.get(id(handle), handle)
            new = value if is_tracked and target is handle else Tensor(value.raw)
            if is_gradient:
                target.grad = Tensor(value.raw)
            elif id(handle) in stand_ins:
                values[id(handle)] = new
            else:
                state.interpreter.rebind(target, new)
        for one in own:
            one.assign(values)
        for handle in self.cleared:
            self.stacked[id(handle)].grad = None


def trace_lane(function: Callable[..., Any], arguments: list[MappedLeaf], structure: Structure,
               kwargs: dict[str, Any], members: Members) -> TracedLane:
    """`function` traced for one lane of the leaves of its arguments; `members` have a value in each lane."""
    with (trace := _LaneTrace(members)):
        lanes = [one.leaf if one.axis is None else _lane(trace, one.leaf, one.axis) for one in arguments]
        parameters = [x.raw for x, one in zip(lanes, arguments, strict=True) if one.axis is not None]
        leaves, result_structure = flatten(function(*structure.rebuild(lanes), **kwargs))
        results = [_result(trace, leaf) for leaf in leaves]
        outputs = [x.raw for x in results]
        assigned = settle(trace)
        updates, cleared = _updates(trace, outputs)
    trace.pass_guards_on()
    captured = list(trace.captured.values())
    graph = Graph([*parameters, *[capture.node for capture in captured]], outputs)
    return TracedLane(graph, results, result_structure, [capture.handle for capture in captured], updates, cleared,
                      trace.stacked, assigned)


def _lane(trace: Trace, x: Tensor, axis: int) -> Tensor:
    """What the function gets for one lane of an argument: a tensor of its own, whose changes in place are not kept."""
    axis %= len(x.shape)
    lane = Tensor(trace.builder.parameter(TensorType((*x.shape[:axis], *x.shape[axis + 1:]), x.dtype)))
    if x.tape_entry is not None:
        lane.tape_entry = Leaf(USER, lane)
    return lane


def _result(trace: Trace, leaf: ArrayLike) -> Tensor:
    """A result as a value of the trace, with a tape entry if gradients may flow back through it."""
    if not isinstance(leaf, Tensor):
        try:
            leaf = trace.constant(leaf, None)
        except TarazuError:
            raise ArgumentError(f"vmap: the function gave a {type(leaf).__name__}", expected="tensors, or numbers",
                                fix="return tensors, in nested lists, tuples and dicts") from None
    node, entry = trace.read(leaf)
    return Tensor(node, entry if entry is not None and entry.is_alive and leaf.dtype.is_inexact else None)


def _updates(trace: _LaneTrace, outputs: list[Node]) -> tuple[list[LaneUpdate], list[Tensor]]:
    """What the lane changed of handles from outside, and whose gradients it cleared; new values and gradients are
    added to the outputs."""
    updates: list[LaneUpdate] = []
    cleared: list[Tensor] = []
    for change in trace.changes():
        if change.raw is not None:
            updates.append(LaneUpdate(change.handle, False, change.tape_entry is not None))
            outputs.append(change.raw)
        if change.grad is not KEPT:
            if id(change.handle) not in trace.stacked and trace.keeps_gradient(change):
                continue
            _require_member(change, trace)
            if change.grad is None:
                cleared.append(change.handle)
            else:
                updates.append(LaneUpdate(change.handle, True, False))
                outputs.append(trace.read(change.grad)[0])
    return updates, cleared


def _require_member(change: Change, trace: _LaneTrace) -> None:
    if id(change.handle) not in trace.stacked:
        raise TraceError("vmap: backward() inside changed the .grad of a tensor from outside",
                         expected="gradients as results", fix="use tz.grad inside, and reduce its result outside")
