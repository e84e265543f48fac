"""Type rules of calls, loops and branches, whose bodies are graphs among their attributes."""

from __future__ import annotations

from tarazu.base import dtypes
from tarazu.base.errors import ShapeError, TraceError
from tarazu.ir.types import CallGradient, Signature, TensorType


def require_types(name: str, what: str, types: tuple[TensorType, ...], wanted: tuple[TensorType, ...]) -> None:
    if types != wanted:
        raise TraceError(f"{name}: {what} of types ({', '.join(map(str, types))})",
                         expected=f"({', '.join(map(str, wanted))})",
                         fix="what goes round a loop keeps its shapes and dtypes: cast or broadcast it")


def call(name: str, *types: TensorType, label: str, body: Signature,
         gradient: CallGradient | None = None) -> tuple[TensorType, ...]:
    require_types(label, "inputs", types, body.input_types)
    return body.output_types


def scan(name: str, *types: TensorType, body: Signature, length: int, reverse: bool, constants: int,
         carries: int) -> tuple[TensorType, ...]:
    consts, carry, sequences = types[:constants], types[constants:constants + carries], types[constants + carries:]
    for sequence in sequences:
        if sequence.shape[:1] != (length,):
            raise ShapeError(f"{name}: a sequence of shape {sequence.shape} in a scan of length {length}",
                             expected=f"a first axis of size {length}", fix="scan over tensors of one length")
    rows = tuple(TensorType(t.shape[1:], t.dtype) for t in sequences)
    require_types(name, "inputs of the body", consts + carry + rows, body.input_types)
    require_types(name, "a carry after one step", body.output_types[:carries], carry)
    return carry + tuple(TensorType((length, *t.shape), t.dtype) for t in body.output_types[carries:])


def cond(name: str, predicate: TensorType, *types: TensorType, on_true: Signature,
         on_false: Signature) -> tuple[TensorType, ...]:
    require_types(name, "the predicate", (predicate,), (TensorType((), dtypes.bool_),))
    require_types(name, "inputs of the true branch", types, on_true.input_types)
    require_types(name, "inputs of the false branch", types, on_false.input_types)
    require_types(name, "results of the false branch", on_false.output_types, on_true.output_types)
    return on_true.output_types


def barrier(name: str, *types: TensorType) -> tuple[TensorType, ...]:
    return types


def while_(name: str, *types: TensorType, condition: Signature, body: Signature, condition_constants: int,
           body_constants: int, bound: int | None = None) -> tuple[TensorType, ...]:
    start = condition_constants + body_constants
    carry = types[start:]
    require_types(name, "inputs of the condition", types[:condition_constants] + carry, condition.input_types)
    require_types(name, "inputs of the body", types[condition_constants:start] + carry, body.input_types)
    require_types(name, "the condition", condition.output_types, (TensorType((), dtypes.bool_),))
    require_types(name, "a carry after one step", body.output_types, carry)
    return carry
