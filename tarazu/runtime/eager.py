"""The interpreter that computes: every primitive runs at once, and what a gradient may need is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.backend.numpy.program import KERNELS
from tarazu.base.dtypes import DType
from tarazu.base.errors import OutOfRangeError, TarazuError, TraceError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph, Node, infer
from tarazu.ir.interpreter import Traced
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType
from tarazu.runtime.compile import compile_graph
from tarazu.runtime.tensor import Tensor, to_array
from tarazu.transform.tape import Leaf, TapeNode, tape_state
from tarazu.transform.vjp_rules import NOT_DIFFERENTIABLE

_Array = np.ndarray
_EXACT = frozenset({"shape", "control", "sort", "random"})  # categories whose kernels raise no floating-point warning


def _quiet(kernel: Callable[..., Any]) -> Callable[..., Any]:
    return np.errstate(all="ignore")(kernel)


def _call(*raws: Any, label: str, body: Graph) -> list[np.ndarray]:
    return compile_graph(body)(*raws)


_KERNELS = {op: kernel if op.category in _EXACT else _quiet(kernel) for op, kernel in KERNELS.items()} | {ops.CALL: _call}


class Eager:
    """Runs primitives in NumPy. It has no state, so one serves all threads."""

    def bind(self, op: Op, inputs: tuple[Tensor, ...], attributes: dict[str, Any]) -> Any:
        mask = 0
        raws = []
        for x in inputs:
            raws.append(x.raw)
            link = x.link
            if link is not None:
                mask |= link.mask
        try:
            out = _KERNELS[op](*raws, **attributes)
        except Exception as error:
            raise _explain(op, raws, attributes, error) from error
        if op.multiple:
            return _record_several(op, attributes, raws, inputs, [np.asarray(one) for one in out], mask)
        if out.__class__ is not _Array:
            out = np.asarray(out)
        if not mask & ~tape_state.ignored or not is_recorded(op, attributes):
            return Tensor(out)
        return Tensor(out, TapeNode(op, attributes, raws, [x.link for x in inputs], (out,), mask))

    def lift(self, data: Any, dtype: DType | None) -> Tensor:
        return Tensor(to_array(data, dtype))

    def wrap(self, raw: Any, link: Any) -> Tensor:
        return Tensor(raw, link)

    def trace(self, function: Callable[..., Any], types: Sequence[TensorType]) -> Traced:
        from tarazu.runtime.trace import trace_function

        return trace_function(function, types)

    def rebind(self, handle: Tensor, value: Tensor) -> None:
        handle.raw = value.raw
        if not isinstance(handle.link, Leaf):
            handle.link = value.link

    def before_change(self, handle: Tensor) -> None:
        """Eager changes need no book-keeping."""

    def before_grad_read(self, handle: Tensor) -> None:
        """Nor do reads of a gradient."""

    def depend_on(self, read: Callable[[], Any]) -> Any:
        return read()


def is_recorded(op: Op, attributes: dict[str, Any]) -> bool:
    """Whether a gradient can flow through the primitive."""
    if op in NOT_DIFFERENTIABLE:
        return False
    return op is not ops.CAST or attributes["dtype"].is_differentiable


def record(op: Op, attributes: dict[str, Any], raws: Any, links: Any, outs: list[Any], mask: int) -> list[Tensor]:
    """The results of a primitive with several, with links where a gradient can flow."""
    node = TapeNode(op, attributes, raws, links, tuple(outs), mask)
    tensors = [Tensor(out) for out in outs]
    for i, one in enumerate(tensors):
        if one.dtype.is_differentiable:
            one.link = node.link_of(i)
    return tensors


def _record_several(op: Op, attributes: dict[str, Any], raws: Any, inputs: Any, outs: list[Any], mask: int) -> list[Tensor]:
    if mask & ~tape_state.ignored:
        return record(op, attributes, raws, [x.link for x in inputs], outs, mask)
    return [Tensor(out) for out in outs]


def _explain(op: Op, raws: list[Any], attributes: dict[str, Any], error: Exception) -> Exception:
    """The error to show for a kernel that failed: that of the type rule where one is violated."""
    if isinstance(error, TarazuError):
        return error
    if any(isinstance(raw, Node) for raw in raws):
        return TraceError(f"{op.name}: a traced tensor was used after its trace had ended, or outside it",
                          expected="tensors from inside a traced function to leave it as results only",
                          fix="return the tensor from the function instead of storing it")
    try:
        infer(op, [TensorType(raw.shape, Tensor(raw).dtype) for raw in raws], attributes)
    except TarazuError as explained:
        return explained
    if isinstance(error, IndexError):
        return OutOfRangeError(f"{op.name}: {error}", expected="indices from -size to size - 1 of the axis",
                               fix="check the largest index, for example labels against the number of classes")
    return error
