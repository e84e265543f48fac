"""The interpreter that traces: primitives become nodes of a graph.

State needs no second API. A tensor from outside that is read becomes an input of the graph (it is *captured*); one
that is changed in place, or whose `.grad` is, becomes an output that is written back afterwards. Python values that
steer the trace and may change later (`training`, whether a `.grad` is there) are noted as *guards*: a cached trace is
used again only while they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tarazu.base.dtypes import DType
from tarazu.base.errors import TraceError
from tarazu.base.pytree import flatten
from tarazu.ir import op as ops
from tarazu.ir.graph import Builder, Graph, Node, leaked
from tarazu.ir.interpreter import Traced, state
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType
from tarazu.runtime.alias import Alias
from tarazu.runtime.recording import is_recorded, record
from tarazu.runtime.scope import Scopes
from tarazu.runtime.tensor import Tensor, to_array
from tarazu.transform.notes import hooks_at
from tarazu.transform.tape import USER, Leaf, TapeNode, tape_state


class Original(NamedTuple):
    """A handle from outside as it was before the trace changed it."""

    handle: Tensor
    raw: Any
    link: Any
    grad: Tensor | None


class Change(NamedTuple):
    """What a trace did to a handle from outside."""

    handle: Tensor
    raw: Any  # the new node, None when only the gradient changed
    link: Any  # where the new node came from on the tape
    grad: Any  # the new gradient; `KEPT` when it did not change


KEPT = object()


class Guard(NamedTuple):
    """A Python value that the trace depends on: it holds while `read()` gives `expected`."""

    read: Callable[[], Any]
    expected: Any
    what: str = ""  # its name, for people

    def holds(self) -> bool:
        return self.read() == self.expected


class Trace:
    """A trace under way; as a context it is the current interpreter; on leaving it puts outside handles back."""

    def __init__(self) -> None:
        self.builder = Builder()
        self.notes_lines = state.interpreter.notes_lines
        self.scopes = Scopes(self.builder, notes_lines=self.notes_lines)
        self.captured: dict[int, tuple[Tensor, Node, Any]] = {}
        self.guards: list[Guard] = []
        self.grad_owner: dict[int, Tensor] = {}  # by id of a gradient: the handle through which it was read
        self._originals: dict[int, Original] = {}

    def __enter__(self) -> Trace:
        self._before = state.interpreter, tape_state.ignored
        state.interpreter, tape_state.ignored = self, 0
        return self

    def __exit__(self, *_: object) -> None:
        state.interpreter, tape_state.ignored = self._before
        for handle, raw, link, grad in self._originals.values():
            handle.raw, handle.link, handle._grad = raw, link, grad

    # The interpreter

    def bind(self, op: Op, inputs: tuple[Tensor, ...], attributes: dict[str, Any]) -> Any:
        read = [self.read(x) for x in inputs]
        mask = 0
        for _, link in read:
            if link is not None:
                mask |= link.mask
        is_tracked = bool(mask & ~tape_state.ignored) and is_recorded(op, attributes)
        in_no_grad = bool(tape_state.ignored & USER) and op is not ops.STOP_GRADIENT
        self.scopes.note_line()
        nodes = [self._without_gradient(node) if in_no_grad and link is not None else node for node, link in read]
        out = self.builder.add(op, nodes, attributes)
        if op.multiple:
            return (record(op, attributes, nodes, [link for _, link in read], list(out), mask) if is_tracked
                    else [Tensor(one) for one in out])
        if not is_tracked:
            return Tensor(out)
        return Tensor(out, TapeNode(op, attributes, nodes, [link for _, link in read], (out,), mask))

    def _without_gradient(self, node: Node) -> Node:
        """Say in the graph what `no_grad` says in Python, as the graph itself may be differentiated later."""
        return self.builder.add(ops.STOP_GRADIENT, [node], {})

    def lift(self, data: Any, dtype: DType | None) -> Tensor:
        return Tensor(self.builder.constant(to_array(data, dtype)))

    def wrap(self, raw: Any, link: Any) -> Tensor:
        return Tensor(raw, link)

    def adopt(self, x: Tensor) -> Tensor:
        return Tensor(*self.read(x))

    def trace(self, function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
        return trace_function(function, types)

    def rebind(self, handle: Tensor, value: Tensor) -> None:
        self.before_change(handle)
        raw, link = self.read(value)
        handle.raw = raw
        if not isinstance(handle.link, Leaf):
            handle.link = link

    # State from outside

    def owns(self, raw: Any) -> bool:
        return raw.__class__ is Node and raw.owner is self.builder.mark

    def read(self, x: Tensor) -> tuple[Node, Any]:
        """The node and the tape link that `x` has in this trace."""
        if isinstance(x, Alias):
            return self._without_gradient(self.read(x.owner)[0]), None
        if self.owns(x.raw):
            return x.raw, x.link
        found = self.captured.get(id(x))
        if found is None:
            self._require_alive(x.raw)
            node = self.builder.parameter(TensorType(tuple(x.shape), x.dtype))
            found = self.captured[id(x)] = x, node, _inner_link(x.link)
        return found[1:]

    def _require_alive(self, raw: Any) -> None:
        """A node from outside must belong to a trace around this one."""
        around = self._before[0]
        while raw.__class__ is Node and not (isinstance(around, Trace) and around.owns(raw)):
            if not isinstance(around, Trace):
                raise leaked()
            around = around._before[0]

    def before_change(self, handle: Tensor) -> None:
        if id(handle) not in self._originals and not self.owns(handle.raw):
            self.read(handle)  # a change is a capture too: a loop needs the value before it
            self._originals[id(handle)] = Original(handle, handle.raw, handle.link, handle._grad)

    def before_grad_read(self, handle: Tensor) -> None:
        if self.owns(handle.raw) or id(handle) in self._originals:
            return
        self.guards.append(Guard(lambda: handle._grad is None, handle._grad is None, "that a gradient is None"))
        if handle._grad is not None:
            self.grad_owner[id(handle._grad)] = handle

    def depend_on(self, read: Callable[[], Any], what: str = "") -> Any:
        """The value of `read()`, on which this trace depends from now on."""
        value = read()
        self.guards.append(Guard(read, value, what))
        return value

    def going_back(self, node: Any) -> None:
        if isinstance(node, Leaf):
            self.depend_on(lambda: hooks_at(node), "the gradient hooks of a tensor")
        self.scopes.going_back(node)

    def replaying(self, node: Any) -> None:
        self.scopes.replaying(node)

    def expose(self, proxy: Tensor) -> None:
        """Treat `proxy`, a parameter of the graph, like a handle from outside, so that changes of it are seen."""
        self.captured[id(proxy)] = proxy, proxy.raw, proxy.link
        self._originals[id(proxy)] = Original(proxy, proxy.raw, proxy.link, proxy._grad)

    def changes(self) -> list[Change]:
        """What was done to handles from outside; to be asked before the trace is left."""
        found = []
        for handle, raw, _, grad in self._originals.values():
            new_grad = handle._grad if handle._grad is not grad else KEPT
            if handle.raw is not raw or new_grad is not KEPT:
                link = None if isinstance(handle.link, Leaf) else handle.link
                found.append(Change(handle, handle.raw if handle.raw is not raw else None, link, new_grad))
        return found


def _inner_link(link: Any) -> Any:
    """The link inside a trace of a tensor from outside: a user's leaf stays, anything else tracked is a new leaf."""
    if link is None or (isinstance(link, Leaf) and link.mask == USER):
        return link
    return Leaf(USER)


def trace_function(function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
    """The graph of a function whose results are flat lists or nested containers of tensors."""
    with Trace() as trace:
        parameters = [trace.builder.parameter(type_) for type_ in types]
        leaves, structure = flatten(function(*[Tensor(node) for node in parameters]))
        outputs = [trace.read(x if isinstance(x, Tensor) else trace.lift(x, None))[0] for x in leaves]
        changes = trace.changes()
        if any(change.grad is not KEPT for change in changes):
            raise TraceError("backward() inside the body of a loop left gradients behind",
                             expected="`.grad` as it was before",
                             fix="use tz.grad in the body, or set the gradients to None at its end")
    for guard in trace.guards:
        state.interpreter.depend_on(guard.read, guard.what)
    captured = list(trace.captured.values())
    graph = Graph(parameters + [node for _, node, _ in captured], outputs + [change.raw for change in changes])
    return Traced(graph, [handle for handle, _, _ in captured], [change.handle for change in changes], structure)
