"""A traced function as `jit` keeps it: its program, where its inputs come from, what becomes of its outputs."""

from __future__ import annotations

from typing import Any, NamedTuple

from tarazu.base.pytree import Structure
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import bind, state
from tarazu.ir.types import TensorType
from tarazu.runtime.outside import KEPT, Guard
from tarazu.runtime.tensor import Tensor
from tarazu.runtime.tracing_lock import settled
from tarazu.transform.tape import tape_state

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


class Result(NamedTuple):
    """An output of the graph; `is_differentiable` when gradients may flow back through it after the call."""

    output: int
    is_differentiable: bool

    def of(self, outputs: list[Tensor]) -> Tensor:
        out = outputs[self.output]
        return out if self.is_differentiable else Tensor(out.raw)


class Update(NamedTuple):
    """What a call changes of a handle."""

    place: Any
    value: Result | None  # None leaves the value as it is
    gradient: Any  # a Result, None, or KEPT


class Compiled(NamedTuple):
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
    call: dict[str, str]  # the arguments in words
    uses: list[int]  # how often it has run, as its only element

    def name_of(self, i: int) -> str:
        """The name of the place `i`, for people."""
        return self.graph.parameters[len(self.graph.parameters) - len(self.places) + i].origin.name

    def fits(self, tensors: list[Tensor]) -> bool:
        """Whether everything that the trace took from outside is still as it was then, but for values."""
        return all(guard.holds() for guard in self.guards) and all(
            signature(place.find(tensors)) == wanted for place, wanted in zip(self.places, self.types, strict=True))

    def handles(self, tensors: list[Tensor]) -> list[Tensor]:
        """The tensors that the program takes."""
        return tensors + [place.find(tensors) for place in self.places]

    def run(self, tensors: list[Tensor]) -> Any:
        self.uses[0] += 1
        handles = self.handles(tensors)
        if self.is_differentiable:
            outputs = bind(ops.CALL, *handles, label=self.label, body=self.graph)
        else:
            outputs = [Tensor(raw) for raw in self.program(*[settled(handle) for handle in handles])]
        changed = [update.place.find(tensors) for update in self.updates]  # all before a gradient is replaced
        for handle, update in zip(changed, self.updates, strict=True):
            _write_back(handle, update, outputs)
        return self.structure.rebuild([r.of(outputs) if isinstance(r, Result) else r for r in self.results])


def _write_back(handle: Tensor, update: Update, outputs: list[Tensor]) -> None:
    if update.value is not None:
        state.interpreter.rebind(handle, update.value.of(outputs))
    if update.gradient is not KEPT:
        handle._grad = update.gradient and update.gradient.of(outputs)


def signature(x: Tensor) -> tuple[TensorType, bool]:
    """The type of a tensor, and whether gradients are recorded for it now."""
    link = x.link
    return TensorType(x.raw.shape, x.dtype), link is not None and bool(link.mask & ~tape_state.ignored)
