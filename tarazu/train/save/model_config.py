"""Models and the arguments of their layers as JSON content, and back: classes and functions by name, never pickled."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.nn.module.module import Module
from tarazu.ops.create import full
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor

PUBLIC = ("tarazu.nn", "tarazu")  # the namespaces in which our layers and functions are looked for


def describe(value: Any) -> Any:
    """A module, or an argument that it was made with, as JSON content; ArgumentError for what cannot be saved."""
    if isinstance(value, Module):
        args, kwargs = value._arguments
        return {"class": _name(type(value)), "args": [describe(a) for a in args],
                "kwargs": {key: describe(a) for key, a in kwargs.items()}}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return {"tuple" if isinstance(value, tuple) else "list": [describe(item) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: describe(item) for key, item in value.items()}}
    if isinstance(value, Tensor | np.ndarray):
        array = np.asarray(value)
        return {"tensor" if isinstance(value, Tensor) else "array": array.tolist(), "dtype": str(array.dtype)}
    if callable(value) and "<" not in getattr(value, "__qualname__", "<"):
        return {"function": _name(value)}
    raise ArgumentError(f"a layer was made with {value!r}, which cannot be saved",
                        expected="numbers, text, lists, dicts, tensors, layers and importable functions",
                        fix="define the function at the top level of a module, or save model.state_dict() yourself")


def rebuild(content: Any) -> Any:
    """What `describe` described, with the weights that its layers start with."""
    if not isinstance(content, dict):
        return content
    if "class" in content:
        kind = _find(content["class"])
        if not (isinstance(kind, type) and issubclass(kind, Module)):
            raise TypeError(f"{content['class']} is not a layer class")
        return kind(*map(rebuild, content["args"]), **_rebuild_values(content["kwargs"]))
    if "function" in content:
        return _find(content["function"])
    if "dict" in content:
        return _rebuild_values(content["dict"])
    if "tensor" in content or "array" in content:
        array = np.array(content.get("tensor", content.get("array")), content["dtype"])
        return Tensor(array) if "tensor" in content else array
    return tuple(map(rebuild, content["tuple"])) if "tuple" in content else list(map(rebuild, content["list"]))


def _rebuild_values(content: dict[str, Any]) -> dict[str, Any]:
    return {key: rebuild(value) for key, value in content.items()}


def _name(thing: Any) -> str:
    """Where to import it from: our own by the name that users know, which stays when files are moved."""
    name = thing.__qualname__
    public = (module for module in PUBLIC if vars(sys.modules[module]).get(name) is thing)
    return f"{next(public, thing.__module__)}:{name}"


def _find(name: str) -> Any:
    module, _, path = name.partition(":")
    thing: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in path.split("."):
        thing = getattr(thing, part)
    return thing


def builds_of(model: Module) -> dict[str, Any]:
    """The input shapes that layers were built with, by path."""
    return {path: module._built_with for path, module in model.named_modules() if module._built_with is not None}


def build(model: Module, builds: dict[str, Any]) -> None:
    """Let layers make their parameters for the shapes that `builds_of` gave."""
    with no_grad():
        for path, shapes in builds.items():
            module = dict(model.named_modules())[path]  # looked up anew: a build may have made further layers
            module.build(*[full(tuple(shape), 0.0) for shape in shapes])
            module._is_built, module._built_with = True, shapes
