"""Where the handles that a traced function knows are found at each call: among the arguments, or captured from outside.

The gradient of a handle is another object after each backward pass, so it is found through its owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from tarazu.runtime.tensor.tensor import Tensor


class Argument(NamedTuple):
    """A tensor among the arguments, by its number among them."""

    position: int

    def find(self, arguments: list[Tensor]) -> Tensor:
        return arguments[self.position]


class Captured(NamedTuple):
    """A handle from outside, the same at every call."""

    handle: Tensor

    def find(self, arguments: list[Tensor]) -> Tensor:
        return self.handle


class GradientOf(NamedTuple):
    """The gradient of a handle."""

    owner: InputSource

    def find(self, arguments: list[Tensor]) -> Tensor:
        gradient = self.owner.find(arguments)._grad
        assert gradient is not None  # a guard, or the signature of the argument, says so
        return gradient


InputSource: TypeAlias = Argument | Captured | GradientOf


class Handles:
    """The handles of several sources."""

    def __init__(self, sources: Iterable[InputSource]) -> None:
        self._sources = tuple(sources)
        captured = [source.handle for source in self._sources if isinstance(source, Captured)]
        self._constant = captured if len(captured) == len(self._sources) else None

    def find(self, arguments: list[Tensor]) -> list[Tensor]:
        return [source.find(arguments) for source in self._sources] if self._constant is None else self._constant
