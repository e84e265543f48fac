"""The interpreter that computes: every primitive runs at once, and what a gradient may need is recorded."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias, cast

import numpy as np

from tarazu.backend.base import Program, Renewed
from tarazu.backend.numpy.program import KERNELS
from tarazu.backend.numpy.quiet import give_back, quiet_context
from tarazu.base.device import CPU, Device, Layout, Mesh, default
from tarazu.base.dtypes import DType, as_dtype
from tarazu.base.errors import TarazuError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced
from tarazu.ir.node import Builder, Node, Symbolic, infer, leaked
from tarazu.ir.op import Op
from tarazu.ir.types import Data, Shape, TensorType
from tarazu.ops.typing import ArrayLike, DeviceLike
from tarazu.runtime.autograd.on_tape import on_tape
from tarazu.runtime.compile import compile_graph, compile_jitted
from tarazu.runtime.device import common_device_of, device_of, put, resolve, xla
from tarazu.runtime.tensor.creation import to_array, to_own_array
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.tiered import program_of
from tarazu.runtime.trace.trace import trace_function
from tarazu.runtime.trace_lock import rebind_all, wait_for_trace
from tarazu.transform.gradient.tape import USER, Leaf, TapeEntry, TapeNode, tape_state

_Array = np.ndarray  # found faster than an attribute of a module
_EVERY_KIND = "biufcV"
_EXACT = frozenset({"shape", "control", "sort", "random"})  # categories whose kernels raise no floating-point warning

# NumPy takes more than the type rules do. It orders complex numbers and shifts booleans:
_REAL_ONLY = frozenset({
    ops.LESS, ops.LESS_EQUAL, ops.GREATER, ops.GREATER_EQUAL, ops.MAXIMUM, ops.MINIMUM, ops.MAX, ops.MIN,
    ops.ARGMAX, ops.ARGMIN, ops.SORT, ops.SIGMOID, ops.ERF, ops.LGAMMA, ops.POLYGAMMA, ops.SHIFT_LEFT, ops.SHIFT_RIGHT})
# It broadcasts updates and padding, lets a carry change its type, and decomposes matrices of integers:
_ALWAYS_CHECKED = frozenset({ops.SCAN, ops.WHILE, ops.SCATTER_ADD, ops.SCATTER_SET, ops.PAD, ops.BITCAST, ops.CONV,
                             ops.COND}) | {op for op in KERNELS if op.category == "linalg"}


Run: TypeAlias = Callable[[Sequence[Data], dict[str, Any]], Any]  # of arrays and attributes: an array, or a list


def _eager_kernel(op: Op, kernel: Callable[..., Any]) -> Run:
    run = (_exact if op.category in _EXACT else _quiet)(kernel, op.multiple)
    return _checked(op, run) if op in _REAL_ONLY | _ALWAYS_CHECKED else run


def _exact(kernel: Callable[..., Any], multiple: bool) -> Run:
    def run(raws: Sequence[Data], attributes: dict[str, Any]) -> Any:
        out = kernel(*raws, **attributes)
        return out if out.__class__ is _Array else [np.asarray(one) for one in out] if multiple else np.asarray(out)
    return run


def _quiet(kernel: Callable[..., Any], multiple: bool) -> Run:
    """As `_exact`, without NumPy's warnings."""
    def run(raws: Sequence[Data], attributes: dict[str, Any]) -> Any:
        context = quiet_context()
        out = context.run(kernel, *raws, **attributes)
        give_back(context)
        return out if out.__class__ is _Array else [np.asarray(one) for one in out] if multiple else np.asarray(out)
    return run


def _checked(op: Op, kernel: Run) -> Run:
    """The kernel behind the type rule, which is not run for all primitives, as it takes longer than small kernels."""
    kinds = _EVERY_KIND if op in _ALWAYS_CHECKED else "cb"

    def run(raws: Sequence[Data], attributes: dict[str, Any]) -> Any:
        if raws[0].dtype.kind in kinds:
            infer(op, _types(raws), attributes)
        return kernel(raws, attributes)
    return run


