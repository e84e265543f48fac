"""A traced and compiled signature of a function: whether it fits a call, and what it does in one."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from tarazu.backend.base import Program, Renewed
from tarazu.base.device import CPU, Device, Mesh, default
from tarazu.base.pytree import LEAF, Structure
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Assigned, bind, state
from tarazu.ir.types import Data, TensorType
from tarazu.runtime.device import FollowsDevice, common_device_of
from tarazu.runtime.jit.captured_types import LARGE_STATE, CapturedTypes, items_at
from tarazu.runtime.jit.input_source import Captured, Handles, InputSource
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import AttributeGuards
from tarazu.runtime.trace.captures import KEPT, Unchanged
from tarazu.runtime.trace.guards import Guard, guards_hold
from tarazu.runtime.trace_lock import rebind_all, wait_for_trace
from tarazu.transform.gradient.notes import last_hook_change
from tarazu.transform.gradient.tape import Leaf, TapeEntry, tape_state

Description = dict[str, str]  # an argument's name, or that of a part of it, and what it was: "float32[2,3]"


class TensorSignature(NamedTuple):
    """What a signature has of a tensor: its type, and whether gradients are recorded for it."""

    type: TensorType
    is_tracked: bool


def signature(x: Tensor) -> TensorSignature:
    """The signature of a tensor as it is now."""
    return TensorSignature(TensorType(x.raw.shape, x.dtype), is_tracked(x))


def is_tracked(x: Tensor) -> bool:
    """Whether gradients are recorded for a tensor now."""
    entry = x.tape_entry
    return entry is not None and bool(entry.mask & ~tape_state.ignored)


class Lent(Tensor):
    """An argument that is an array of the caller, who may write to it after the call."""

    __slots__ = ()


class CapturedInput(NamedTuple):
    """An input of the graph that the function read from outside."""

    source: InputSource
    name: str  # in messages
    signature: TensorSignature  # when it was traced

    @property
    def follows_device(self) -> bool:
        """Whether it goes to where the program runs and has no say in where that is."""
        return isinstance(self.source, Captured) and isinstance(self.source.handle, FollowsDevice)


class Result(NamedTuple):
    """An output of the graph; `is_differentiable` when gradients may flow back through it after the call."""

    output: int
    is_differentiable: bool


class Update(NamedTuple):
    """What a call changes of a handle."""

    target: InputSource
    value: Result | None  # None leaves the value as it is
    gradient: Result | Unchanged | None  # None is what the gradient is set to, KEPT leaves it as it is


class Outputs(NamedTuple):
    """What becomes of the outputs of a graph: results of the function, or new values and gradients of handles."""

    results: tuple[Any, ...]  # a Result for each tensor, else the Python value itself
    structure: Structure  # of what the function returns
    updates: tuple[Update, ...]
    assigned: tuple[Assigned, ...] = ()  # attributes, whose new values are among the updates

    @property
    def differentiable(self) -> set[int]:
        """The numbers of the outputs through which gradients may flow back."""
        updated = [one for update in self.updates for one in (update.value, update.gradient)]
        return {one.output for one in (*self.results, *updated) if isinstance(one, Result) and one.is_differentiable}


@dataclasses.dataclass(eq=False)
class Compiled:
    """A traced and compiled signature."""

    label: str
    description: Description  # of the arguments
    graph: Graph
    captured: tuple[CapturedInput, ...]  # the inputs of the graph after the arguments
    guards: tuple[Guard, ...]
    attributes: AttributeGuards
    outputs: Outputs
    device: Device | Mesh | None  # where the program runs; None is the plain CPU
    renewed: Renewed  # the outputs that the program may write where these inputs lie
    program: Program
    uses: int = 0  # how often it has run

    def __post_init__(self) -> None:
        """Compute once what each call needs."""
        self._handles = Handles(one.source for one in self.captured)
        self._types = CapturedTypes([one.signature.type for one in self.captured], self._renewed())
        self._tracked = [one.signature.is_tracked for one in self.captured]
        self._recorded: tuple[list[TapeEntry | None], int, int] = [], 0, 0  # when gradients were last recorded as then:
        # the entries of what was captured, the mask bits for which nothing was recorded, and the changes of hooks
        handles = [one.source.handle for one in self.captured if isinstance(one.source, Captured)]
        captured = {id(handle) for handle in handles}
        self._of_entries = [guard for guard in self.guards if id(guard.of_entry) in captured]
        self._other_guards = [guard for guard in self.guards if id(guard.of_entry) not in captured]
        self._followers = [handle for handle in handles if isinstance(handle, FollowsDevice)]
        arguments = len(self.graph.parameters) - len(self.captured)
        deciding = [arguments + i for i, one in enumerate(self.captured) if not one.follows_device]
        self._deciding = [*range(arguments), *deciding]  # the inputs that say where the program runs
        self._differentiable = self.outputs.differentiable
        self.has_state = bool(self.outputs.updates)  # whether calls change anything
        self._no_entries: list[TapeEntry | None] = [None] * len(self.graph.outputs)
        self._gives_one = self.outputs.structure == LEAF
        new_values = [(one.target, one.value.output) for one in self.outputs.updates if one.value is not None]
        self._changed = Handles(target for target, _ in new_values)
        self._values_of = items_at([output for _, output in new_values])
        new_gradients = [(one.target, one.gradient) for one in self.outputs.updates if one.gradient is not KEPT]
        self._owners = Handles(target for target, _ in new_gradients)
        self._gradients = [None if gradient is None else gradient.output for _, gradient in new_gradients]

    def _renewed(self) -> list[tuple[int, int]]:
        """The small captured tensors to which a call gives other values of their types: their numbers, and those of the
        outputs."""
        values = {id(one.target.handle): one.value.output for one in self.outputs.updates
                  if one.value is not None and isinstance(one.target, Captured)}
        found = [(i, values.get(id(one.source.handle)), one.signature.type) for i, one in enumerate(self.captured)
                 if isinstance(one.source, Captured)]
        return [(i, output) for i, output, type_ in found if output is not None
                and self.graph.output_types[output] == type_ and type_.size * type_.dtype.itemsize < LARGE_STATE]

    # Whether it fits a call ------------------------------------------------------------------------------------

    def match(self, arguments: list[Tensor]) -> list[Data] | None:
        """What the program takes in a call with these arguments; None where this signature does not fit the call.

        It fits where the guards hold, what was captured has the types that it had when the function was traced, and the
        program would run on the same device.
        """
        if not (guards_hold(self._other_guards) and self.attributes.hold()):
            return None
        captured = self._data_of_same_types(arguments)
        if captured is None:
            return None
        inputs = [*map(wait_for_trace, arguments), *captured]
        if _PLAIN.issuperset(map(type, inputs)) and default() is CPU:
            return inputs if self.device is None else None
        if self._followers:
            inputs = self.inputs(arguments)
        return inputs if self.device_for(inputs) == self.device else None

    def _data_of_same_types(self, arguments: list[Tensor]) -> list[Data] | None:
        """The data of what was captured; None where a type, or whether gradients are recorded, has changed since."""
        handles = self._handles.find(arguments)
        data = [x.raw for x in handles]  # a pass for each question takes less time than one for all
        if not self._types.fit(data):
            data = [wait_for_trace(x) for x in handles]
            if [(x.raw.shape, x.dtype) for x in handles] != [one.signature.type for one in self.captured]:
                return None
        tape = [x.tape_entry for x in handles], tape_state.ignored, last_hook_change()
        return data if tape == self._recorded or self._are_tracked(*tape) else None

    def _are_tracked(self, entries: list[TapeEntry | None], ignored: int, hook_change: int) -> bool:
        """Whether gradients are recorded for what was captured, with these entries, as when it was traced, and what
        hooks it has."""
        is_tracked = [entry is not None and entry.mask & ~ignored != 0 for entry in entries]
        if is_tracked != self._tracked or not guards_hold(self._of_entries):
            return False
        if {type(None), Leaf}.issuperset(map(type, entries)):  # others would keep what they are computed from
            self._recorded = entries, ignored, hook_change
        return True

    def captured_handles(self) -> list[Tensor]:
        """What was captured, of a function whose arguments have no gradients that it reads."""
        return self._handles.find([])

    def inputs(self, arguments: list[Tensor]) -> list[Data]:
        """What `match` would give right after the trace, without its checks: nothing has changed yet."""
        for handle in self._followers:
            handle.make_available_on(self.device)
        return [wait_for_trace(x) for x in [*arguments, *self._handles.find(arguments)]]

    def device_for(self, inputs: list[Data]) -> Device | Mesh | None:
        """Where a program with these inputs would run; None is the plain CPU."""
        return running_device([inputs[i] for i in self._deciding] if self._followers else inputs)

    # What it does ----------------------------------------------------------------------------------------------

    def run(self, arguments: list[Tensor], inputs: list[Data]) -> Any:
        """The results of a call with these arguments, for which `match` gave `inputs`; handles are updated."""
        self.uses += 1
        if self._differentiable:
            raws, entries = self._run_on_tape(arguments)
        else:
            raws, entries = self.program(*inputs), self._no_entries
        self._types.note(raws)
        changed, owners = self._changed.find(arguments), self._owners.find(arguments)  # before a gradient is replaced
        rebind_all(changed, self._values_of(raws), self._values_of(entries))
        for handle, output in zip(owners, self._gradients, strict=True):
            handle._grad = None if output is None else Tensor(raws[output], entries[output])
        for one in self.outputs.assigned:
            one.keep()
        results = [Tensor(raws[r.output], entries[r.output]) if isinstance(r, Result) else r
                   for r in self.outputs.results]
        return results[0] if self._gives_one else self.outputs.structure.rebuild(results)

    def _run_on_tape(self, arguments: list[Tensor]) -> tuple[list[Data], list[TapeEntry | None]]:
        """The data and the tape entries of the outputs of a call through which gradients may flow."""
        kept = [Tensor(np.array(x.raw)) if isinstance(x, Lent) else x for x in arguments]  # for the way back
        inputs = [*kept, *self._handles.find(arguments)]
        if self.device is not None and common_device_of(map(wait_for_trace, inputs)) is None:
            inputs = [state.interpreter.to_device(x, self.device) for x in inputs]
        outputs = bind(ops.CALL, *inputs, label=self.label, body=self.graph)
        return ([x.raw for x in outputs],
                [x.tape_entry if i in self._differentiable else None for i, x in enumerate(outputs)])


_PLAIN = {np.ndarray}


def running_device(raws: list[Data]) -> Device | Mesh | None:
    """Where a program with these inputs runs: where one of them is, else on the default device."""
    if {*map(type, raws)} <= _PLAIN and default() is CPU:
        return None
    devices = (common_device_of([raw]) for raw in raws)
    return next((device for device in devices if device is not None), None if default() is CPU else default())
