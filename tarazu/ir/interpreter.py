"""The one door between operations and whatever runs them: `bind` hands a primitive to the current interpreter.

Operations know only this protocol. `runtime` installs the interpreters (one that computes, one that traces), and it
alone knows what a value is made of.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tarazu.base.dtypes import DType
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op
from tarazu.ir.types import Shape, TensorType


class Value:
    """What operations take and give. `runtime.Tensor` is the one kind there is.

    `raw` is the data: an array, or a node while tracing. `tape_entry` says which operation on the gradient tape gave
    it; None where no gradient is recorded.
    """

    __slots__ = ("raw", "tape_entry")
    raw: Any
    tape_entry: Any

    @property
    def shape(self) -> Shape:
        return self.raw.shape

    @property
    def dtype(self) -> DType:
        raise NotImplementedError


class Traced:
    """A function that was traced: its graph, the values from outside that it read and those that it rebound.

    The graph's parameters are the function's inputs, then `captured`; its outputs are the function's results, then the
    new values of `rebound`.
    """

    __slots__ = ("captured", "graph", "rebound", "result_structure")

    def __init__(self, graph: Graph, captured: list[Value], rebound: list[Value], result_structure: Any) -> None:
        self.graph, self.captured, self.rebound, self.result_structure = graph, captured, rebound, result_structure


class Interpreter(Protocol):
    """What runs primitives."""

    def bind(self, op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """The result of a primitive (a list where there are several), recorded for gradients where one is tracked."""

    def constant(self, data: Any, dtype: DType | None) -> Any:
        """A value that holds `data`: a number, a nested list, an array."""

    def wrap(self, raw: Any, tape_entry: Any) -> Any:
        """A value made again from what the gradient tape saved of it."""

    def capture(self, x: Any) -> Any:
        """`x` as a value whose data and link this interpreter can work on: a trace captures what is from outside."""

    def place(self, x: Any, where: Any) -> Any:
        """`x` on the device, mesh or layout `where`; None is the default device."""

    def device_of(self, x: Any) -> Any:
        """Where `x` is; None while that is not known."""

    def trace(self, function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
        """The graph of `function`, called with values of these types that stand for any data."""

    def rebind(self, handle: Any, value: Any) -> None:
        """Let `handle` stand for what `value` stands for from now on."""

    notes_lines: bool  # whether the user's line is noted with each operation, for debugging
    scopes: Any  # the names of the modules that are being traced; None where nothing is traced

    def before_change(self, handle: Any) -> None:
        """Told before a handle gets another value or place on the tape."""

    def before_grad_change(self, handle: Any) -> None:
        """Told before a handle gets another gradient."""

    def before_tracking_read(self, handle: Any) -> None:
        """Told before it is read whether gradients are recorded for a handle."""

    def before_grad_read(self, handle: Any) -> None:
        """Told before the gradient of a handle is read."""

    def depend_on(self, read: Callable[[], Any], what: str = "") -> Any:
        """The value of `read()`, a Python value that what runs now depends on; `what` names it for people."""

    def substitute(self, handles: Sequence[Any], values: Sequence[Any]) -> Any:
        """A block in which `values` stand for handles from outside that nothing has read in this trace."""

    def enter_backward(self, node: Any) -> None:
        """Told which node of the gradient tape is gone back through from now on; None after the last one."""

    def enter_replay(self, node: Any) -> None:
        """Told which node of a graph is bound anew from now on; None after the last one."""


class _State(threading.local):
    interpreter: Any = None


state = _State()


def install(interpreter: Interpreter) -> None:
    """Make `interpreter` the one that every thread starts with."""
    _State.interpreter = interpreter


def bind(op: Op, *inputs: Any, **attributes: Any) -> Any:
    """The result of the primitive `op` on `inputs`, by the current interpreter."""
    return state.interpreter.bind(op, inputs, attributes)
