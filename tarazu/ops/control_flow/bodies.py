"""What composites, loops and branches do with a function: trace it, and change the outside tensors that it changes.

Tensors that a traced function reads from outside become inputs of the graph; those that it changes in place (a random
state, running means) become outputs too, and `bind_with_changes` gives them their new values after the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tarazu.base.pytree import Structure, flatten
from tarazu.ir.interpreter import Traced, Value, bind, state
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType
from tarazu.ops.control_flow.gradient_flow import differentiable_results
from tarazu.ops.promote import as_value
from tarazu.ops.typing import Tensor, Tree


def type_of(x: Value) -> TensorType:
    """The shape and dtype of a value."""
    return TensorType(tuple(x.shape), x.dtype)


def values_of(tree: Tree) -> tuple[list[Tensor], Structure]:
    """The leaves of a nested container as tensors, and its structure."""
    leaves, structure = flatten(tree)
    return [as_value(leaf) for leaf in leaves], structure


def trace_body(function: Callable[..., Any], values: Sequence[Value]) -> Traced:
    """The function traced for arguments of the types of `values`."""
    return state.interpreter.trace(function, [type_of(x) for x in values])


def bind_with_changes(op: Op, inputs: Sequence[Value], changed: Sequence[Value], first: int,
                      **attributes: Any) -> list[Tensor]:
    """The results of an operation with bodies, but for those from `first` on that are new values of outside tensors.

    The tensors that are `changed` get these. Gradients are recorded for one only where they can flow back through it.
    """
    out = bind(op, *inputs, **attributes)
    new = out[first:first + len(changed)]
    if any(x.tape_entry is not None for x in new):
        flags = differentiable_results(op, [x.tape_entry is not None for x in inputs], attributes) or ()
        new = [x if flag else state.interpreter.wrap(x.raw, None) for x, flag in zip(new, flags[first:], strict=False)]
    for handle, value in zip(changed, new, strict=True):
        state.interpreter.rebind(handle, value)
    return [*out[:first], *out[first + len(changed):]]


def without(values: Sequence[Value], handles: Sequence[Value]) -> list[Value]:
    """The values that are none of the handles themselves; they may be equal to some."""
    known = set(map(id, handles))
    return [x for x in values if id(x) not in known]
