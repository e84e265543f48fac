"""The interpreter that traces: primitives become nodes of a graph.

State needs no second API: what a function reads from outside, and what it changes there, takes part (`outside.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tarazu.base.device import CPU, Device, Layout, Mesh
from tarazu.base.dtypes import DType
from tarazu.base.errors import TraceError
from tarazu.base.pytree import flatten
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced, state
from tarazu.ir.node import Node
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType
from tarazu.runtime.device import common_device, device_of, resolve
from tarazu.runtime.tensor.tensor import Tensor, to_array
from tarazu.runtime.trace.captures import CaptureState
from tarazu.runtime.trace.recording import is_recorded, record
from tarazu.runtime.trace.scope import Scopes
from tarazu.runtime.trace_lock import tracing
from tarazu.transform.gradient.notes import hooks_of
from tarazu.transform.gradient.tape import USER, Leaf, TapeNode, tape_state


class Trace(CaptureState):
    """A trace under way; as a context it is the current interpreter; on leaving it puts outside handles back.

    `ignored` are the mask bits for which nothing is recorded in it, whatever is so around it.
    """

    def __init__(self, ignored: int = 0) -> None:
        self._ignored = ignored
        super().__init__()
        self.places: list[Device | Mesh] = []  # where what is traced runs, as far as arguments and the code say
        self.notes_lines = state.interpreter.notes_lines
        self.scopes = Scopes(self.builder, notes_lines=self.notes_lines)

    def __enter__(self) -> Trace:
        tracing.acquire()
        self._before = around, _ = state.interpreter, tape_state.ignored
        if isinstance(around, Trace):
            self.places = around.places
        state.interpreter, tape_state.ignored = self, self._ignored
        return self

    def __exit__(self, *_: object) -> None:
        state.interpreter, tape_state.ignored = self._before
        for handle, raw, entry, grad in self._originals.values():
            handle.raw, handle.tape_entry, handle._grad = raw, entry, grad
        tracing.release()

    # The interpreter

    def bind(self, op: Op, inputs: tuple[Tensor, ...], attributes: dict[str, Any]) -> Any:
        read = [self.read(x) for x in inputs]
        mask = 0
        for _, entry in read:
            if entry is not None:
                mask |= entry.mask
        is_tracked = bool(mask & ~tape_state.ignored) and is_recorded(op, attributes)
        in_no_grad = bool(tape_state.ignored & USER) and op is not ops.STOP_GRADIENT
        self.scopes.note_line()
        nodes = [self._without_gradient(node) if in_no_grad and entry is not None else node for node, entry in read]
        out = self.builder.add(op, nodes, attributes)
        if op.multiple:
            return (record(op, attributes, nodes, [entry for _, entry in read], list(out), mask) if is_tracked
                    else [Tensor(one) for one in out])
        if not is_tracked:
            return Tensor(out)
        return Tensor(out, TapeNode(op, attributes, nodes, [entry for _, entry in read], (out,), mask))

    def constant(self, data: Any, dtype: DType | None) -> Tensor:
        return Tensor(self.builder.constant(to_array(data, dtype)))

    def wrap(self, raw: Any, entry: Any) -> Tensor:
        return Tensor(raw, entry)

    def capture(self, x: Tensor) -> Tensor:
        return Tensor(*self.read(x))

    @property
    def device(self) -> Device | Mesh:
        """Where what is traced will run."""
        return self.places[0] if self.places else CPU

    def place(self, x: Tensor, where: Any) -> Tensor:
        """`x` itself, as a program runs in one place; the place is noted. What a layout says stands in the graph."""
        if where is None:
            return x
        where = resolve(where)
        found = common_device(self.places[0] if self.places else None, where)
        if found is not None:
            self.places[:] = [found]
        return self.bind(ops.PLACE, (x,), {"where": where}) if isinstance(where, Layout) and where.spec else x

    def device_of(self, x: Tensor) -> Device | Layout | None:
        return None if isinstance(x.raw, Node) else device_of(x.raw)

    def trace(self, function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
        return trace_function(function, types)

    def rebind(self, handle: Tensor, value: Tensor) -> None:
        self.before_change(handle)
        raw, entry = self.read(value)
        handle.raw = raw
        if not isinstance(handle.tape_entry, Leaf):
            handle.tape_entry = entry

    def enter_backward(self, node: Any) -> None:
        if isinstance(node, Leaf):
            handle = node.handle  # another leaf belongs to it after it was frozen for a time
            self.depend_on(lambda: hooks_of(node if handle is None else handle.tape_entry),
                           "the gradient hooks of a tensor")
        self.scopes.enter_backward(node)

    def enter_replay(self, node: Any) -> None:
        self.scopes.enter_replay(node)


def trace_function(function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
    """The graph of a function whose results are flat lists or nested containers of tensors."""
    with Trace() as trace:
        parameters = [trace.builder.parameter(type_) for type_ in types]
        leaves, structure = flatten(function(*[Tensor(node) for node in parameters]))
        outputs = [trace.read(x if isinstance(x, Tensor) else trace.constant(x, None))[0] for x in leaves]
        changes = trace.changes()
        if not all(trace.keeps_gradient(change) for change in changes):
            raise TraceError("backward() inside the body of a loop left gradients behind",
                             expected="`.grad` as it was before",
                             fix="use tz.grad in the body, or set the gradients to None at its end")
    for guard in trace.guards:
        state.interpreter.depend_on(guard.read, guard.what)
    captured = list(trace.captured.values())
    changes = [change for change in changes if change.raw is not None]
    graph = Graph(parameters + [node for _, node, _ in captured], outputs + [change.raw for change in changes])
    return Traced(graph, [handle for handle, _, _ in captured], [change.handle for change in changes], structure)
