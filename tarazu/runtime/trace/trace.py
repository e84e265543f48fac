"""The interpreter that traces: primitives become nodes of a graph.

State needs no second API: what a function reads from outside, and what it changes there, takes part (`captures.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tarazu.base.device import CPU, Device, Layout, Location, Mesh
from tarazu.base.dtypes import DType
from tarazu.base.errors import TraceError
from tarazu.base.pytree import flatten
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced, state
from tarazu.ir.node import CONSTANT, Node
from tarazu.ir.op import Op
from tarazu.ir.types import Data, TensorType
from tarazu.ops.typing import ArrayLike, DeviceLike
from tarazu.runtime.autograd.on_tape import on_tape
from tarazu.runtime.device import common_device, device_of, resolve
from tarazu.runtime.tensor.creation import to_array, to_own_array
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.assigned import settle
from tarazu.runtime.trace.attributes import NotedGets, exchange_set_attributes
from tarazu.runtime.trace.captures import CaptureState
from tarazu.runtime.trace.guards import hooks_of_tensor
from tarazu.runtime.trace.origins import Origins
from tarazu.runtime.trace_lock import rebind_all, tracing
from tarazu.transform.gradient.notes import hooks_of
from tarazu.transform.gradient.tape import USER, Leaf, TapeEntry, TapeNode, tape_state


class ProgramDevice:
    """Where the program of a trace will run, as far as arguments and the code say; traces inside it share this."""

    def __init__(self) -> None:
        self.device: Device | Mesh | None = None  # None while only the plain CPU was named, which takes part anywhere

    def require(self, where: Location) -> None:
        """Note that the program has to run there; DeviceError where it has to run elsewhere."""
        self.device = common_device(self.device, where)


class Trace(CaptureState):
    """A trace under way: the current interpreter within its `with` block.

    At its end all handles from outside hold again what they held before. `ignored` are the mask bits for which nothing
    is recorded in it, whatever is ignored around it. In the trace of a body, `is_body`, which inputs have gradients is
    known only later, when its graph is differentiated.
    """

    is_tracing, compiles_often = True, False

    def __init__(self, ignored: int = 0, *, is_body: bool = False) -> None:
        self._ignored, self.is_body = ignored, is_body
        super().__init__()
        self.program_device = ProgramDevice()
        self._gets = NotedGets()
        self.notes_lines = state.interpreter.notes_lines
        self.origins = Origins(self.builder, notes_lines=self.notes_lines)

    def __enter__(self) -> Trace:
        tracing.acquire()
        self._outer, self._ignored_outside = state.interpreter, tape_state.ignored
        if isinstance(self._outer, Trace):
            self.program_device = self._outer.program_device
            self.is_body |= self._outer.is_body
        state.interpreter, tape_state.ignored = self, self._ignored
        self._set_outside = exchange_set_attributes(self.set_attributes)
        self._gets.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        state.interpreter, tape_state.ignored = self._outer, self._ignored_outside
        self._gets.__exit__()
        exchange_set_attributes(self._set_outside)
        self._restore()
        if self._set_outside is not None:
            self._set_outside.add(self.set_attributes)
        tracing.release()

    # Values ----------------------------------------------------------------------------------------------------

    def bind(self, op: Op, inputs: tuple[Tensor, ...], attributes: dict[str, Any]) -> Any:
        read = [self.read(x) for x in inputs]
        mask = 0
        for _, entry in read:
            if entry is not None:
                mask |= entry.mask
        self.origins.note_line()
        if tape_state.ignored & USER and op is not ops.STOP_GRADIENT:
            nodes = [self._in_no_grad(node, entry) for node, entry in read]
        else:
            nodes = [node for node, _ in read]
        out = self.builder.add(op, nodes, attributes)
        if mask & ~tape_state.ignored:
            return on_tape(op, attributes, nodes, [entry for _, entry in read], out, mask)
        return [Tensor(one) for one in out] if op.multiple else Tensor(out)

    def _in_no_grad(self, node: Node, entry: TapeEntry | None) -> Node:
        """The node as it is read in a block of `no_grad`."""
        may_have_gradient = entry is not None or (
            self.is_body and node.dtype.is_inexact and node.op not in (CONSTANT, ops.STOP_GRADIENT))
        return self._without_gradient(node) if may_have_gradient else node

    def constant(self, data: ArrayLike, dtype: DType | None, *, is_shared: bool = False) -> Tensor:
        return Tensor(self.builder.constant(to_array(data, dtype) if is_shared else to_own_array(data, dtype)))

    def wrap(self, raw: Data, entry: TapeEntry | None) -> Tensor:
        return Tensor(raw, entry)

    def capture(self, x: Tensor) -> Tensor:
        return Tensor(*self.read(x))

    def trace(self, function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
        return trace_function(function, types)

    def rebind(self, handle: Tensor, value: Tensor) -> None:
        self.before_change(handle)
        raw, entry = self.read(value)
        if tape_state.ignored & USER and entry is None:
            raw = self._in_no_grad(raw, entry)
        rebind_all((handle,), (raw,), (entry,))

    # Devices ---------------------------------------------------------------------------------------------------

    @property
    def device(self) -> Device | Mesh:
        """Where what is traced will run."""
        return self.program_device.device or CPU

    def to_device(self, x: Tensor, where: DeviceLike | None) -> Tensor:
        """`x` itself, as a program runs on one device, which is noted. What a layout divides stands in the graph."""
        if where is None:
            return x
        where = resolve(where)
        self.program_device.require(where)
        return self.bind(ops.PLACE, (x,), {"where": where}) if isinstance(where, Layout) and where.spec else x

    def device_of(self, x: Tensor) -> Device | Layout | None:
        return None if isinstance(x.raw, Node) else device_of(x.raw)

    # Where nodes come from -------------------------------------------------------------------------------------

    def enter_backward(self, node: TapeNode | Leaf | None) -> None:
        if isinstance(node, Leaf):
            leaf, handle = node, node.handle  # another leaf belongs to it after it was frozen for a time
            read = partial(hooks_of, leaf) if handle is None else partial(hooks_of_tensor, handle)
            self.depend_on(read, "the gradient hooks of a tensor")
        self.origins.enter_backward(node)

    def enter_replay(self, node: Node | None) -> None:
        self.origins.enter_replay(node)


def trace_function(function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
    """The graph of a function whose results are flat lists or nested containers of tensors."""
    with Trace(is_body=True) as trace:
        parameters = [trace.builder.parameter(type_) for type_ in types]
        leaves, structure = flatten(function(*[Tensor(node) for node in parameters]))
        outputs = [trace.read(x if isinstance(x, Tensor) else trace.constant(x, None))[0] for x in leaves]
        assigned = settle(trace)
        changes = trace.changes()
        if not all(trace.keeps_gradient(change) for change in changes):
            raise TraceError("backward() inside the body of a loop left gradients behind",
                             expected="`.grad` as it was before",
                             fix="use tz.grad in the body, or set the gradients to None at its end")
    trace.pass_guards_on()
    captured = list(trace.captured.values())
    rebound = [(change.handle, change.raw) for change in changes if change.raw is not None]
    graph = Graph(parameters + [capture.node for capture in captured], outputs + [node for _, node in rebound])
    return Traced(graph, [capture.handle for capture in captured], [handle for handle, _ in rebound], structure,
                  assigned)
