"""Paths of layers in a model, such as "encoder.0.hidden", and errors that say in which layer they were raised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeAlias

from tarazu.base.errors import TarazuError


class LayerLike(Protocol):
    """The part of `Module` that paths need; a protocol, as module.py imports this file."""

    def named_children(self) -> Iterator[tuple[str, LayerLike]]:
        """The modules that are attributes, with their names."""

    def describe(self) -> str:
        """What stands in the brackets of the printed tree."""


ChildNames: TypeAlias = dict[int, tuple[LayerLike, dict[int, str]]]  # by the identity of the parent, which it keeps


def join_path(path: str, name: str) -> str:
    """The path of what is called `name` inside what is at `path`; either may be empty."""
    return f"{path}.{name}" if path and name else path or name


def name_in_parent(parents: Sequence[LayerLike], module: LayerLike, known: ChildNames) -> str:
    """The name that the last of `parents` has for `module`, if there is one, and its class: "hidden Linear".

    `known` keeps the names of all children, so that a model of many layers is not searched for each.
    """
    name = ""
    if parents:
        parent = parents[-1]
        if id(parent) not in known or id(module) not in known[id(parent)][1]:
            known[id(parent)] = parent, _names_in(parent)
        name = known[id(parent)][1].get(id(module), "")
    return f"{name} {type(module).__name__}".strip()


def add_layer_path(error: TarazuError, module: LayerLike, inputs: tuple) -> None:
    """Put the path of the layer that failed, and the shapes of its inputs, before the message.

    Called for each module that the error passes on its way up; each adds its name to the path.
    """
    failure = vars(error).get("failure")
    if failure is None:
        layer = f"{type(module).__name__}({module.describe()}), called with {_shapes(inputs)}"
        vars(error)["failure"] = failure = _Failure(module, "", layer, str(error))
    else:
        failure.pass_up(module)
    error.args = (str(failure),)


class _Failure:
    """The module that an error has come up to, the path from there to the layer that failed, that layer and message."""

    def __init__(self, module: LayerLike, path: str, layer: str, message: str) -> None:
        self.module, self.path, self.layer, self.message = module, path, layer, message

    def pass_up(self, parent: LayerLike) -> None:
        name = _names_in(parent).get(id(self.module), type(self.module).__name__)
        self.path = join_path(name, self.path)
        self.module = parent

    def __str__(self) -> str:
        return f"in {f'layer {self.path}, ' if self.path else ''}{self.layer}:\n{self.message}"


def _names_in(parent: LayerLike) -> dict[int, str]:
    """The names of the children of a module, by their identity."""
    return {id(x): name for name, x in parent.named_children()}


def _shapes(inputs: tuple) -> str:
    shapes = ", ".join(str(tuple(x.shape)) if hasattr(x, "shape") else f"a {type(x).__name__}" for x in inputs)
    return f"shape {shapes}" if inputs and hasattr(inputs[0], "shape") else shapes or "nothing"
