"""The dense layer: every output depends on every feature of the input."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.nn.init import Initializer, find_initializer
from tarazu.nn.layers.activation import ActivationFunction, find_activation
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.parameter import Parameter
from tarazu.runtime.tensor.tensor import Tensor


class Dense(LastAxisLayer):
    """activation(x @ weight + bias) on the last axis: (..., in_features) to (..., units).

    `weight` (in_features, units) starts as `kernel_initializer` says ("glorot_uniform", Glorot and Bengio, 2010),
    `bias` (units,) as `bias_initializer` does, at 0. `in_features` may be left out and is then taken from the first
    input. ArgumentError for sizes below 1 and unknown names, ShapeError for an input with another number of features.

    >>> import tarazu as tz
    >>> tz.nn.Dense(3, activation="relu")(tz.ones((2, 4))).shape
    (2, 3)
    """

    def __init__(self, units: int, activation: str | ActivationFunction | None = None, *,
                 in_features: int | None = None, bias: bool = True,
                 kernel_initializer: str | Initializer = "glorot_uniform",
                 bias_initializer: str | Initializer = "zeros") -> None:
        self._units, self._has_bias = positive_int("units", units), bias
        self._activation, self._initializer = find_activation(activation), find_initializer(kernel_initializer)
        self._bias_initializer = find_initializer(bias_initializer)
        super().__init__("in_features", in_features)

    def _make_parameters(self, size: int) -> None:
        self.weight = Parameter(self._initializer((size, self._units), None))
        if self._has_bias:
            self.bias = Parameter(self._bias_initializer((self._units,), None))

    def forward(self, x: Tensor) -> Tensor:
        self._require_input(x)
        y = x @ self.weight
        return self._activation(y + self.bias if self._has_bias else y)
