"""The base of layers that work on the last axis: its size is given, or taken from the first input."""

from __future__ import annotations

from typing import Any

from tarazu.base.checks import positive_int
from tarazu.base.errors import ShapeError
from tarazu.nn.module.module import Module


class LastAxisLayer(Module):
    """A layer whose parameters depend on its input by the size of the last axis only. Subclasses write `_make`."""

    _size: int

    def __init__(self, name: str, given: int | None) -> None:
        if given is not None:
            self._set_size(positive_int(name, given))
            self._is_built = True

    def build(self, x: Any) -> None:
        if not x.shape:
            raise ShapeError("a scalar as input", expected="an input of shape (..., features)",
                             fix="add an axis: x[..., None]")
        self._require_axes(x)
        self._set_size(x.shape[-1])

    def _require_axes(self, x: Any) -> None:
        """Raises where the input has another number of axes than the layer works on."""

    def _set_size(self, features: int) -> None:
        self._size = features
        self._make(features)

    def _make(self, features: int) -> None:
        raise NotImplementedError

    def _require_size(self, x: Any) -> None:
        if not x.shape or x.shape[-1] != self._size:
            raise ShapeError(f"an input of shape {tuple(x.shape)}",
                             expected=f"shape (..., {self._size}): {self._size} features on the last axis",
                             fix="check the number of features, or flatten the input first (tz.nn.Flatten)")
