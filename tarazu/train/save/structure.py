"""The structure of a model as JSON content, and back: which layers it has, how they were made, what changed since.

`layers` holds the class and the constructor's arguments of each layer that an argument or a change brings in; layers
that others make in their constructors need no entry. `builds` has by path the input shapes that layers were built with,
and `changes` by path the attributes that are not as the constructor leaves them. Layers and tensors that stand in
several positions are written once and referred to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.nn.init import placeholders
from tarazu.nn.module.error_path import join_path
from tarazu.nn.module.module import NOT_CONTENT, Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.create import full
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.random import Generator
from tarazu.runtime.random.generator import drawing_from
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.tensor.variable import Variable
from tarazu.train.save.content import JSON, CannotBeSavedError, Describer, Maker, Note
from tarazu.train.save.names import Finder, NotAllowedError, require_plain_name

Changes = dict[str, list[str]]  # by the path of a layer: the names of attributes
NOT_SAVED = (*NOT_CONTENT, "_is_training", "_is_built")
KINDS: dict[str, type[Tensor]] = {kind.__name__: kind for kind in (Tensor, Parameter, Variable)}
GONE = {"gone": True}


class Structure(NamedTuple):
    """The parts of `model.json` that say what the model is made of."""

    model: JSON
    layers: list[JSON]
    builds: dict[str, list[list[int]]]
    changes: dict[str, dict[str, JSON]]


def describe(model: Module, changes: Changes | None = None, note: Note = lambda thing: None) -> Structure:
    """The structure of `model`, with the present values of the attributes in `changes`.

    ArgumentError, which names the attribute or the layer, for what cannot be saved.
    """
    return _ModelDescriber(model, note).structure(changes or {})


class _ModelDescriber:
    def __init__(self, model: Module, note: Note) -> None:
        self._model, self._layers = model, list[JSON]()
        self._numbers: dict[int, int] = {}  # of layers, by id
        self._paths = {id(x): path for path, x in model.named_tensors()}
        self._describer = Describer(self._reference, note)

    def structure(self, changes: Changes) -> Structure:
        modules = dict(self._model.named_modules())
        model = self._describer.describe(self._model)
        described = {path: {name: self._attribute(path, modules[path], name) for name in names}
                     for path, names in changes.items()}
        builds = {path: module._built_with for path, module in modules.items() if module._built_with is not None}
        return Structure(model, self._layers, builds, described)

    def _reference(self, value: object) -> JSON:
        if isinstance(value, Module):
            return {"layer": self._number(value)}
        if isinstance(value, Tensor) and id(value) in self._paths and type(value) in KINDS.values():
            return {"weight": self._paths[id(value)], "kind": type(value).__name__}
        return None

    def _number(self, module: Module) -> int:
        if id(module) not in self._numbers:
            number = self._numbers[id(module)] = len(self._layers)
            self._layers.append(None)  # its place, as arguments may be layers too
            args, kwargs = module._arguments
            describe = self._describer.describe
            try:
                self._layers[number] = {"class": self._describer.name(type(module)),
                                        "args": [describe(x) for x in args],
                                        "kwargs": {key: describe(x) for key, x in kwargs.items()}}
            except CannotBeSavedError as error:
                raise _unsaved(f"a layer was made with {error.value!r}") from None
        return self._numbers[id(module)]

    def _attribute(self, path: str, module: Module, name: str) -> JSON:
        if name not in vars(module):
            return GONE
        try:
            _require_settable(module, name)
            return self._describer.describe(vars(module)[name])
        except CannotBeSavedError as error:
            what = f"attribute {name!r} of {f'layer {path!r}, a ' if path else 'the '}{type(module).__name__}"
            raise _unsaved(f"{what}, is or holds {error.value!r}") from None


def _unsaved(what: str) -> ArgumentError:
    return ArgumentError(f"{what}, which cannot be saved",
                         expected="numbers, text, arrays, tensors, layers, named functions, and containers of them",
                         fix="define the function at the top level of a module, or save the weights alone: "
                             "model.save_weights(path)")


def _require_settable(module: Module, name: str) -> None:
    if name in NOT_SAVED:
        raise NotAllowedError(f"attribute {name!r}, which belongs to Module itself")
    require_plain_name(module, name)


def make(structure: Structure, finder: Finder, weight: Callable[[str], np.ndarray | Tensor], elements: int) -> Module:
    """The model of that structure; `weight` gives the values of its tensors by path, as far as they are needed.

    These have `elements` numbers in all: layers of far larger ones are refused before they take memory.

    The global generator of random numbers stays as it is. It raises whatever the constructors of layers raise,
    NotAllowedError for what may not be made, and KeyError for a path that there is not.
    """
    model, problems = draft(structure, finder, weight, elements)
    for problem in problems:
        raise problem
    return model


def draft(structure: Structure, finder: Finder, weight: Callable[[str], np.ndarray | Tensor], elements: int
          ) -> tuple[Module, list[Exception]]:
    """As `make`, but a model comes also where layers are missing or cannot be built; the errors are beside it."""
    with placeholders(elements), drawing_from(Generator()):
        maker = _ModelMaker(structure, finder, weight)
        return maker.model(), maker.problems


class _ModelMaker:
    def __init__(self, structure: Structure, finder: Finder, weight: Callable[[str], Any]) -> None:
        self._structure, self._weight = structure, weight
        self._maker = Maker(finder, self._resolve)
        self._layers: dict[int, Module] = {}
        self._tensors: dict[str, Tensor] = {}
        self._builds, self._changes = dict(structure.builds), dict(structure.changes)
        self.problems: list[Exception] = []

    def model(self) -> Module:
        model = self._maker.make(self._structure.model)
        if not isinstance(model, Module):
            raise NotAllowedError(f"a {type(model).__name__} where the model belongs")
        with no_grad():
            self._finish("", model, set())
        self.problems += map(KeyError, (*self._builds, *self._changes))
        return model

    def _resolve(self, content: dict[str, JSON]) -> Any:
        if "class" in content:
            return self._construct(content)
        if "layer" in content:
            number = content["layer"]
            if number not in self._layers:
                self._layers[number] = self._construct(self._structure.layers[number])
            return self._layers[number]
        if "weight" in content:
            path = content["weight"]
            if path not in self._tensors:
                self._tensors[path] = KINDS[content["kind"]](self._weight(path))
            return self._tensors[path]
        return NotImplemented

    def _construct(self, content: dict[str, JSON]) -> Module:
        kind = self._maker.finder.class_of(content["class"], Module)
        return kind(*map(self._maker.make, content["args"]), **self._maker.make_all(content["kwargs"]))

    def _finish(self, path: str, module: Module, seen: set[int]) -> None:
        """Build the layer, change its attributes, then do the same for the layers below it."""
        seen.add(id(module))
        self._build(module, self._builds.pop(path, None))
        for name, content in self._changes.pop(path, {}).items():
            _require_settable(module, name)
            if content == GONE:
                vars(module).pop(name, None)
            else:
                vars(module)[name] = self._maker.make(content)
        for name, child in list(module.named_children()):
            if id(child) not in seen:
                self._finish(join_path(path, name), child, seen)

    def _build(self, module: Module, shapes: list[list[int]] | None) -> None:
        if shapes is None or shapes == module._built_with:
            return
        try:
            module.build(*[full(tuple(shape), 0.0) for shape in shapes])
        except Exception as error:  # an own layer may raise anything
            self.problems.append(error)
        module._is_built, module._built_with = True, shapes