def _types(raws: Sequence[Data]) -> list[TensorType]:
    return [TensorType(raw.shape, Tensor(raw).dtype) for raw in raws]


def _call(raws: Sequence[Data], attributes: dict[str, Any]) -> list[np.ndarray]:
    return program_of(attributes["body"], attributes["label"])(*raws)


def _compiled_if_often(op: Op) -> Run:
    """The kernel of a primitive that NumPy is slow at, compiled where the same shapes come often."""
    def run(raws: Sequence[Data], attributes: dict[str, Any]) -> Any:
        types = tuple([(x.shape, x.dtype) for x in raws])
        out = program_of(_graph_of(op, types, tuple(attributes.items())), op.name)(*raws)
        return out if op.multiple else out[0]
    return run


@functools.lru_cache(maxsize=1024)
def _graph_of(op: Op, types: tuple[tuple[Shape, np.dtype], ...], attributes: tuple[tuple[str, Any], ...]) -> Graph:
    """The graph of one primitive; it raises what the type rule raises."""
    builder = Builder()
    parameters = [builder.parameter(TensorType(shape, as_dtype(dtype))) for shape, dtype in types]
    out = builder.add(op, parameters, dict(attributes))
    return Graph(parameters, out if op.multiple else (out,))


_ONE_THREAD = 2**18  # pairs of numbers that a product multiplies, up to which OpenBLAS takes one thread


def _product() -> Run:
    """The kernel of products. OpenBLAS divides large ones among threads of its own, which look for more work for some
    30 ms afterwards: native programs would have to share their cores with them, so products are compiled too."""
    small, large = _eager_kernel(ops.DOT, KERNELS[ops.DOT]), _compiled_if_often(ops.DOT)

    def run(raws: Sequence[Data], attributes: dict[str, Any]) -> Any:
        first, second = cast("Sequence[np.ndarray]", raws)  # what is on other devices does not come here
        pairs = first.size * second.size
        if pairs > _ONE_THREAD and first.dtype.kind != "c":
            repeated = math.prod([first.shape[i] for axes in attributes.values() for i in axes[0]])
            if pairs > _ONE_THREAD * repeated:
                return large(raws, attributes)
        return small(raws, attributes)
    return run


_OFTEN_COMPILED = (ops.CONV, ops.SCAN)
_KERNELS = {op: _eager_kernel(op, kernel) for op, kernel in KERNELS.items() if op is not ops.PLACE} | {
    ops.CALL: _call, ops.DOT: _product(), **{op: _compiled_if_often(op) for op in _OFTEN_COMPILED}}


def _on_other_devices(op: Op, raws: Sequence[Data], attributes: dict[str, Any]) -> Any:
    """The result of a primitive of which an input is not on the plain CPU, or that puts its input on a device."""
    if any(isinstance(raw, Node) for raw in raws):
        raise leaked()
    infer(op, _types(raws), attributes)
    if op is ops.PLACE:
        return put(raws[0], attributes["where"])
    common_device_of(raws)  # an error where there is none
    if op is ops.CALL:
        return compile_graph(attributes["body"], "xla")(*raws)
    return xla().primitive(op, attributes)(*raws)


def _no_kernel(raws: Sequence[Data], attributes: dict[str, Any]) -> Any:
    """Stands for the kernel of what does not run in NumPy."""


