"""What operations are built on: `bind` hands a primitive to the current interpreter, which computes or traces it.

`ops` and `transform` know only this protocol. `runtime` has the interpreters: `Eager`, which computes, and `Trace`,
which builds a graph. Only `runtime` knows what a value is made of.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeVar

from tarazu.base.device import Device, Layout, Mesh
from tarazu.base.dtypes import DType
from tarazu.base.pytree import Structure
from tarazu.ir.graph import Graph
from tarazu.ir.node import Node
from tarazu.ir.op import Op
from tarazu.ir.types import Shape, TensorType


class Value:
    """What operations take and give; `Tensor` in `runtime` is its one subclass that users see.

    `raw` is the data: an array, or a node while tracing. `tape_entry` says which operation on the gradient tape made
    it; None where no gradient is recorded.
    """

    __slots__ = ("raw", "tape_entry")
    raw: Any
    tape_entry: Any

    @property
    def shape(self) -> Shape:
        """The sizes of the axes.

        >>> import tarazu as tz
        >>> tz.zeros(2, 3).shape
        (2, 3)
        """
        return self.raw.shape

    @property
    def dtype(self) -> DType:
        """The type of the elements.

        >>> import tarazu as tz
        >>> tz.zeros(2).dtype
        tarazu.float32
        """
        raise NotImplementedError


ValueType = TypeVar("ValueType", bound=Value)  # that of the interpreters of `runtime`: Tensor


class Assigned(NamedTuple):
    """An attribute that a traced function assigned tensors to, alone or in lists, tuples and dicts.

    In the trace its stand-ins take part as if they were changed in place. They are among `leaves`, as are other values
    and parameters that stayed there.
    """

    owner: Any
    name: str
    structure: Structure
    leaves: tuple[Any, ...]
    stand_ins: tuple[Any, ...]
    had_value: bool  # whether the stand-ins are what it held before
    was_read: bool  # whether it was read before it was assigned, or that is not known
    kept: Any  # what it holds where its value is that of the stand-ins from now on

    def assign(self, values: Mapping[int, Value]) -> None:
        """Let it hold these values in place of the stand-ins, by the ids of those."""
        new = {id(x): values[id(x)] for x in self.stand_ins if id(x) in values}
        setattr(self.owner, self.name, self.structure.rebuild([new.get(id(x), x) for x in self.leaves]))

    def keep(self) -> None:
        """Let it hold the stand-ins."""
        if vars(self.owner).get(self.name) is not self.kept:
            setattr(self.owner, self.name, self.kept)


class Traced:
    """A function that was traced: its graph, the outside values that it read and those that it changed in place.

    The graph's parameters are the function's inputs, then `captured`; its outputs are the function's results, then the
    new values of `rebound`, among which are the stand-ins for what it `assigned`.
    """

    __slots__ = ("assigned", "captured", "graph", "rebound", "result_structure")

    def __init__(self, graph: Graph, captured: list[Value], rebound: list[Value], result_structure: Structure,
                 assigned: Sequence[Assigned] = ()) -> None:
        self.graph, self.captured, self.rebound, self.result_structure = graph, captured, rebound, result_structure
        self.assigned = assigned


class Interpreter(Protocol[ValueType]):
    """The protocol of what runs primitives; `Eager`, `Trace` and others in `runtime` implement it."""

    # Values ----------------------------------------------------------------------------------------------------

    def bind(self, op: Op, inputs: tuple[ValueType, ...], attributes: dict[str, Any]) -> Any:
        """The result of a primitive (a list where there are several), recorded for gradients where one is tracked."""

    def constant(self, data: Any, dtype: DType | None, *, is_shared: bool = False) -> ValueType:
        """A value that holds `data`: a number, a nested list, an array.

        An array that its owner may write to is copied, for gradients and graphs that read it later, unless `is_shared`.
        """

    def wrap(self, raw: Any, tape_entry: Any) -> ValueType:
        """A value made again from what the gradient tape saved of it."""

    def capture(self, x: ValueType) -> ValueType:
        """`x` with data and tape entry that belong to this interpreter: a trace captures what is from outside."""

    def to_device(self, x: ValueType, where: Device | Mesh | Layout | str | None) -> ValueType:
        """`x` on that device, mesh or layout; None is the default device."""

    def device_of(self, x: ValueType) -> Device | Layout | None:
        """Where `x` is; None while that is not known."""

    def trace(self, function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
        """The graph of `function`, called with values of these types that stand for any data."""

    def rebind(self, handle: ValueType, value: ValueType) -> None:
        """Give `handle` the data and the tape entry of `value`, as operators in place do."""

    def substitute(self, handles: Sequence[ValueType], values: Sequence[ValueType]) -> AbstractContextManager[Any]:
        """A block in which `values` are read in place of `handles`, outside values that this trace has not read yet."""

    def outside(self) -> AbstractContextManager[Any]:
        """A block that runs outside of all traces, as if before them: for tensors that they read and do not make.

        TraceError where that cannot be.
        """

    # What a trace has to know ----------------------------------------------------------------------------------

    def before_change(self, handle: ValueType) -> None:
        """Called before a handle gets another value or tape entry."""

    def before_grad_change(self, handle: ValueType) -> None:
        """Called before a handle gets another gradient."""

    def before_tracking_read(self, handle: ValueType) -> None:
        """Called before anyone asks whether gradients are recorded for a handle."""

    def before_grad_read(self, handle: ValueType) -> None:
        """Called before the gradient of a handle is read."""

    def depend_on(self, read: Callable[[], Any], what: str = "") -> Any:
        """The value of `read()`, a Python value that the running code depends on; `what` names it in messages.

        A trace is used again only while `read()` gives the same.
        """

    # Where nodes come from: the origins that a trace gives to the nodes it makes ---------------------------------

    notes_lines: bool  # whether the user's line is kept with each operation, for debugging
    origins: Any  # gives nodes the path of the modules that are being called; None where nothing is traced
    is_tracing: bool
    compiles_often: bool  # whether what comes often may run as a program, with nobody told of what is inside

    def enter_backward(self, node: Any) -> None:
        """Called with each node of the gradient tape before its rule is applied, and with None after the last one."""

    def enter_replay(self, node: Node | None) -> None:
        """Called with each node of a graph before it is bound again, and with None after the last one."""


class _State(threading.local):
    interpreter: Any = None  # an Interpreter; `runtime` asks its own for more


state = _State()


def install(interpreter: Interpreter[Any]) -> None:
    """Make `interpreter` the one that every thread starts with."""
    _State.interpreter = interpreter


def bind(op: Op, *inputs: Any, **attributes: Any) -> Any:
    """The result of the primitive `op` on `inputs`, by the current interpreter; a list where `op` has several."""
    return state.interpreter.bind(op, inputs, attributes)
