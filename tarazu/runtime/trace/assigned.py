"""Attributes of modules that a traced function assigns tensors to: state, as the tensors that it changes in place are.

While a function is traced such an attribute would hold a node, and hold it still afterwards. So at the end of the trace
the attribute is what it was, and a *stand-in* takes part in the trace as if it had been changed in place: the tensor
that the attribute held before, where it was like the new one, else a tensor of its own. Whoever runs the graph then
assigns the value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any, Protocol

import numpy as np

from tarazu.base.pytree import flatten, parts
from tarazu.ir.interpreter import Assigned
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import is_same, was_read
from tarazu.runtime.trace.set_attributes import SetAttribute, SetAttributes
from tarazu.transform.gradient.tape import Leaf


class Owner(Protocol):
    """What knows which tensors belong to a trace."""

    def is_from_inside(self, handle: Tensor) -> bool: ...


class AssigningTrace(Owner, Protocol):
    """What `settle` asks a trace for."""

    set_attributes: SetAttributes

    def capture(self, x: Tensor) -> Tensor: ...
    def rebind(self, handle: Tensor, value: Tensor) -> None: ...


def settle(trace: AssigningTrace) -> list[Assigned]:
    """What the trace assigned, with stand-ins that hold the values; the attributes are what they were before.

    What it put into a list or dict in place counts as if it had assigned a new one.
    """
    for owner, name, value in trace.set_attributes.take_contents(partial(holds_tensor, trace.is_from_inside)):
        setattr(owner, name, value)
    traced = [one for one in trace.set_attributes if holds_tensor(trace.is_from_inside, one.now)]
    stand_ins: dict[int, Tensor] = {}
    found = [(one, _assigned(trace, one, stand_ins)) for one in traced]
    found += [(one, _assigned(trace, one, stand_ins)) for one in trace.set_attributes  # self.before = self.now, where
              if one not in traced and _took_over(one, stand_ins)]  # self.now then got another value
    values = [[trace.capture(x) for x in _new_tensors(one)] for one, _ in found]
    for (one, assigned), new in zip(found, values, strict=True):
        for handle, value in zip(assigned.stand_ins, new, strict=True):
            trace.rebind(handle, value)
        one.restore()
    return [assigned for _, assigned in found]


def holds_tensor(is_one: Callable[[Tensor], bool], value: object, most: int | None = None) -> bool:
    """Whether a value is, or holds in lists, tuples and dicts, a tensor of that kind; `most` is how many of its parts
    are looked at."""
    return any(isinstance(x, Tensor) and is_one(x) for x in islice(parts(value), most))


def _took_over(one: SetAttribute, stand_ins: dict[int, Tensor]) -> bool:
    """Whether an attribute was set to what another one held before."""
    return one.now is not one.before and any(id(x) in stand_ins for x in flatten(one.now)[0])


def _assigned(trace: AssigningTrace, one: SetAttribute, stand_ins: dict[int, Tensor]) -> Assigned:
    """The assignment, by the tensors that were there before where they are like the new ones."""
    leaves, structure = flatten(one.now)
    old, old_structure = flatten(one.before)
    stayed = _stayed(one)
    had_value = structure == old_structure and all(
        before is now if id(now) in stayed else _is_like(trace, one, before, now, stand_ins)
        for before, now in zip(old, leaves, strict=True))
    if not had_value:
        old = [_placeholder(x) if isinstance(x, Tensor) and id(x) not in stayed else x for x in leaves]
    own = [x for x in old if isinstance(x, Tensor) and id(x) not in stayed]
    stand_ins.update({id(x): x for x in own})
    return Assigned(one.owner, one.name, structure, tuple(old), tuple(own), had_value, was_read(one.owner, one.name),
                    one.before if had_value else structure.rebuild(old))


def _new_tensors(one: SetAttribute) -> list[Tensor]:
    """The tensors in it, but for parameters that were there before: in the order of their stand-ins."""
    stayed = _stayed(one)
    return [x for x in flatten(one.now)[0] if isinstance(x, Tensor) and id(x) not in stayed]


def _stayed(one: SetAttribute) -> set[int]:
    """The ids of the parameters in it that were there before: no stand-ins, as changes of them are changes in place."""
    before = {id(x) for x in flatten(one.before)[0] if isinstance(x, Tensor) and isinstance(x.tape_entry, Leaf)}
    return before & set(map(id, flatten(one.now)[0]))


def _is_like(trace: AssigningTrace, one: SetAttribute, before: Any, now: Any, stand_ins: dict[int, Tensor]) -> bool:
    """Whether what was in the attribute can stand in for what is there now, and nothing else reads it there."""
    if not isinstance(now, Tensor):
        return is_same(before, now)
    return (isinstance(before, Tensor) and before.shape == now.shape and before.dtype is now.dtype
            and not trace.is_from_inside(before) and not isinstance(before.tape_entry, Leaf)
            and id(before) not in stand_ins and not trace.set_attributes.was_shared(one, before))


def _placeholder(x: Tensor) -> Tensor:
    """A tensor of the shape and dtype of `x` without memory for its numbers, which nothing reads."""
    return Tensor(np.broadcast_to(np.zeros((), x.dtype.numpy), x.shape))
