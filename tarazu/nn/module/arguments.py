"""The arguments that a module was made with: a saved model is made again from them, and the printed tree shows them."""

from __future__ import annotations

import functools
from dis import opmap
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
    """The arguments of the constructor of one of Tarazu's layers that it does not keep as attributes of their names.

    An attribute of that name would be set in vain.
    """
    arguments = frozenset([name for name in _parameters_of(kind) if not hasattr(kind, name)])
    methods = [value.__code__ for base in kind.__mro__ for value in vars(base).values()
               if isinstance(value, FunctionType)]
    return arguments.difference(*[_attributes_set_by(code) for code in methods if arguments & {*code.co_names}])


def _parameters_of(kind: Any) -> tuple[str, ...]:
    """The parameters of the constructor of one of Tarazu's layers, those that are given by position first."""
    code = getattr(kind.__init__, "__code__", None)
    if not kind.__module__.startswith("tarazu.") or code is None:
        return ()
    return code.co_varnames[1:code.co_argcount + code.co_kwonlyargcount]


def _attributes_set_by(code: CodeType) -> set[str]:
    """The names of the attributes that a function sets, of whatever object: arguments of STORE_ATTR."""
    found, high = set(), 0
    for operation, low in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        number = high << 8 | low
        if operation == opmap["STORE_ATTR"]:
            found.add(code.co_names[number])
        high = number if operation == opmap["EXTENDED_ARG"] else 0
    return found


def current(module: object, args: tuple, kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that one of Tarazu's layers was made with; numbers and text as attributes of their names are now.
    """
    names = _parameters_of(type(module))

    def now(name: str, value: Any) -> Any:
        kept = getattr(module, name, value) if name in names and isinstance(value, int | float | str) else value
        return kept if isinstance(kept, int | float | str) else value

    more = args[len(names):]
    return [*map(now, names, args), *more], {name: now(name, value) for name, value in kwargs.items()}
