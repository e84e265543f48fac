"""Layers with one weight matrix: dense and embedding."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.nn.activation import activation as find_activation
from tarazu.nn.init import Initialiser, initialiser, standard_normal, zeros
from tarazu.nn.module import Module
from tarazu.nn.parameter import Parameter
from tarazu.ops.index import take


def require_positive(name: str, value: int) -> int:
    if not isinstance(value, int) or value < 1:
        raise ArgumentError(f"{name}={value!r}", expected="a whole number of at least 1", fix="give the size as an int")
    return value


class Dense(Module):
    """activation(x @ weight + bias) on the last axis: (..., in_features) to (..., units).

    `in_features` may be left out and is then taken from the first input. Weights start as `kernel_initializer` says
    ("glorot_uniform", Glorot and Bengio, 2010), biases at 0.

    >>> import tarazu as tz
    >>> tz.nn.Dense(3, activation="relu")(tz.ones((2, 4))).shape
    (2, 3)
    """

    def __init__(self, units: int, activation: Any = None, *, in_features: int | None = None, bias: bool = True,
                 kernel_initializer: str | Initialiser = "glorot_uniform") -> None:
        self._units, self._has_bias = require_positive("units", units), bias
        self._activation, self._initialiser = find_activation(activation), initialiser(kernel_initializer)
        if in_features is not None:
            self._make(require_positive("in_features", in_features))

    def build(self, x: Any) -> None:
        if not hasattr(self, "weight"):
            if not x.shape:
                raise ShapeError("a scalar as input", expected="an input of shape (..., in_features)", fix="add a feature axis: x[..., None]")
            self._make(x.shape[-1])

    def _make(self, in_features: int) -> None:
        self.weight = Parameter(self._initialiser((in_features, self._units), None))
        if self._has_bias:
            self.bias = Parameter(zeros((self._units,)))
        self._is_built = True

    def forward(self, x: Any) -> Any:
        in_features = self.weight.shape[0]
        if not x.shape or x.shape[-1] != in_features:
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected=f"shape (..., {in_features}): {in_features} features on the last axis",
                             fix="check the number of features, or flatten the input first (tz.nn.Flatten)")
        y = x @ self.weight
        return self._activation(y + self.bias if self._has_bias else y)


class Embedding(Module):
    """A learnt vector for each of `num_embeddings` integers: integers of any shape to (..., dim).

    The vectors start normal with variance 1, as in torch.

    >>> import tarazu as tz
    >>> tz.nn.Embedding(10, 4)(tz.tensor([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    def __init__(self, num_embeddings: int, dim: int, *, initializer: str | Initialiser = standard_normal) -> None:
        shape = (require_positive("num_embeddings", num_embeddings), require_positive("dim", dim))
        self.weight = Parameter(initialiser(initializer)(shape, None))

    def describe(self) -> str:
        return "{}, {}".format(*self.weight.shape)

    def forward(self, indices: Any) -> Any:
        if not indices.dtype.is_integer:
            raise DTypeError(f"an input of {indices.dtype}", expected="integers, each the number of a vector",
                             fix="cast it: x.astype(tz.int64)")
        return take(self.weight, indices)
