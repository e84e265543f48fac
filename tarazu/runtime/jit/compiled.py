"""A traced function as `jit` keeps it: its program, where its inputs come from, what becomes of its outputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.device import CPU, Device, Mesh, default
from tarazu.base.pytree import Structure
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import bind, state
from tarazu.ir.types import TensorType
from tarazu.runtime.device import FollowsDevice, place_of
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.captures import KEPT, Guard
from tarazu.runtime.trace_lock import rebind_all, wait_for_trace
from tarazu.transform.gradient.tape import tape_state

# Places: how to find, at each call, a handle that the trace knew. The gradient of a handle is another object after each
# backward, so it is found through its owner.

class Argument(NamedTuple):
    position: int

    def find(self, tensors: list[Tensor]) -> Tensor:
        return tensors[self.position]


class Outside(NamedTuple):
    handle: Tensor

    def find(self, tensors: list[Tensor]) -> Tensor:
        return self.handle


class GradientOf(NamedTuple):
    owner: Any

    def find(self, tensors: list[Tensor]) -> Tensor:
        return self.owner.find(tensors)._grad


class Handles:
    """The handles at some places."""

    def __init__(self, places: Sequence[Any]) -> None:
        self._places = places
        self._always = [p.handle for p in places] if all(isinstance(p, Outside) for p in places) else None

    def find(self, tensors: list[Tensor]) -> list[Tensor]:
        return [p.find(tensors) for p in self._places] if self._always is None else self._always


class Result(NamedTuple):
    """An output of the graph; `is_differentiable` when gradients may flow back through it after the call."""

    output: int
    is_differentiable: bool


class Update(NamedTuple):
    """What a call changes of a handle."""

    place: Any
    value: Result | None  # None leaves the value as it is
    gradient: Any  # a Result, None, or KEPT


@dataclasses.dataclass(eq=False)
class Compiled:
    """A traced and compiled signature."""

    label: str
    graph: Graph
    places: tuple[Any, ...]  # of the graph's inputs after the arguments
    types: tuple[tuple[TensorType, bool], ...]  # of those, with whether they are tracked
    guards: tuple[Guard, ...]
    results: tuple[Any, ...]  # a Result for each tensor, else the Python value itself
    structure: Structure
    updates: tuple[Update, ...]
    program: Any
    is_differentiable: bool  # whether a gradient can flow through anything that comes out
    place: Device | Mesh | None  # where it runs; None is the plain CPU
    call: dict[str, str]  # the arguments in words
    uses: int = 0  # how often it has run

    def __post_init__(self) -> None:
        self._captured = Handles(self.places)
        roaming = {i: p.handle for i, p in enumerate(self.places)
                   if isinstance(p, Outside) and isinstance(p.handle, FollowsDevice)}
        self._roaming = list(roaming.values())
        self._deciding = [i for i in range(len(self.places)) if i not in roaming]
        self._values = [update.value.output for update in self.updates if update.value is not None]
        self._renewed = Handles([update.place for update in self.updates if update.value is not None])
        self._gradients = [update.gradient for update in self.updates if update.gradient is not KEPT]
        self._owners = Handles([update.place for update in self.updates if update.gradient is not KEPT])
        everything = [*self.results, *[update.value for update in self.updates], *self._gradients]
        self._kept = {r.output for r in everything if isinstance(r, Result) and r.is_differentiable}
        self._no_tape_entries = [None] * len(self.graph.outputs)
        self._expected = [(type_.shape, type_.dtype.numpy, is_tracked) for type_, is_tracked in self.types]

    def name_of(self, i: int) -> str:
        """The name of the place `i`, for people."""
        return self.graph.parameters[len(self.graph.parameters) - len(self.places) + i].origin.name

    def captured(self, tensors: list[Tensor]) -> list[Any] | None:
        """The data of what the trace took from outside; None unless all is still as it was then, but for values."""
        for read, expected, _ in self.guards:
            if read() != expected:
                return None
        found, recorded = [], ~tape_state.ignored
        for roaming in self._roaming:
            roaming.bring(self.place)
        for handle, (shape, dtype, is_tracked) in zip(self._captured.find(tensors), self._expected, strict=True):
            raw = handle.raw
            if raw.dtype is not dtype:
                raw = wait_for_trace(handle)
                if handle.dtype.numpy is not dtype:
                    return None
            entry = handle.tape_entry
            if raw.shape != shape or (entry is not None and bool(entry.mask & recorded)) is not is_tracked:
                return None
            found.append(raw)
        if self.place is None and default() is CPU and {*map(type, found)} <= _PLAIN and all(
                x.raw.__class__ is np.ndarray for x in tensors):
            return found  # the usual case, without the questions
        return found if self.place_now(tensors) == self.place else None

    def place_now(self, tensors: list[Tensor]) -> Device | Mesh | None:
        """Where the tensors of now would let it run."""
        outside = self._captured.find(tensors)
        return running_place([wait_for_trace(x) for x in [*tensors, *[outside[i] for i in self._deciding]]])

    def first_captured(self, tensors: list[Tensor]) -> list[Any]:
        """The same right after the trace, when all is as it was then."""
        for roaming in self._roaming:
            roaming.bring(self.place)
        return [wait_for_trace(handle) for handle in self._captured.find(tensors)]

    def outside(self, tensors: list[Tensor]) -> list[Tensor]:
        """What the program takes beside the arguments."""
        return self._captured.find(tensors)

    def run(self, tensors: list[Tensor], captured: list[Any]) -> Any:
        """What a call gives for these arguments, and what `captured` gave for them."""
        self.uses += 1
        raws, entries = self._outputs(tensors, captured)
        renewed, owners = self._renewed.find(tensors), self._owners.find(tensors)  # before a gradient is replaced
        rebind_all(renewed, self._values, raws, entries)
        for handle, gradient in zip(owners, self._gradients, strict=True):
            handle._grad = gradient and Tensor(raws[gradient.output], entries[gradient.output])
        return self.structure.rebuild(
            [Tensor(raws[r.output], entries[r.output]) if isinstance(r, Result) else r for r in self.results])

    def _outputs(self, tensors: list[Tensor], captured: list[Any]) -> tuple[list[Any], list[Any]]:
        """The data of the outputs, and their places on the gradient tape."""
        if not self.is_differentiable:
            return self.program(*map(wait_for_trace, tensors), *captured), self._no_tape_entries
        inputs = [*tensors, *self.outside(tensors)]
        if self.place is not None and place_of(map(wait_for_trace, inputs)) is None:
            inputs = [state.interpreter.place(x, self.place) for x in inputs]
        found = bind(ops.CALL, *inputs, label=self.label, body=self.graph)
        return [x.raw for x in found], [x.tape_entry if i in self._kept else None for i, x in enumerate(found)]


_PLAIN = {np.ndarray}


def running_place(raws: list[Any]) -> Device | Mesh | None:
    """Where a program with these inputs runs: where one of them is, else on the default device."""
    if {*map(type, raws)} <= _PLAIN and default() is CPU:
        return None
    places = (place_of([raw]) for raw in raws)
    return next((place for place in places if place is not None), None if default() is CPU else default())


def signature(x: Tensor) -> tuple[TensorType, bool]:
    """The type of a tensor, and whether gradients are recorded for it now."""
    return TensorType(x.raw.shape, x.dtype), is_tracked(x)


def is_tracked(x: Tensor) -> bool:
    """Whether gradients are recorded for a tensor now."""
    entry = x.tape_entry
    return entry is not None and bool(entry.mask & ~tape_state.ignored)
