"""The names under which a function knows the tensors that it reads from outside: for drawings and messages."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tarazu.runtime.tensor.tensor import Tensor


def names_of_captured(function: Callable[..., Any], args: Iterable[object] = ()) -> dict[int, str]:
    """Names by the id of the tensor, for all tensors that `function` can reach: in the variables around it, its
    object and its arguments, and in modules and other objects there; those of a module that is called by its paths."""
    names = {} if inspect.isroutine(function) else {id(tensor): path for path, tensor in _held(function)}
    for name, value in _variables(function, args):
        if isinstance(value, Tensor):
            names.setdefault(id(value), name)
        for path, tensor in _held(value):
            names.setdefault(id(tensor), f"{name}.{path}")
    return names


def _variables(function: Callable[..., Any], args: Iterable[object]) -> Iterator[tuple[str, object]]:
    """The variables that a function can read, with their names: those around it, its arguments, and its object."""
    function = inspect.unwrap(getattr(function, "__func__", function), stop=lambda f: not hasattr(f, "__wrapped__"))
    try:
        outside = inspect.getclosurevars(function)
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return
    yield from outside.nonlocals.items()
    yield from outside.globals.items()
    yield from zip(names, args, strict=False)
    owner = getattr(function, "__self__", None)
    if owner is not None:
        yield type(owner).__name__, owner


def _held(value: object) -> list[tuple[str, Tensor]]:
    """The tensors of a module, of an optimizer, or among the attributes of any other object."""
    if isinstance(value, type | Tensor) or inspect.ismodule(value):
        return []
    for walk in ("named_tensors", "named_state"):
        if callable(getattr(value, walk, None)):
            return list(getattr(value, walk)())
    tensors = []
    for name, x in getattr(value, "__dict__", {}).items():
        if isinstance(x, Tensor):
            tensors.append((name, x))
        elif callable(getattr(x, "named_tensors", None)):
            tensors += [(f"{name}.{path}", tensor) for path, tensor in x.named_tensors()]
    return tensors
