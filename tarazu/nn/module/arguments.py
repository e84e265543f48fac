"""The arguments that a module was made with: a saved model is made again from them, and the printed tree shows them."""

from __future__ import annotations

import functools
from types import CodeType, FunctionType
from typing import Any

MOST_SHOWN = 12  # items of a list that the printed tree shows


def with_own_containers(value: Any) -> Any:  # an argument of any kind
    """`value` with copies of its lists, tuples and dicts, so that later changes of these do not change it."""
    if type(value) in (list, tuple):
        return type(value)([with_own_containers(item) for item in value])
    if type(value) is dict:
        return {key: with_own_containers(item) for key, item in value.items()}
    return value


def short_text(value: object) -> str:
    """An argument as the printed tree shows it: functions by their names, tensors by their shapes, and long
    lists by their length.
    """
    if isinstance(value, list | tuple | dict) and len(value) > MOST_SHOWN:
        return f"<{type(value).__name__} of {len(value):,}>"
    shape = getattr(value, "shape", ())
    if shape:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    return getattr(value, "__name__", None) or repr(value)


@functools.cache
def unread_arguments(kind: Any) -> frozenset[str]:
    """The arguments of the constructor of one of Tarazu's layers that no attribute of it is named after.

    An attribute of that name would be set in vain.
    """
    code = getattr(kind.__init__, "__code__", None)
    if not kind.__module__.startswith("tarazu.") or code is None:
        return frozenset()
    arguments = code.co_varnames[1:code.co_argcount + code.co_kwonlyargcount]
    known = {name for base in kind.__mro__ for value in vars(base).values() for name in _names_in(value)}
    return frozenset([name for name in arguments if name not in known and not hasattr(kind, name)])


def _names_in(value: object) -> set[str]:
    """The names of attributes, globals and methods in a function, or in those of a property."""
    if isinstance(value, property):
        return _names_in(value.fget) | _names_in(value.fset)
    value = getattr(value, "__func__", value)  # of a class method
    return _names_of_code(value.__code__) if isinstance(value, FunctionType) else set()


def _names_of_code(code: CodeType) -> set[str]:
    inner = [_names_of_code(one) for one in code.co_consts if isinstance(one, CodeType)]
    return {*code.co_names}.union(*inner)
