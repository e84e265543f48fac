"""The base class of layers that work on the last axis: its size is given, or taken from the first input."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.errors import ShapeError
from tarazu.nn.module.module import Module, require_arrays
from tarazu.runtime.tensor.tensor import Tensor


class LastAxisLayer(Module):
    """A layer whose parameters depend on its input by the size of the last axis only.

    Subclasses write `_make_parameters`, call `_require_input` at the start of `forward`, and override `_require_axes`
    where they work on inputs of one number of axes.
    """

    _size: int

    def __init__(self, name: str, size: int | None) -> None:
        if size is not None:
            self._set_size(positive_int(name, size))
            self._is_built = True

    def build(self, x: Tensor) -> None:
        """Make the parameters for an input of shape (..., features). ShapeError for a scalar."""
        if not x.shape:
            raise ShapeError("a scalar as input", expected="an input of shape (..., features)",
                             fix="add an axis: x[..., None]")
        self._require_axes(x)
        self._set_size(x.shape[-1])

    def _set_size(self, size: int) -> None:
        self._size = size
        self._make_parameters(size)

    def _make_parameters(self, size: int) -> None:
        raise NotImplementedError

    def _require_axes(self, x: Tensor) -> None:
        """ShapeError where the input has another number of axes than the layer works on."""

    def _require_input(self, x: Tensor) -> None:
        """ShapeError unless the input has the axes, and the last of them the size, that the layer works on."""
        require_arrays(self, (x,))
        self._require_axes(x)
        if not x.shape or x.shape[-1] != self._size:
            raise ShapeError(f"an input of shape {tuple(x.shape)}",
                             expected=f"shape (..., {self._size}): {self._size} features on the last axis",
                             fix=self._advice_on_features(x))

    def _advice_on_features(self, x: Tensor) -> str:
        """How to mend an input with another number of features."""
        return "check the number of features, or flatten the input first (tz.nn.Flatten)"
