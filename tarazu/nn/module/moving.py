"""Moving the tensors of a module to a device or to the devices of a mesh, whole or divided by patterns of paths; and
casting them to another dtype."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from tarazu.base.device import Device, Layout, Mesh, MeshAxes
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import DTypeError, TraceError
from tarazu.base.state_dicts import by_patterns
from tarazu.ir.interpreter import state as interpreter_state
from tarazu.ops.elementwise import astype
from tarazu.ops.placement import layout
from tarazu.ops.typing import DTypeLike
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.device import move, put
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import replace_data

NamedTensors: TypeAlias = Sequence[tuple[str, Tensor]]
ShardSpec: TypeAlias = str | Iterable[MeshAxes]  # for each axis of a tensor the mesh axes that divide it
Target: TypeAlias = Device | Layout


def layouts(tensors: NamedTensors, mesh: Mesh, specs: Mapping[str, ShardSpec]) -> list[Layout]:
    """Of each tensor the layout of the first pattern that its path matches; without one it is whole on each device.

    ArgumentError for a pattern that matches no path.
    """
    chosen = by_patterns(specs, [path for path, _ in tensors])
    return [layout(x.shape, mesh, matching[0] if matching else ())
            for (_, x), matching in zip(tensors, chosen, strict=True)]


def move_tensors(tensors: NamedTensors, targets: Sequence[Target]) -> None:
    """Move each tensor to its target; where one of them cannot be moved, none is. TraceError inside a trace."""
    _require_no_trace("moved", "to")
    moves = [(x, target) for (_, x), target in zip(tensors, targets, strict=True)]
    arrays = [put(x.raw, target) for x, target in moves]  # all of them, or an error before any is changed
    for (x, target), array in zip(moves, arrays, strict=True):
        replace_data(x, array)
        move(x, target)


def cast_tensors(tensors: NamedTensors, dtype: DTypeLike) -> None:
    """Cast the float tensors to another float dtype, in place, without their gradients. TraceError inside a trace.

    DTypeError for a dtype that is no float dtype.
    """
    _require_no_trace("cast", "astype")
    wanted = as_dtype(dtype)
    if not wanted.is_float:
        raise DTypeError(f"a model in {wanted}", expected="a float dtype", fix='write for example "bfloat16"')
    with no_grad():
        arrays = [(x, astype(x, wanted).raw) for _, x in tensors if x.dtype.is_float and x.dtype is not wanted]
    for x, array in arrays:
        replace_data(x, array)
        x.grad = None


def _require_no_trace(done: str, method: str) -> None:
    if interpreter_state.interpreter.is_tracing:
        raise TraceError(f"a model that is {done} inside a traced function",
                         expected="models that stay as they are in it",
                         fix=f"do it before: model.{method}(...) outside of the function")
