"""What both interpreters record for gradients."""

from __future__ import annotations

from typing import Any

from tarazu.ir import op as ops
from tarazu.ir.op import Op
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.transform.gradient.rules import NOT_DIFFERENTIABLE
from tarazu.transform.gradient.tape import TapeNode


def is_recorded(op: Op, attributes: dict[str, Any]) -> bool:
    """Whether a gradient can flow through the primitive."""
    if op in NOT_DIFFERENTIABLE:
        return False
    return op is not ops.CAST or attributes["dtype"].is_inexact


def record(op: Op, attributes: dict[str, Any], raws: Any, entries: Any, outs: Any, mask: int) -> list[Tensor]:
    """The results of a primitive with several, with links where a gradient can flow."""
    node = TapeNode(op, attributes, raws, entries, tuple(outs), mask)
    tensors = [Tensor(out) for out in outs]
    for i, one in enumerate(tensors):
        if one.dtype.is_inexact:
            one.tape_entry = node.tape_entry_of(i)
    return tensors
