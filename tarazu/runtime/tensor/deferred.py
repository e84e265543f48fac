"""Methods of a tensor from modules of `ops` that are imported when a method is first asked for, as in `tarazu`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


class Deferred:
    """A method that is the function of its name in a module of `tarazu.ops`, by which it is replaced at its first use.

    `wrap` makes the method of the function where it is not the function itself.
    """

    def __init__(self, module: str, wrap: Callable[..., Any] | None = None) -> None:
        self.module, self.wrap = module, wrap

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        function = getattr(importlib.import_module(f"tarazu.ops.{self.module}"), self.name.removesuffix("_"))
        setattr(self.owner, self.name, function if self.wrap is None else self.wrap(function))
        return getattr(owner if instance is None else instance, self.name)
