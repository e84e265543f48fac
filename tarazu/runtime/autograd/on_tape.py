"""Results of primitives as tensors on the gradient tape: what both interpreters record for gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tarazu.ir import op as ops
from tarazu.ir.op import Op
from tarazu.ir.types import Data
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.transform.gradient.rules import NOT_DIFFERENTIABLE
from tarazu.transform.gradient.tape import TapeEntry, TapeNode


def on_tape(op: Op, attributes: dict[str, Any], inputs: Sequence[Data], entries: Sequence[TapeEntry | None], out: Any,
            mask: int) -> Any:
    """The result of a primitive, or the list of several, with tape entries where a gradient can flow.

    `out` are the data of the results, `entries` and `mask` the tape entries of the inputs and all their mask bits.
    """
    if op in NOT_DIFFERENTIABLE or (op is ops.CAST and not attributes["dtype"].is_inexact):
        return [Tensor(one) for one in out] if op.multiple else Tensor(out)
    if not op.multiple:
        return Tensor(out, TapeNode(op, attributes, inputs, entries, (out,), mask))
    node = TapeNode(op, attributes, inputs, entries, tuple(out), mask)
    results = [Tensor(one) for one in out]
    for i, one in enumerate(results):
        if one.dtype.is_inexact:
            one.tape_entry = node.tape_entry_of(i)
    return results
