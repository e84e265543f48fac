"""The structure of a model, checked before it is written: a model is made from it and compared with the original."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping

from tarazu.base.errors import ArgumentError
from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.origins import frames_to_user
from tarazu.train.save.differences import differences
from tarazu.train.save.names import Finder, Named, NotAllowedError, can_be_imported, name_of, names_to_give
from tarazu.train.save.structure import Changes, Structure, describe, draft
from tarazu.train.trainer.divergence import TrainingWarning


class Noted:
    """The classes and functions that a file names, and warnings about what it cannot hold."""

    def __init__(self) -> None:
        self.objects: dict[str, Named] = {}  # those that other programs do not find by themselves
        self.warnings: list[str] = []

    def __call__(self, thing: Named) -> None:
        name = name_of(thing)
        if can_be_imported(thing):
            return
        if self.objects.setdefault(name, thing) is not thing:
            raise ArgumentError(f"two different classes or functions are called {name.rpartition(':')[2]}",
                                expected="a name of its own for each, by which a file can mean it",
                                fix="rename one; after a cell of a notebook was run again, make the model anew")

    def finder(self) -> Finder:
        """What finds all that is named, in this program."""
        return Finder(self.objects)

    def warn(self) -> None:
        """Say what another program will not find, and what was left out."""
        if self.objects:
            names = names_to_give(self.objects)
            given = ", ".join(f'"{name}": {short}' for name, short in names.items())
            self.warnings.append(
                f"saved, but another program does not find {', '.join(names)}, as the running script, a notebook or a "
                f"function defines {'it' if len(names) == 1 else 'them'}\n  to mend it: load with tz.load(path, "
                f"custom_objects={{{given}}}), or move the definition to a module that can be imported")
        for text in self.warnings:
            warnings.warn(text, TrainingWarning, stacklevel=frames_to_user())


def checked_structure(model: Module, weights: Mapping[str, Tensor], noted: Noted) -> Structure:
    """A structure from which just this model is made again.

    `weights` are its tensors by path. ArgumentError where something in it cannot be saved, or comes back as another.
    """
    changes: Changes = {}
    while True:
        structure = describe(model, changes, noted)
        twin, problems = _made_again(structure, weights, noted)
        found = differences(model, twin)
        if not found:
            break
        merged = _at_all_positions(model, _merged(changes, found))
        if merged == changes:
            raise _does_not_come_back(found, dict(model.named_modules()))
        changes = merged
    for problem in problems:
        raise _not_repeatable(problem) from problem
    if [path for path, _ in twin.named_tensors()] != [path for path, _ in model.named_tensors()]:
        raise ArgumentError("a model whose tensors come back in another order, as attributes were deleted and set anew",
                            expected="attributes in the order in which the constructor sets them",
                            fix="set attributes without deleting them before")
    return structure


def _merged(changes: Changes, more: Changes) -> Changes:
    """The attributes in either, each once."""
    return {path: list(dict.fromkeys([*changes.get(path, ()), *more.get(path, ())])) for path in {**changes, **more}}


def _at_all_positions(model: Module, changes: Changes) -> Changes:
    """`changes` with all other attributes that hold a layer or a tensor which one of them holds: it is made anew."""
    held: dict[tuple[str, str], set[int]] = {}
    for path, module in model.named_modules():
        for name, value in module._contents():
            held.setdefault((path, name.partition(".")[0]), set()).add(id(value))
    while True:
        made = {one for (path, name), ids in held.items() if name in changes.get(path, ()) for one in ids}
        others = [(path, name) for (path, name), ids in held.items()
                  if ids & made and name not in changes.get(path, ())]
        if not others:
            return changes
        for path, name in others:
            changes = _merged(changes, {path: [name]})


def _made_again(structure: Structure, weights: Mapping[str, Tensor], noted: Noted) -> tuple[Module, list[Exception]]:
    content = Structure(*json.loads(json.dumps(structure)))
    try:
        return draft(content, noted.finder(), lambda path: weights[path].numpy().copy(),
                     sum(x.size for x in weights.values()))
    except Exception as error:  # constructors of own layers may raise anything
        raise _not_repeatable(error) from error


def _not_repeatable(error: Exception) -> ArgumentError:
    what = error.problem if isinstance(error, NotAllowedError) else str(error) or repr(error)
    return ArgumentError(f"the model cannot be made again from what would be saved: {what}",
                         expected="layers whose constructors can be called again with the same arguments",
                         fix="make the constructors repeatable, or save the weights alone: model.save_weights(path)")


def _does_not_come_back(changes: Changes, modules: Mapping[str, Module]) -> ArgumentError:
    path, names = next(iter(changes.items()))
    what = f"layer {path!r}, a {type(modules[path]).__name__}" if path else f"the {type(modules[path]).__name__}"
    return ArgumentError(f"attribute {names[0]!r} of {what}, would come back as another",
                         expected="numbers, text, arrays, tensors, layers, named functions, and containers of them",
                         fix="save the weights alone: model.save_weights(path)")