class Eager:
    """Runs primitives in NumPy. It has no state, so one serves all threads."""

    origins, is_tracing, compiles_often = None, False, True
    notes_lines = False  # whether the user's line is noted with each operation, as `debug_nans` has it

    def compile(self, graph: Graph, device: Device | Mesh | None, renewed: Renewed = ()) -> Program:
        """What a jitted function runs on that device; None is the plain CPU. The state that is `renewed` may be written
        in place."""
        return compile_jitted(graph, renewed) if device is None else compile_graph(graph, "xla", device)

    # Values ----------------------------------------------------------------------------------------------------

    def bind(self, op: Op, inputs: tuple[Tensor, ...], attributes: dict[str, Any]) -> Any:
        mask = 0
        raws = []
        run = _KERNELS.get(op, _no_kernel)
        is_plain = run is not _no_kernel
        for x in inputs:
            raws.append(raw := x.raw)
            if raw.__class__ is not _Array:
                is_plain = False
            entry = x.tape_entry
            if entry is not None:
                mask |= entry.mask
        if not is_plain:
            for raw in raws:
                if isinstance(raw, Symbolic):
                    return raw.bind(op, inputs, attributes)
        try:
            out = run(raws, attributes) if is_plain else _on_other_devices(op, raws, attributes)
        except Exception as error:
            if _were_traced(raws, inputs):
                return self.bind(op, inputs, attributes)
            if isinstance(error, TarazuError):
                raise
            raise _explain(op, raws, attributes, error) from error
        if mask and mask & ~tape_state.ignored:
            return on_tape(op, attributes, raws, [x.tape_entry for x in inputs], out, mask)
        if op.multiple:
            return [Tensor(out[0])] if len(out) == 1 else [*map(Tensor, out)]
        return Tensor(out)

    def constant(self, data: ArrayLike, dtype: DType | None, *, is_shared: bool = False) -> Tensor:
        if dtype is not None and (data.__class__ is int or (data.__class__ is float and data != 0)):
            return Tensor(_number(data, dtype))  # the usual case
        return Tensor(to_array(data, dtype) if is_shared or tape_state.ignored & USER else to_own_array(data, dtype))

    def wrap(self, raw: Data, entry: TapeEntry | None) -> Tensor:
        return Tensor(raw, entry)

    def capture(self, x: Tensor) -> Tensor:
        return x

    def trace(self, function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
        return trace_function(function, types)

    def rebind(self, handle: Tensor, value: Tensor) -> None:
        rebind_all((handle,), (value.raw,), (value.tape_entry,))

    def outside(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    # Devices ---------------------------------------------------------------------------------------------------

    def to_device(self, x: Tensor, where: DeviceLike | None) -> Tensor:
        if where is None and default() is CPU:
            return x
        where = resolve(where)
        return x if where == device_of(wait_for_trace(x)) else self.bind(ops.PLACE, (x,), {"where": where})

    def device_of(self, x: Tensor) -> Device | Layout:
        return device_of(wait_for_trace(x))

    # What a trace has to know, and eager work need not ----------------------------------------------------------

    def before_change(self, handle: Tensor) -> None:
        pass

    def before_grad_read(self, handle: Tensor) -> None:
        pass

    def before_grad_change(self, handle: Tensor) -> None:
        pass

    def before_tracking_read(self, handle: Tensor) -> None:
        pass

    def depend_on(self, read: Callable[[], Any], what: str = "") -> Any:
        return read()

    def substitute(self, handles: Sequence[Tensor], values: Sequence[Tensor]) -> AbstractContextManager[None]:
        """A block that does nothing: the handles hold the values themselves."""
        return contextlib.nullcontext()

    def enter_backward(self, node: TapeNode | Leaf | None) -> None:
        pass

    def enter_replay(self, node: Node | None) -> None:
        pass


@functools.lru_cache(maxsize=1024, typed=True)
def _number(data: float, dtype: DType) -> np.ndarray:
    """The array of a number; not of 0.0, which equals -0.0."""
    return to_array(data, dtype)


def _were_traced(raws: Sequence[Data], inputs: Sequence[Tensor]) -> bool:
    """Whether inputs held nodes because another thread traced, and hold arrays now that it is done."""
    return any(isinstance(raw, Node) for raw in raws) and not any(isinstance(wait_for_trace(x), Node) for x in inputs)


def _explain(op: Op, raws: Sequence[Data], attributes: dict[str, Any], error: Exception) -> Exception:
    """The error to show for a kernel that failed: that of the type rule where one is violated."""
    if any(isinstance(raw, Node) for raw in raws):
        return leaked()
    try:
        infer(op, _types(raws), attributes)
    except TarazuError as explained:
        return explained
    return error
