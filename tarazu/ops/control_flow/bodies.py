"""What composites, loops and branches do with a function: trace it, and change the outside tensors that it changes.

Tensors that a traced function reads from outside become inputs of the graph; those that it changes in place (a random
state, running means) become outputs too, and `bind_with_changes` gives them their new values after the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tarazu.base.errors import TraceError
from tarazu.base.pytree import Structure, flatten
from tarazu.ir import op as ops
from tarazu.ir.interpreter import Assigned, Traced, Value, bind, state
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


class Changes(NamedTuple):
    """What the bodies of an operation change outside."""

    handles: Sequence[Value]
    assigned: Sequence[Assigned]

    @classmethod
    def of(cls, *bodies: Traced) -> Changes:
        """Those of all bodies, each once, in their order."""
        handles: list[Value] = []
        for one in bodies:
            handles += without(one.rebound, handles)
        return cls(handles, [*{(id(a.owner), a.name): a for one in bodies for a in one.assigned}.values()])


def bind_with_changes(op: Op, inputs: Sequence[Value], changes: Changes, first: int, **attributes: Any) -> list[Tensor]:
    """The results of an operation with bodies, but for those from `first` on that are new values of outside tensors.

    The tensors that change, and attributes that are assigned, get these. Gradients are recorded for one only where they
    can flow back through it. TraceError for an attribute that is first assigned in a branch, or in a loop that may have
    read it before.
    """
    for one in changes.assigned:
        if not one.had_value and op is not ops.CALL and (one.was_read or op is ops.COND):
            raise _first_assigned(one)
    count = len(changes.handles)
    out = bind(op, *inputs, **attributes)
    new = out[first:first + count]
    if any(x.tape_entry is not None for x in new):
        flags = differentiable_results(op, [x.tape_entry is not None for x in inputs], attributes) or ()
        new = [x if flag else state.interpreter.wrap(x.raw, None) for x, flag in zip(new, flags[first:], strict=False)]
    values = dict(zip(map(id, changes.handles), new, strict=True))
    stand_ins = {id(x) for one in changes.assigned for x in one.stand_ins}
    for handle in changes.handles:
        if id(handle) not in stand_ins:
            state.interpreter.rebind(handle, values[id(handle)])
    for one in changes.assigned:
        one.assign(values)
    return [*out[:first], *out[first + count:]]


def _first_assigned(one: Assigned) -> TraceError:
    kind = type(one.owner).__name__
    return TraceError(f"a loop or branch assigns a tensor to the attribute {one.name} of {kind}, which held none of "
                      "its shape and dtype, or one that another attribute holds too",
                      expected="an attribute that keeps its shape and dtype, as each step may be the first or the last",
                      fix=f"give it a tensor before, self.{one.name} = tz.zeros(...), or return the value")


def without(values: Sequence[Value], handles: Sequence[Value]) -> list[Value]:
    """The values that are none of the handles themselves; they may be equal to some."""
    known = set(map(id, handles))
    return [x for x in values if id(x) not in known]
