"""What a trace knows of tensors from outside: which it read, which it changed, and what it depends on beside values.

A tensor from outside that is read becomes an input of the graph (it is *captured*); one that is changed in place, or
whose `.grad` is, becomes an output that is written back afterwards. Python values that steer the trace and may change
later (`training`, whether a `.grad` is there) are noted as *guards*: a cached trace is used again only while they hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tarazu.base.errors import TraceError
from tarazu.ir import op as ops
from tarazu.ir.node import Builder, Node, leaked
from tarazu.ir.types import TensorType
from tarazu.runtime.tensor.detached import Detached
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.transform.gradient.tape import USER, Leaf


class Original(NamedTuple):
    """A handle from outside as it was before the trace changed it."""

    handle: Tensor
    raw: Any
    tape_entry: Any
    grad: Tensor | None


class Change(NamedTuple):
    """What a trace did to a handle from outside."""

    handle: Tensor
    raw: Any  # the new node, None when only the gradient changed
    tape_entry: Any  # where the new node came from on the tape
    grad: Any  # the new gradient; `KEPT` when it did not change


KEPT = object()


class Guard(NamedTuple):
    """A Python value that the trace depends on: it holds while `read()` gives `expected`."""

    read: Callable[[], Any]
    expected: Any
    what: str = ""  # its name, for people

    def holds(self) -> bool:
        return self.read() == self.expected


class CaptureState:
    """The part of a trace that keeps the book of handles from outside."""

    _before: tuple[Any, int]  # the interpreter around the trace, and the mask bits that it ignores

    def __init__(self) -> None:
        self.builder = Builder()
        self.captured: dict[int, tuple[Tensor, Node, Any]] = {}
        self.guards: list[Guard] = []
        self.grad_owner: dict[int, Tensor] = {}  # by id of a gradient: the handle through which it was read
        self.arguments: dict[int, Tensor] = {}  # by id: tensors that the function got others for, which stand for them
        self._originals: dict[int, Original] = {}
        self._reads_gradient: dict[int, tuple[Tensor, bool]] = {}  # by id of a handle: whether that came before a write

    def owns(self, raw: Any) -> bool:
        return raw.__class__ is Node and raw.owner is self.builder.mark

    def read(self, x: Tensor) -> tuple[Node, Any]:
        """The node and the tape link that `x` has in this trace."""
        if isinstance(x, Detached):
            return self._without_gradient(self.read(x.owner)[0]), None
        if self.owns(x.raw):
            return x.raw, x.tape_entry
        found = self.captured.get(id(x))
        if found is None:
            self._require_alive(x.raw)
            node = self.builder.parameter(TensorType(tuple(x.shape), x.dtype))
            found = self.captured[id(x)] = x, node, _inner_tape_entry(x.tape_entry)
        return found[1:]

    @contextlib.contextmanager
    def substitute(self, handles: Sequence[Tensor], values: Sequence[Tensor]) -> Iterator[None]:
        new = {id(x): (x, *self.read(value)) for x, value in zip(handles, values, strict=True)
               if id(x) not in self.captured and not self.owns(x.raw)}
        self.captured.update(new)
        try:
            yield
        finally:
            for key in new:
                del self.captured[key]

    def _without_gradient(self, node: Node) -> Node:
        """Say in the graph what `no_grad` says in Python, as the graph itself may be differentiated later."""
        return self.builder.add(ops.STOP_GRADIENT, [node], {})

    def _require_alive(self, raw: Any) -> None:
        """A node from outside must belong to a trace around this one."""
        around = self._before[0]
        while raw.__class__ is Node and not (isinstance(around, CaptureState) and around.owns(raw)):
            if not isinstance(around, CaptureState):
                raise leaked()
            around = around._before[0]

    def before_change(self, handle: Tensor) -> None:
        self._require_one_name(handle)
        if id(handle) not in self._originals and not self.owns(handle.raw):
            self.read(handle)  # a change is a capture too: a loop needs the value before it
            self._originals[id(handle)] = Original(handle, handle.raw, handle.tape_entry, handle._grad)

    def before_grad_read(self, handle: Tensor) -> None:
        if self._is_first_use(handle, is_read=True):
            self._depend_on_gradient(handle)

    def before_grad_change(self, handle: Tensor) -> None:
        self.before_change(handle)
        self._is_first_use(handle, is_read=False)

    def _is_first_use(self, handle: Tensor, *, is_read: bool) -> bool:
        """Note the first use in this trace of the gradient that a handle from outside came with."""
        if id(handle) in self._reads_gradient or self._is_from_inside(handle):
            return False
        self._reads_gradient[id(handle)] = handle, is_read
        return True

    def _is_from_inside(self, handle: Tensor) -> bool:
        original = self._originals.get(id(handle))
        return self.owns(handle.raw if original is None else original.raw)

    def _require_one_name(self, handle: Tensor) -> None:
        if id(handle) in self.arguments:
            raise TraceError(f"a tensor of shape {handle.shape} is an argument of a jitted function, which also "
                             "changes it, or reads its .grad, from outside",
                             expected="a tensor with state either as an argument or from outside",
                             fix="leave it out of the arguments: what the function reads from outside takes part too")

    def _depend_on_gradient(self, handle: Tensor) -> None:
        self._require_one_name(handle)
        around = self._before[0]
        if isinstance(around, CaptureState):  # which may have changed the gradient, and knows where it comes from
            around.before_grad_read(handle)
        else:
            self.guards.append(Guard(lambda: handle._grad is None, handle._grad is None, "that a gradient is None"))
        if handle._grad is not None:
            self.grad_owner[id(handle._grad)] = handle

    def before_tracking_read(self, handle: Tensor) -> None:
        original = self._originals.get(id(handle))
        if not self._is_from_inside(handle) and (original is None or original.tape_entry is handle.tape_entry):
            self.depend_on(lambda: handle.tape_entry is not None, "whether a tensor requires grad")

    def depend_on(self, read: Callable[[], Any], what: str = "") -> Any:
        """The value of `read()`, on which this trace depends from now on."""
        value = read()
        self.guards.append(Guard(read, value, what))
        return value

    def expose(self, proxy: Tensor) -> None:
        """Treat `proxy`, a parameter of the graph, like a handle from outside, so that changes of it are seen."""
        self.captured[id(proxy)] = proxy, proxy.raw, proxy.tape_entry
        self._originals[id(proxy)] = Original(proxy, proxy.raw, proxy.tape_entry, proxy._grad)

    def changes(self) -> list[Change]:
        """What was done to handles from outside; to be asked before the trace is left."""
        found = []
        for handle, raw, _, grad in self._originals.values():
            new_grad = handle._grad if handle._grad is not grad or self._clears_unread(handle) else KEPT
            if handle.raw is not raw or new_grad is not KEPT:
                entry = None if isinstance(handle.tape_entry, Leaf) else handle.tape_entry
                found.append(Change(handle, handle.raw if handle.raw is not raw else None, entry, new_grad))
        return found

    def _clears_unread(self, handle: Tensor) -> bool:
        """Whether the gradient was set to None before it was read: it need not be None at the next call, as now."""
        _, is_read = self._reads_gradient.get(id(handle), (handle, True))
        return handle._grad is None and not is_read

    def before(self, handle: Tensor) -> Any:
        """The data that a handle had before the trace changed it."""
        return self._originals[id(handle)].raw

    def keeps_gradient(self, change: Change) -> bool:
        """Whether the gradient is as it was; one that was None and is cleared is, and the trace depends on that."""
        if change.grad is None and self._originals[id(change.handle)].grad is None:
            self._depend_on_gradient(change.handle)
            return True
        return change.grad is KEPT


def _inner_tape_entry(entry: Any) -> Any:
    """The link inside a trace of a tensor from outside: a user's leaf stays, anything else tracked is a new leaf."""
    if entry is None or (isinstance(entry, Leaf) and entry.mask == USER):
        return entry
    return Leaf(USER)
