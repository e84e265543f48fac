"""Errors for names that are not there: attributes of modules and objects, keyword arguments of classes and methods."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from types import CodeType, ModuleType
from typing import Any, NoReturn, ParamSpec, TypeVar

from tarazu.base.spelling import did_you_mean

P = ParamSpec("P")
R = TypeVar("R")
HAS_KEYWORDS, HAS_POSITIONAL = 0x08, 0x04  # flags of code with **options, with *arguments
initializer_of = attrgetter("__init__")  # which mypy lets no one read of a class
PARTS = ("", "nn", "optim", "data", "train", "random", "linalg", "fft", "nn.init", "data.augment", "tabular")


class MissingAttribute(AttributeError):
    """An attribute that a module lacks; the text says what stands for it in Tarazu.

    The text is made when it is read, as `hasattr` never reads it.

    >>> print(MissingAttribute("tarazu.nn", "ModuleList"))
    module 'tarazu.nn' has no attribute 'ModuleList'; torch's ModuleList is a plain list as attribute
    """

    def __init__(self, module: str, name: str) -> None:
        super().__init__(module, name, name=None, obj=None)  # else tracebacks of Python 3.12 add a guess of their own

    def __str__(self) -> str:
        module, name = self.args
        hint = "" if name.startswith("_") else _attribute_hint(module, name)
        return f"module {module!r} has no attribute {name!r}{hint}"

    def __reduce__(self) -> tuple[type[AttributeError], tuple[str]]:
        return AttributeError, (str(self),)


MissingAttribute.__qualname__ = MissingAttribute.__name__ = "AttributeError"  # what a traceback shows
MissingAttribute.__module__ = "builtins"


def no_attributes_beside(module: str) -> Callable[[str], NoReturn]:
    """What a module takes as its `__getattr__`, which only names that it lacks reach.

    >>> no_attributes_beside("tarazu.nn")("_hidden")
    Traceback (most recent call last):
    AttributeError: module 'tarazu.nn' has no attribute '_hidden'
    """
    def refuse(name: str) -> NoReturn:
        raise MissingAttribute(module, name)

    return refuse


def imported_when_asked(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """What a package takes as its `__getattr__`: `names` stand by the module below the package that has them.

    >>> imported_when_asked("tarazu.record", {"direction": "better_direction"})("better_direction").__name__
    'better_direction'
    """
    module_of = {name: module for module, listed in names.items() for name in listed.split()}

    def find(name: str) -> Any:
        if name not in module_of:
            raise MissingAttribute(package, name)
        found = getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return find


def _attribute_hint(module: str, name: str) -> str:
    from tarazu.base.hints.foreign_names import PEERS

    peer = next((peer for peer, names in PEERS.items() if name in names), None)
    if peer is not None:
        return f"; {peer}'s {name} is {PEERS[peer][name]}"
    elsewhere = [f"{_short(part)}.{name}" for part in PARTS if name in _public(part)]
    if elsewhere:
        return f"; it is {elsewhere[0]}"
    near = did_you_mean(name, _public(module.removeprefix("tarazu").removeprefix(".")))
    return f"; {near}" if near.endswith("?") else ""


def _short(part: str) -> str:
    return f"tz.{part}" if part else "tz"


def _public(part: str) -> list[str]:
    """The public names of a part of the package that is imported, but for modules inside it."""
    module: Any = sys.modules["tarazu"]
    for name in part.split(".") if part else ():
        module = getattr(module, name)
    listed = getattr(module, "__all__", None) or [name for name in dir(module) if name[:1] != "_"]
    return [name for name in listed if name in _LISTED_MODULES or not isinstance(vars(module).get(name), ModuleType)]


_LISTED_MODULES = {"nn", "optim", "data", "train", "random", "linalg", "fft", "init", "augment"}


class Absent:
    """An attribute of other frameworks' objects that ours lack: reading it is an AttributeError, which says what to do.

    Unlike a `__getattr__` it costs nothing where other names are read.

    >>> class Table:
    ...     shuffled = Absent("call shuffle()")
    >>> hasattr(Table(), "shuffled")
    False
    """

    def __init__(self, advice: str) -> None:
        self._advice = advice

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Absent:
        if instance is None:
            return self
        raise AttributeError(f"{owner.__name__!r} object has no attribute {self._name!r}; {self._advice}")


def with_keyword_hints(function: Callable[P, R]) -> Callable[P, R]:
    """A function that is called rarely, with errors that say which keyword argument stands for an unknown one.

    >>> @with_keyword_hints
    ... def fit(x, validate_every=1): return x
    >>> fit(1, validation_freq=2)
    Traceback (most recent call last):
    TypeError: fit() got an unexpected keyword argument 'validation_freq'; did you mean 'validate_every'?
    """
    names = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for name in kwargs:
            if name not in names:
                raise unexpected_keyword(function.__name__, name, (x for x in names if x != "self"), "TRAINING_ADVICE")
        return function(*args, **kwargs)

    return call


def unexpected_keyword(function: str, name: str, takes: Iterable[str], advice: str = "ADVICE") -> TypeError:
    """The error for a keyword argument that a class or function does not take; it offers one that it takes.

    `advice` is the table of foreign_names.py with words for those that no argument stands for.

    >>> print(unexpected_keyword("Dense", "use_bias", ["units", "bias"]))
    Dense() got an unexpected keyword argument 'use_bias'; did you mean 'bias'?
    """
    from tarazu.base.hints import foreign_names

    names, texts = list(takes), vars(foreign_names)[advice]
    here = next((known for known in foreign_names.KEYWORDS.get(name, ()) if known in names), None)
    near = did_you_mean(name, names)
    if here is not None:
        hint = f"did you mean {here!r}?"
    elif name in texts:
        hint = texts[name]
    else:
        hint = near if near.endswith("?") else f"it takes {', '.join(names)}" if names else "it takes none"
    return TypeError(f"{function}() got an unexpected keyword argument {name!r}; {hint}")


def keywords_of(kind: type) -> tuple[str, ...]:
    """The names of the arguments that a class takes, in their order.

    >>> keywords_of(type("Layer", (), {"__init__": lambda self, units, bias=True: None}))
    ('units', 'bias')
    """
    code = getattr(initializer_of(kind), "__code__", None)
    return code.co_varnames[1:code.co_argcount + code.co_kwonlyargcount] if isinstance(code, CodeType) else ()


def require_arguments(kind: type, args: tuple[object, ...], kwargs: dict[str, object],
                      advice: str = "ADVICE") -> None:
    """TypeError, which names the class, unless its `__init__` takes these arguments; `advice` as above.

    >>> require_arguments(type("Layer", (), {"__init__": lambda self, units: None}), (3,), {})
    """
    made_by, name, names = initializer_of(kind), kind.__name__, keywords_of(kind)
    code = getattr(made_by, "__code__", None)
    takes_any = not isinstance(code, CodeType) and made_by is not object.__init__
    if takes_any:
        return
    flags, most = (code.co_flags, code.co_argcount - 1) if isinstance(code, CodeType) else (0, 0)
    unknown = [] if flags & HAS_KEYWORDS else [keyword for keyword in kwargs if keyword not in names]
    if unknown:
        raise unexpected_keyword(name, unknown[0], names, advice)
    if not flags & HAS_POSITIONAL and len(args) > most:
        takes = f"takes {most} positional arguments ({', '.join(names[:most])})" if names else "takes no arguments"
        raise TypeError(f"{name}() {takes}, and {len(args)} were given")
    defaults = getattr(made_by, "__defaults__", None) or ()
    missing = [repr(needed) for needed in names[len(args):max(most - len(defaults), 0)] if needed not in kwargs]
    if missing and not flags & HAS_KEYWORDS:
        raise TypeError(f"{name}() lacks {', '.join(missing)}; it takes {', '.join(names)}")
