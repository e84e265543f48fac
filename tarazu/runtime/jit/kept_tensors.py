"""Traced tensors that a function leaves in lists and dicts around it, where they have no values once it is traced."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import FunctionType

from tarazu.base.errors import TraceWarning
from tarazu.ir.node import Node, Symbolic
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.assigned import holds_tensor
from tarazu.runtime.trace.attributes import MOST_PARTS, variables_around
from tarazu.runtime.trace.origins import frames_to_user


def warn_of_kept_tensors(function: object) -> None:
    """A TraceWarning where a list or dict holds a tensor of a trace that is over: one that the function reads as a
    variable, as functions around it do."""
    variables = {f"the variable {name}": value for name, value in _variables(function)}
    kept = [what for what, value in variables.items()
            if isinstance(value, list | dict) and holds_tensor(_is_traced, value, MOST_PARTS)]
    if kept:
        warnings.warn(f"{' and '.join(kept)} got a tensor while a function was traced: it has no values afterwards, "
                      "and later calls of the compiled function add none; return the tensor, or change a tensor in "
                      "place: x.copy_(new)", TraceWarning, stacklevel=frames_to_user())


def _is_traced(x: Tensor) -> bool:
    return isinstance(x.raw, Node) and not isinstance(x.raw, Symbolic)


def _variables(function: object) -> Iterator[tuple[str, object]]:
    """The variables around the function, and around the functions among them."""
    pending, seen = [function], {id(function)}
    while pending:
        for name, value in variables_around(pending.pop()):
            yield name, value
            if isinstance(value, FunctionType) and id(value) not in seen and not value.__module__.startswith("tarazu."):
                seen.add(id(value))
                pending.append(value)
