"""Layers with one weight matrix: dense and embedding."""

from __future__ import annotations

from typing import Any

from tarazu.base.checks import positive_int
from tarazu.base.errors import DTypeError
from tarazu.nn.init import Initializer, find_initializer, standard_normal, zeros
from tarazu.nn.layers.activation import activation as find_activation
from tarazu.nn.layers.last_axis import LastAxisLayer
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.indexing.index import take


class Dense(LastAxisLayer):
    """activation(x @ weight + bias) on the last axis: (..., in_features) to (..., units).

    `in_features` may be left out and is then taken from the first input. Weights start as `kernel_initializer` says
    ("glorot_uniform", Glorot and Bengio, 2010), biases at 0.

    >>> import tarazu as tz
    >>> tz.nn.Dense(3, activation="relu")(tz.ones((2, 4))).shape
    (2, 3)
    """

    def __init__(self, units: int, activation: Any = None, *, in_features: int | None = None, bias: bool = True,
                 kernel_initializer: str | Initializer = "glorot_uniform") -> None:
        self._units, self._has_bias = positive_int("units", units), bias
        self._activation, self._initializer = find_activation(activation), find_initializer(kernel_initializer)
        super().__init__("in_features", in_features)

    def _make(self, features: int) -> None:
        self.weight = Parameter(self._initializer((features, self._units), None))
        if self._has_bias:
            self.bias = Parameter(zeros((self._units,)))

    def forward(self, x: Any) -> Any:
        self._require_size(x)
        y = x @ self.weight
        return self._activation(y + self.bias if self._has_bias else y)


class Embedding(Module):
    """A learned vector for each of `num_embeddings` integers: integers of any shape to (..., dim).

    The vectors start normal with variance 1, as in torch.

    >>> import tarazu as tz
    >>> tz.nn.Embedding(10, 4)(tz.tensor([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    def __init__(self, num_embeddings: int, dim: int, *, initializer: str | Initializer = standard_normal) -> None:
        shape = positive_int("num_embeddings", num_embeddings), positive_int("dim", dim)
        self.weight = Parameter(find_initializer(initializer)(shape, None))

    def forward(self, indices: Any) -> Any:
        if not indices.dtype.is_integer:
            raise DTypeError(f"an input of {indices.dtype}", expected="integers, each the number of a vector",
                             fix="cast it: x.astype(tz.int64)")
        return take(self.weight, indices)
