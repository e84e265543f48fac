"""Where in a model something is: paths of names, and errors that carry them."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import TarazuError


def join(path: str, name: str) -> str:
    """The path of what is called `name` inside what is at `path`; either may be empty."""
    return f"{path}.{name}" if path and name else path or name


def step(around: list[Any], module: Any) -> str:
    """The name of a module for people, as the innermost of the modules `around` it knows it: "hidden Linear"."""
    names = {id(child): name for name, child in around[-1].named_children()} if around else {}
    return f"{names.get(id(module), '')} {type(module).__name__}".strip()


def brief(value: Any) -> str:
    """An argument of a layer as the printed tree shows it: functions by their names, tensors by their shapes."""
    if getattr(value, "shape", ()):
        return f"{type(value).__name__} of shape {tuple(value.shape)}"
    return getattr(value, "__name__", None) or repr(value)


def say_where(error: TarazuError, module: Any, inputs: tuple) -> None:
    """Put the path of the layer that failed, and what it got, before the message.

    Called for each module that the error passes on its way up; each adds its step to the path.
    """
    where = getattr(error, "where", None)
    if where is None:
        layer = f"{type(module).__name__}({module.describe()}), called with {_shapes(inputs)}"
        where = _Where(module, "", layer, str(error))
        error.where = where  # type: ignore[attr-defined]
    else:
        where.pass_up(module)
    error.args = (str(where),)


class _Where:
    """The module that an error has come up to, the path from there to the layer that failed, layer and message."""

    def __init__(self, module: Any, path: str, layer: str, message: str) -> None:
        self.module, self.path, self.layer, self.message = module, path, layer, message

    def pass_up(self, parent: Any) -> None:
        names = {id(child): name for name, child in parent.named_children()}
        self.path = join(names.get(id(self.module), type(self.module).__name__), self.path)
        self.module = parent

    def __str__(self) -> str:
        return f"in {f'layer {self.path}, ' if self.path else ''}{self.layer}:\n{self.message}"


def _shapes(inputs: tuple) -> str:
    return "shape " + ", ".join(str(tuple(x.shape)) if hasattr(x, "shape") else type(x).__name__ for x in inputs)
