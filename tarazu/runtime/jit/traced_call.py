"""A call of a function as a graph: what the graph takes beside the arguments, and what becomes of its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tarazu.backend.base import Renewed
from tarazu.base.device import Device, Layout, Mesh
from tarazu.base.pytree import Structure, flatten
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import Node
from tarazu.ir.origin import Origin
from tarazu.runtime.device import FollowsDevice, common_device, common_device_of, device_of
from tarazu.runtime.jit.captured_names import names_of_captured
from tarazu.runtime.jit.captured_types import LARGE_STATE
from tarazu.runtime.jit.compiled import (
    CapturedInput,
    Outputs,
    Result,
    Update,
    is_tracked,
    running_device,
    signature,
)
from tarazu.runtime.jit.frozen_draws import warn_of_frozen_draws
from tarazu.runtime.jit.input_source import Argument, Captured, GradientOf, InputSource
from tarazu.runtime.jit.kept_tensors import warn_of_kept_tensors
from tarazu.runtime.tensor.row_table import traced_type
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.assigned import settle
from tarazu.runtime.trace.attributes import AttributeGuards, recorded_reads
from tarazu.runtime.trace.captures import Change
from tarazu.runtime.trace.guards import Guard
from tarazu.runtime.trace.trace import Trace
from tarazu.runtime.trace_lock import wait_for_trace
from tarazu.transform.gradient.tape import EVERYTHING, USER, Leaf, tape_state


class CallArguments(NamedTuple):
    """The arguments of a call, `(args, kwargs)`, taken apart."""

    leaves: list[Any]
    structure: Structure
    tensors: list[Tensor]  # among the leaves

    def with_tensors(self, tensors: Sequence[Tensor]) -> tuple[tuple, dict[str, Any]]:
        """The arguments with other tensors in the places of theirs."""
        rest = iter(tensors)
        return self.structure.rebuild([next(rest) if isinstance(x, Tensor) else x for x in self.leaves])


class TracedCall(NamedTuple):
    """A call as a graph, whose inputs are the tensors among the arguments, then `captured`."""

    graph: Graph
    captured: tuple[CapturedInput, ...]
    guards: tuple[Guard, ...]
    attributes: AttributeGuards
    outputs: Outputs
    first_state: int  # the number of the first output of the graph that is no result of the function
    device: Device | Mesh | None  # where its program runs; None is the plain CPU
    has_effects: bool  # whether the function did more than its graph does, such as to set an attribute


def trace_call(function: Callable[..., Any], arguments: CallArguments, names: Sequence[str]) -> TracedCall:
    """The call as a graph; `names` are those of the tensors among the arguments. All handles are as they were."""
    ignored = EVERYTHING if tape_state.ignored & USER else 0
    with recorded_reads() as reads, warn_of_frozen_draws(reads), Trace(ignored) as trace:
        reads.note_generators_around(function)
        trace.program_device.device = running_device([wait_for_trace(x) for x in arguments.tensors])
        proxies = [_proxy(trace, x) for x in arguments.tensors]
        parameters = [proxy.raw for proxy in proxies]
        args, kwargs = arguments.with_tensors(proxies)
        sources = Sources(trace, proxies, names_of_captured(function, args))
        leaves, structure = flatten(function(*args, **kwargs))
        assigned = settle(trace)
        collector = OutputCollector(trace, sources)
        results = collector.results(leaves)
        first_state = len(collector.nodes)
        outputs = Outputs(results, structure, collector.updates(), tuple(assigned))
    warn_of_kept_tensors(function)
    captures = [capture for capture in trace.captured.values() if not sources.is_argument(capture.handle)]
    captured = tuple([sources.captured_input(capture.handle) for capture in captures])
    nodes = [capture.node for capture in captures]
    _name(parameters, names)
    _name(nodes, [one.name for one in captured])
    device = _program_device(trace, [*arguments.tensors, *[capture.handle for capture in captures]])
    graph = Graph(parameters + nodes, collector.nodes)
    return TracedCall(graph, captured, tuple(trace.guards), reads.guards(assigned), outputs, first_state, device,
                      reads.has_effects)


def renewed_state(call: TracedCall) -> Renewed:
    """The outputs of a call that are new values of large captured tensors, each with the input that is the old one."""
    first = len(call.graph.parameters) - len(call.captured)
    inputs = {id(one.source.handle): first + i for i, one in enumerate(call.captured)
              if isinstance(one.source, Captured)}
    found = [(update.value.output, inputs[id(update.target.handle)]) for update in call.outputs.updates
             if update.value is not None and isinstance(update.target, Captured) and id(update.target.handle) in inputs]
    before, after = call.graph.input_types, call.graph.output_types
    return tuple([(new, old) for new, old in found
                  if after[new] == before[old] and before[old].size * before[old].dtype.itemsize >= LARGE_STATE])


def _proxy(trace: Trace, x: Tensor) -> Tensor:
    """What the function gets in place of the argument `x`: a parameter of the graph, with gradient and hooks of `x`."""
    proxy = Tensor(trace.builder.parameter(traced_type(x)))
    if is_tracked(x):
        leaf = proxy.tape_entry = Leaf(USER, proxy)
        leaf.notes = x.tape_entry.node.notes if x.is_leaf else None
    proxy._grad = x._grad
    trace.add_argument(x, proxy)
    return proxy


def _name(parameters: list[Node], names: Sequence[str]) -> None:
    for node, name in zip(parameters, names, strict=True):
        node.origin = Origin(name=name)


def _program_device(trace: Trace, handles: list[Tensor]) -> Device | Mesh | None:
    """Where the program runs; DeviceError where inputs and code name two devices."""
    raws = [x.raw for x in handles if not isinstance(x, FollowsDevice)]
    device = common_device_of(raws)
    if trace.program_device.device is not None:
        device = common_device(device, trace.program_device.device)
    return running_device(raws) if device is None else device


class Sources:
    """Where the handles that a trace knows come from, and their names in messages."""

    def __init__(self, trace: Trace, proxies: Sequence[Tensor], captured_names: dict[int, str]) -> None:
        self._grad_owner, self._names = trace.grad_owner, captured_names
        self._positions = {id(x): i for i, x in enumerate(proxies)}  # `==` on tensors compares elements

    def is_argument(self, handle: Tensor) -> bool:
        """Whether the handle is a proxy for an argument."""
        return id(handle) in self._positions

    def source(self, handle: Tensor) -> InputSource:
        """How the handle is found at each call."""
        owner = self._grad_owner.get(id(handle))
        if owner is not None:
            return GradientOf(self.source(owner))
        position = self._positions.get(id(handle))
        return Captured(handle) if position is None else Argument(position)

    def _name(self, handle: Tensor) -> str:
        owner = self._grad_owner.get(id(handle))
        if owner is not None:
            return f"{self._name(owner)}.grad"
        return self._names.get(id(handle), "outside")

    def captured_input(self, handle: Tensor) -> CapturedInput:
        """A handle from outside as an input of the graph; asked for when the trace is over."""
        return CapturedInput(self.source(handle), self._name(handle), signature(handle))


class OutputCollector:
    """Collects the nodes that become outputs of the graph: results first, then new values and gradients of handles."""

    def __init__(self, trace: Trace, sources: Sources) -> None:
        self.nodes: list[Node] = []
        self._trace, self._sources = trace, sources

    def results(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """What the function returned, with the output for each tensor."""
        return tuple([self._output(leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves])

    def updates(self) -> tuple[Update, ...]:
        """What the function changed of handles from outside."""
        return tuple([self._update(change) for change in self._trace.changes()])

    def _output(self, x: Tensor) -> Result:
        node, entry = self._trace.read(x)
        self.nodes.append(node)
        return Result(len(self.nodes) - 1, entry is not None and entry.is_alive and x.dtype.is_inexact)

    def _update(self, change: Change) -> Update:
        gradient = self._output(change.grad) if isinstance(change.grad, Tensor) else change.grad
        value = None
        if change.raw is not None:
            value = self._output(Tensor(self._laid_out(change.raw, change.handle), change.tape_entry))
        return Update(self._sources.source(change.handle), value, gradient)

    def _laid_out(self, value: Node, handle: Tensor) -> Node:
        """The new value of a handle. On a mesh it has the layout of the old one: another would be a new signature."""
        mesh = self._trace.device
        if not isinstance(mesh, Mesh):
            return value
        before = device_of(self._trace.data_before(handle))
        where = before if isinstance(before, Layout) else Layout(mesh)
        return self._trace.builder.add(ops.PLACE, [value], {"where": where})
