"""What composites, loops and branches do with a function: trace it, and change the outside tensors that it changes.

Tensors that a traced function reads from outside become inputs of the graph; those that it changes in place (a random
state, running means) become outputs too, and `rebind` gives them their new values after the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tarazu.base.pytree import Structure, flatten
from tarazu.ir.interpreter import Traced, Value, state
from tarazu.ir.types import TensorType
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


def rebind(handles: Sequence[Value], values: Sequence[Value]) -> None:
    """Give each outside tensor that a traced function changed its new value."""
    for handle, value in zip(handles, values, strict=True):
        state.interpreter.rebind(handle, value)


def without(values: Sequence[Value], handles: Sequence[Value]) -> list[Value]:
    """The values that are none of the handles themselves; they may be equal to some."""
    known = set(map(id, handles))
    return [x for x in values if id(x) not in known]
