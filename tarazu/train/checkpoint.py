"""Saved models: a folder with `model.json` (what the model is made of) and `model.safetensors` (its tensors).

Models are described by their classes and the arguments they were made with, never pickled.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, FileFormatError, TarazuError
from tarazu.nn.module import Module
from tarazu.ops.create import full
from tarazu.record import write_text
from tarazu.runtime.autograd import no_grad
from tarazu.runtime.tensor import Tensor

FORMAT = "tarazu model 1"
DESCRIPTION, TENSORS = "model.json", "model.safetensors"


def save(model: Module, path: str | os.PathLike) -> None:
    """Write `model` to the folder `path`; a model that was saved there before is replaced at the end, all at once."""
    target = Path(path)
    if target.exists() and not (target / DESCRIPTION).is_file():
        raise ArgumentError(f"{target} is there and is not a saved model", expected="a new path, or one of a model saved before",
                            fix="choose another path")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        new.mkdir()
        write_model(model, new)
        if target.exists():
            target.rename(old)
        new.rename(target)


def write_model(model: Module, folder: Path, extra: dict[str, Any] | None = None) -> None:
    """Write the two files of `model` into a folder; `extra` is kept with them."""
    from safetensors.numpy import save_file

    import tarazu

    description = {"format": FORMAT, "model": describe(model), "builds": _builds(model), "extra": extra or {},
                   "versions": {"tarazu": tarazu.__version__, "numpy": np.__version__, "python": platform.python_version()}}
    write_text(folder / DESCRIPTION, json.dumps(description, indent=1, ensure_ascii=False) + "\n")
    arrays = {name: np.ascontiguousarray(x.numpy()) for name, x in model.named_tensors()}
    temporary = folder / f".{TENSORS}.tmp"
    save_file(arrays, temporary)
    temporary.replace(folder / TENSORS)


def load(path: str | os.PathLike) -> Module:
    """The model that was saved to the folder `path`, in evaluation mode.

    Own layer classes must be importable under the name that they had; FileFormatError for anything damaged.
    """
    return read_model(Path(path))[0]


def read_model(folder: Path) -> tuple[Module, dict[str, Any]]:
    """The model in a folder, and the `extra` that was written with it."""
    description = read_description(folder)
    try:
        model = _rebuild(description["model"])
        _build(model, description["builds"])
    except (KeyError, TypeError, AttributeError, ImportError, TarazuError) as error:
        raise FileFormatError(f"the model cannot be made again: {error}", path=folder / DESCRIPTION,
                              expected="a description whose layer classes can be imported",
                              fix="import the module that defines the layers, or use the version of Tarazu that saved it") from error
    _load_tensors(model, folder / TENSORS)
    return model.eval(), description["extra"]


def read_description(folder: Path) -> dict[str, Any]:
    """What `model.json` says, checked to be of the format that this version writes."""
    path = folder / DESCRIPTION
    if not path.is_file():
        raise FileFormatError(f"there is no {DESCRIPTION}", path=folder, expected="a folder that Tarazu saved a model to",
                              fix="check the path; `tarazu fit` prints that of its run folder")
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"not JSON: {error}", path=path, expected="the file as it was written", fix="take an undamaged copy") from None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise FileFormatError("not a description of a model", path=path, expected=f'"format": "{FORMAT}"', fix="check the path")
    return description


def _load_tensors(model: Module, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        model.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise FileFormatError("the file is missing", path=path, expected="the weights beside model.json", fix="take a whole copy of the folder") from None
    except SafetensorError as error:
        raise FileFormatError(f"damaged or cut short: {error}", path=path, expected="the file as it was written",
                              fix="take an undamaged copy, or train again") from None
    except TarazuError as error:
        raise FileFormatError(f"it does not fit model.json: {error.problem}", path=path, expected=error.expected,
                              fix="take both files from one saved model") from None


# Descriptions ---------------------------------------------------------------------------------------------------

def describe(value: Any) -> Any:
    """A module, or an argument that it was made with, as JSON content."""
    if isinstance(value, Module):
        args, kwargs = value._arguments
        return {"class": _name(type(value)), "args": [describe(a) for a in args],
                "kwargs": {key: describe(a) for key, a in kwargs.items()}}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return {"tuple" if isinstance(value, tuple) else "list": [describe(item) for item in value]}
    if isinstance(value, Tensor | np.ndarray):
        array = np.asarray(value)
        return {"array": array.tolist(), "dtype": str(array.dtype)}
    if callable(value) and "<" not in getattr(value, "__qualname__", "<"):
        return {"function": _name(value)}
    raise ArgumentError(f"a layer was made with {value!r}, which cannot be saved",
                        expected="numbers, text, lists, tensors, layers and importable functions",
                        fix="define the function at the top level of a module, or save model.state_dict() yourself")


def _name(thing: Any) -> str:
    return f"{thing.__module__}:{thing.__qualname__}"


def _find(name: str) -> Any:
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def _rebuild(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    if "class" in content:
        kind = _find(content["class"])
        if not (isinstance(kind, type) and issubclass(kind, Module)):
            raise TypeError(f"{content['class']} is not a layer class")
        return kind(*map(_rebuild, content["args"]), **{key: _rebuild(value) for key, value in content["kwargs"].items()})
    if "function" in content:
        return _find(content["function"])
    if "array" in content:
        return np.array(content["array"], content["dtype"])
    return tuple(map(_rebuild, content["tuple"])) if "tuple" in content else list(map(_rebuild, content["list"]))


def _builds(model: Module) -> dict[str, Any]:
    """The input shapes that layers were built with, by path."""
    return {path: module._built_with for path, module in model.named_modules() if module._built_with is not None}


def _build(model: Module, builds: dict[str, Any]) -> None:
    modules = dict(model.named_modules())
    with no_grad():
        for path, shapes in builds.items():
            modules[path].build(*[full(tuple(shape), 0.0) for shape in shapes])
            modules[path]._is_built, modules[path]._built_with = True, shapes

