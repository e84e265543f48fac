"""Classes and functions in saved models: the names that are written, and what a name may stand for when it is read.

Reading runs no code of others: only modules that are imported already, or that the caller trusts, are looked at, and
what is found there has to be a kind of thing that models are made of.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any, TypeAlias

from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import is_ours
from tarazu.nn.module.module import Module
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.transformations import Transformation
from tarazu.runtime.jit.jit import Jit

Named: TypeAlias = type | Callable[..., Any]
Objects: TypeAlias = Mapping[str, Named]

PUBLIC = ("tarazu.nn", "tarazu", "tarazu.optim", "tarazu.train")  # where our own are looked for first, by that name
PURE = ("tarazu.ops.", "tarazu.nn.losses", "tarazu.nn.init", "tarazu.nn.layers.", "tarazu.optim.schedules.",
        "tarazu.optim.classic", "tarazu.optim.large_models", "tarazu.runtime.random.",
        "tarazu.train.metrics")  # ours whose functions compute a result and do nothing else
ON_DEMAND = "tarazu.interop."  # our modules that are imported where a saved model names them
CLASSES = (Module, Optimizer, Transformation, enum.Enum)


class NotAllowedError(ArgumentError):
    """A name in a file that must not be, or cannot be, made into an object."""


def name_of(thing: Named) -> str:
    """Where `thing` is defined, "module:name": our own by the name that users know, which stays when files move."""
    name = thing.__qualname__
    public = (module for module in PUBLIC if module in sys.modules and vars(sys.modules[module]).get(name) is thing)
    return f"{next(public, thing.__module__)}:{name}"


def short_name(name: str) -> str:
    """The last part of a name, by which `custom_objects` may give it."""
    return name.rpartition(":")[2].rpartition(".")[2]


def names_to_give(names: Collection[str]) -> dict[str, str]:
    """For each name how `custom_objects` may call it, the last part where that is enough, and that last part."""
    shorts = Counter(map(short_name, names))
    return {short_name(name) if shorts[short_name(name)] == 1 else name: short_name(name) for name in sorted(names)}


def is_named(value: object) -> bool:
    """Whether `value` is a class or a function of a kind that is saved by its name; lambdas have none."""
    kind = isinstance(value, FunctionType | Jit) or (isinstance(value, type) and issubclass(value, CLASSES))
    return kind and not getattr(value, "__qualname__", "<lambda>").endswith("<lambda>")


def is_pure(function: object) -> bool:
    """Whether it is a function of ours that computes its result from its arguments and does nothing else."""
    return (isinstance(function, FunctionType) and function.__module__.startswith(PURE)
            and function.__qualname__ == function.__name__)  # no method


def can_be_imported(thing: Named) -> bool:
    """Whether another program finds it again under its name, once it has imported the module."""
    module, _, path = name_of(thing).partition(":")
    if module == "__main__" or module not in sys.modules:
        return False
    return _walk(sys.modules[module], path) is thing


def require_plain_name(owner: object, name: str) -> None:
    """NotAllowedError for an attribute that would stand in for a method or a property of the owner's class."""
    own = inspect.getattr_static(type(owner), name, None)
    if name.startswith("__") or hasattr(type(own), "__get__"):
        raise NotAllowedError(f"attribute {name!r} of a {type(owner).__name__} stands in for what its class defines",
                              expected="attributes beside methods and properties",
                              fix="override the method in a class of your own")


def _module_names(trust: Iterable[str]) -> tuple[str, ...]:
    names = (trust,) if isinstance(trust, str) or not isinstance(trust, Iterable) else tuple(trust)
    if not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"trust={trust!r}", expected="the names of modules",
                            fix='name those that the model needs, such as trust=["mypackage"]')
    return names


