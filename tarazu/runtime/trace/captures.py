"""What a trace takes part in outside of its function: the tensors that it reads and changes there, and guards.

A tensor from outside that is read becomes an input of the graph: it is *captured*. One that is changed in place, or
whose `.grad` is, becomes an output, which is written back afterwards. Python values on which the trace depends are
noted as *guards* (guards.py): among them whether a tensor requires grad and whether its `.grad` is None.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import partial
from typing import Any, Final, NamedTuple, TypeGuard

from tarazu.base.errors import TraceError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import Interpreter, state
from tarazu.ir.node import Builder, Node, leaked
from tarazu.ir.types import Data, TensorType
from tarazu.runtime.tensor.detached import Detached
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.assigned import holds_tensor
from tarazu.runtime.trace.guards import Guard, is_on_tape
from tarazu.runtime.trace.set_attributes import SetAttributes
from tarazu.runtime.trace.substitution import substitute
from tarazu.runtime.trace_lock import overwrite
from tarazu.transform.gradient.tape import EVERYTHING, USER, Leaf, TapeEntry, ignoring


class Capture(NamedTuple):
    """A handle from outside that the trace reads, and what stands for it there."""

    handle: Tensor
    node: Node
    tape_entry: TapeEntry | None


class Original(NamedTuple):
    """What a handle from outside held before the trace changed it."""

    handle: Tensor
    raw: Data
    tape_entry: TapeEntry | None
    grad: Tensor | None

    @classmethod
    def of(cls, handle: Tensor) -> Original:
        return cls(handle, handle.raw, handle.tape_entry, handle._grad)

    def restore(self) -> None:
        overwrite(self.handle, self.raw, self.tape_entry)
        self.handle._grad = self.grad


class Unchanged(Enum):
    """What `Change.grad` holds for a gradient that the trace left as it was."""

    KEPT = "kept"


KEPT: Final = Unchanged.KEPT


class Change(NamedTuple):
    """What a trace did to a handle from outside."""

    handle: Tensor
    raw: Node | None  # the new value, None when only the gradient changed
    tape_entry: TapeEntry | None  # of the new value
    grad: Tensor | Unchanged | None  # the new gradient, or KEPT


class CaptureState:
    """The part of a trace that knows of tensors from outside, and of guards."""

    _outer: Interpreter[Tensor]  # the interpreter around the trace

    def __init__(self) -> None:
        self.builder = Builder()
        self.captured: dict[int, Capture] = {}  # by id of the handle, as all that follow
        self.guards: list[Guard] = []
        self.grad_owner: dict[int, Tensor] = {}  # of a gradient: the handle through which it was read
        self._arguments: dict[int, Tensor] = {}  # the tensors for which the function was given proxies
        self._originals: dict[int, Original] = {}
        self._substituted: set[int] = set()
        self._reads_gradient: dict[int, tuple[Tensor, bool]] = {}  # whether the gradient was read before it was written
        self.set_attributes = SetAttributes()

    def owns(self, raw: Data) -> TypeGuard[Node]:
        """Whether the data are a node of this trace."""
        return isinstance(raw, Node) and raw.owner is self.builder.mark

    # Values ----------------------------------------------------------------------------------------------------

    def read(self, x: Tensor) -> tuple[Node, TapeEntry | None]:
        """The node and the tape entry that `x` has in this trace; a tensor from outside is captured."""
        if isinstance(x, Detached):
            return self._without_gradient(self.read(x.owner)[0]), None
        if self.owns(x.raw):
            return x.raw, x.tape_entry
        capture = self.captured.get(id(x))
        if capture is None:
            self._require_alive(x.raw)
            node = self.builder.parameter(TensorType(tuple(x.shape), x.dtype))
            capture = self.captured[id(x)] = Capture(x, node, _inner_tape_entry(x.tape_entry))
        return capture.node, capture.tape_entry

    def _without_gradient(self, node: Node) -> Node:
        """The node behind a `stop_gradient`: for a graph, which may be differentiated later, what `no_grad` is here."""
        return self.builder.add(ops.STOP_GRADIENT, [node], {})

    def _require_alive(self, raw: Data) -> None:
        """A node from outside must belong to a trace around this one."""
        outer = self._outer
        while raw.__class__ is Node and not (isinstance(outer, CaptureState) and outer.owns(raw)):
            if not isinstance(outer, CaptureState):
                raise leaked()
            outer = outer._outer

    def add_argument(self, x: Tensor, proxy: Tensor) -> None:
        """Let `proxy`, whose data are a parameter of the graph, stand for the argument `x`.

        It is treated as if it were captured, so that the changes that the function makes to it are seen.
        """
        self._arguments[id(x)] = x
        self.captured[id(proxy)] = Capture(proxy, proxy.raw, proxy.tape_entry)
        self._originals[id(proxy)] = Original.of(proxy)
        if x._grad is not None:
            self.grad_owner[id(x._grad)] = proxy

    @contextlib.contextmanager
    def substitute(self, handles: Sequence[Tensor], values: Sequence[Tensor]) -> Iterator[None]:
        """The block of `substitute`, for those of the handles that this trace has not read yet."""
        pairs = [(x, Tensor(*self.read(value))) for x, value in zip(handles, values, strict=True)
                 if id(x) not in self.captured and not self.owns(x.raw)]
        ids = {id(x) for x, _ in pairs}
        self._substituted |= ids
        try:
            with substitute([x for x, _ in pairs], [value for _, value in pairs]):
                yield
        finally:
            self._substituted -= ids

    @contextlib.contextmanager
    def outside(self) -> Iterator[None]:
        """A block in which handles hold what they held before the trace, with the interpreter around all traces."""
        inside = [Original.of(original.handle) for original in self._originals.values()]
        for original in self._originals.values():
            original.restore()
        before, state.interpreter = state.interpreter, self._outer
        try:
            with self._outer.outside(), ignoring(EVERYTHING):
                yield
        finally:
            state.interpreter = before
            for one in inside:
                self._originals[id(one.handle)] = Original.of(one.handle)
                one.restore()

    # Changes ---------------------------------------------------------------------------------------------------

    def before_change(self, handle: Tensor) -> None:
        self._require_no_argument(handle)
        if id(handle) not in self._originals and not self.owns(handle.raw):
            self.read(handle)  # a change is a capture too: a loop needs the value before it
            self._originals[id(handle)] = Original.of(handle)

    def changes(self) -> list[Change]:
        """What was done to handles from outside; to be asked before the trace is left."""
        changes = []
        for handle, raw, _, grad in self._originals.values():
            new_grad = handle._grad if handle._grad is not grad or self._clears_unread(handle) else KEPT
            if handle.raw is not raw or new_grad is not KEPT:
                entry = None if isinstance(handle.tape_entry, Leaf) else handle.tape_entry
                changes.append(Change(handle, handle.raw if handle.raw is not raw else None, entry, new_grad))
        return changes

    def data_before(self, handle: Tensor) -> Data:
        """The data that a handle had before the trace changed it."""
        return self._originals[id(handle)].raw

    def _restore(self) -> None:
        """Let all handles from outside, and attributes, hold again what they held before the trace."""
        self.set_attributes.take_contents(partial(holds_tensor, self.is_from_inside))
        for attribute in self.set_attributes:
            if holds_tensor(self.is_from_inside, attribute.now):
                attribute.restore()
        for original in self._originals.values():
            original.restore()

    def is_from_inside(self, handle: Tensor) -> bool:
        original = self._originals.get(id(handle))
        return self.owns(handle.raw if original is None else original.raw)

    def _require_no_argument(self, handle: Tensor) -> None:
        if id(handle) in self._arguments:
            raise TraceError(f"a tensor of shape {handle.shape} is an argument of a jitted function, which also "
                             "changes it, or reads its .grad, from outside",
                             expected="a tensor with state either as an argument or from outside",
                             fix="leave it out of the arguments: what the function reads from outside takes part too")

    # Gradients -------------------------------------------------------------------------------------------------

    def before_grad_read(self, handle: Tensor) -> None:
        if self._is_first_use(handle, is_read=True):
            self._depend_on_gradient(handle)

    def before_grad_change(self, handle: Tensor) -> None:
        self.before_change(handle)
        self._is_first_use(handle, is_read=False)

    def _is_first_use(self, handle: Tensor, *, is_read: bool) -> bool:
        """Note the first use in this trace of the gradient that a handle from outside came with."""
        is_inside = self.is_from_inside(handle) and id(handle) not in self._substituted
        if id(handle) in self._reads_gradient or is_inside:
            return False
        self._reads_gradient[id(handle)] = handle, is_read
        return True

    def _depend_on_gradient(self, handle: Tensor) -> None:
        self._require_no_argument(handle)
        if isinstance(self._outer, CaptureState):  # which may have changed the gradient, and knows where it comes from
            self._outer.before_grad_read(handle)
        else:
            self.depend_on(partial(_has_no_gradient, handle), "that a gradient is None")
        if handle._grad is not None:
            self.grad_owner[id(handle._grad)] = handle

    def _clears_unread(self, handle: Tensor) -> bool:
        """Whether the gradient was set to None before it was read: it need not be None at the next call, as now."""
        _, is_read = self._reads_gradient.get(id(handle), (handle, True))
        return handle._grad is None and not is_read

    def keeps_gradient(self, change: Change) -> bool:
        """Whether the gradient is as it was. One that was None and is set to None is; that it was becomes a guard."""
        if change.grad is None and self._originals[id(change.handle)].grad is None:
            self._depend_on_gradient(change.handle)
            return True
        return change.grad is KEPT

    # Guards ----------------------------------------------------------------------------------------------------

    def before_tracking_read(self, handle: Tensor) -> None:
        original = self._originals.get(id(handle))
        if not self.is_from_inside(handle) and (original is None or original.tape_entry is handle.tape_entry):
            self.depend_on(partial(is_on_tape, handle), "whether a tensor requires grad")

    def depend_on(self, read: Callable[[], Any], what: str = "") -> Any:
        """The value of `read()`, on which this trace depends from now on."""
        value = read()
        self.guards.append(Guard(read, value, what))
        return value

    def pass_guards_on(self) -> None:
        """Let the interpreter around this trace, which is over, depend on the same values."""
        for guard in self.guards:
            self._outer.depend_on(guard.read, guard.what)


def _has_no_gradient(handle: Tensor) -> bool:
    return handle._grad is None


def _inner_tape_entry(entry: TapeEntry | None) -> TapeEntry | None:
    """The entry inside a trace of a tensor from outside: a user's leaf stays, anything else tracked is a new leaf."""
    if entry is None or (isinstance(entry, Leaf) and entry.mask == USER):
        return entry
    return Leaf(USER)