class Finder:
    """Finds what names in a file stand for.

    These may be our own classes and functions, those in `custom_objects`, and those of modules that are imported
    already or that `trust` names. ArgumentError for `custom_objects` that are no classes or functions by
    name, and for a `trust` of anything but names.
    """

    def __init__(self, custom_objects: Objects | None = None, trust: Iterable[str] = ()) -> None:
        if not isinstance(custom_objects, Mapping | None):
            raise ArgumentError(f"custom_objects={custom_objects!r}",
                                expected="a dict of classes and functions by name",
                                fix='write for example custom_objects={"Mine": Mine}')
        self._custom = dict(custom_objects or {})
        self._trusted = _module_names(trust)
        for key, value in self._custom.items():
            if not isinstance(key, str) or not callable(value):
                raise ArgumentError(f"custom_objects with {key!r}: {value!r}", expected="classes and functions by name",
                                    fix='write for example custom_objects={"Mine": Mine}')

    def class_of(self, name: object, bases: type | tuple[type, ...]) -> type[Any]:
        """The class of that name, which has to be a subclass of one of `bases`."""
        found = self.find(name)
        if not (isinstance(found, type) and issubclass(found, bases)):
            kinds = " or ".join(base.__name__ for base in (bases if isinstance(bases, tuple) else (bases,)))
            raise NotAllowedError(f"{name} is not a subclass of {kinds}", expected="a layer class where one belongs",
                                  fix="take an undamaged copy, from someone whom you trust")
        return found

    def find(self, name: object) -> Any:
        """The class or function of that name; NotAllowedError, before anything is imported, for what may not be."""
        module, colon, path = name.partition(":") if isinstance(name, str) else ("", "", "")
        if not colon:
            raise NotAllowedError(f"{name!r} where the name of a class or function belongs")
        for key in (name,) if is_ours(module) else (name, path, short_name(path)):  # "Dense" alone is never ours
            if key in self._custom:
                return self._custom[key]
        found = _walk(self._module(module, path), path)
        if found is None:
            raise NotAllowedError(f"module {module!r} has no {path!r}", expected="a class or function that is there",
                                  fix=_how_to_give(path))
        if not self._is_allowed(found, module):
            raise NotAllowedError(f"{module}:{path} is not a layer class, nor a function that a model may use",
                                  expected="layers, and functions of your own modules or of Tarazu",
                                  fix=f"load it only if you know why it is there; {_how_to_give(path)}")
        return found

    def _module(self, name: str, path: str) -> ModuleType:
        if (self._trusts(name) or name.startswith(ON_DEMAND)) and name not in sys.modules:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                raise NotAllowedError(str(error), expected=f"the module {name}, which defines {path}",
                                      fix="put it where Python looks for modules (sys.path), or install it") from error
        module = sys.modules.get(name)
        if not isinstance(module, ModuleType):
            raise NotAllowedError(f"{name}:{path} is of a module that is not imported, and loading imports none",
                                  expected="classes and functions of Tarazu, of custom_objects, or of modules that are "
                                           "imported already or trusted",
                                  fix=f'import {name} first, or pass trust=["{name.partition(".")[0]}"] '
                                      f'(--trust {name.partition(".")[0]} in commands) if you trust it; '
                                      f"{_how_to_give(path)}")
        return module

    def _trusts(self, module: str) -> bool:
        return any(module == trusted or module.startswith(f"{trusted}.") for trusted in self._trusted)

    def _is_allowed(self, found: object, module: str) -> bool:
        if isinstance(found, type):
            return issubclass(found, CLASSES) or dataclasses.is_dataclass(found)
        if not isinstance(found, FunctionType | Jit):
            return False
        if is_ours(module):
            return is_pure(found)
        is_own = getattr(found, "__module__", None) == module  # not one that the module imports
        return is_own and (module.partition(".")[0] not in sys.stdlib_module_names or self._trusts(module))


def _how_to_give(path: str) -> str:
    short = short_name(path)
    return f'a class or function at hand goes in by name: custom_objects={{"{short}": {short}}}'


def _walk(module: ModuleType, path: str) -> Any:
    """What is at `path` in a module, through classes only; None where nothing is. It runs no code of the module."""
    names: Mapping[str, Any] = object.__getattribute__(module, "__dict__")
    *classes, last = path.split(".")
    for name in classes:
        owner = names.get(name)
        if not isinstance(owner, type):
            return None
        names = vars(owner)
    found = names.get(last)
    return found.__func__ if isinstance(found, staticmethod) else found
