"""Layers whose every output depends on every feature of one input, `Dense`, or of two, `Bilinear`."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.base.errors import ShapeError
from tarazu.nn.init import Initializer, find_initializer
from tarazu.nn.layers.activation import ActivationFunction, find_activation
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.einsum import einsum
from tarazu.ops.networks.linear import affine
from tarazu.ops.networks.window_options import per_axis
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
        return affine(x, self.weight, self.bias if self._has_bias else None, activation=self._activation)


class Bilinear(Module):
    """activation(first @ weight[:, :, k] @ second + bias[k]) for each output k, of two inputs.

    (..., n) and (..., m) to (..., units). `weight` (n, m, units) starts as `kernel_initializer` says, `bias` (units,)
    as `bias_initializer` does, at 0. `in_features` is the pair (n, m), which may be left out and is then taken from the
    first inputs. ArgumentError for sizes below 1 and unknown names, ShapeError for inputs with other features.

    >>> import tarazu as tz
    >>> tz.nn.Bilinear(3)(tz.ones((2, 4)), tz.ones((2, 5))).shape
    (2, 3)
    """

    def __init__(self, units: int, activation: str | ActivationFunction | None = None, *,
                 in_features: tuple[int, int] | None = None, bias: bool = True,
                 kernel_initializer: str | Initializer = "glorot_uniform",
                 bias_initializer: str | Initializer = "zeros") -> None:
        self._units, self._has_bias = positive_int("units", units), bias
        self._activation, self._initializer = find_activation(activation), find_initializer(kernel_initializer)
        self._bias_initializer = find_initializer(bias_initializer)
        if in_features is not None:
            self._make_parameters(*per_axis("Bilinear", "in_features", in_features, 2))
            self._is_built = True

    def build(self, first: Tensor, second: Tensor) -> None:
        """Make the parameters for inputs of shape (..., n) and (..., m). ShapeError for a scalar."""
        for x in (first, second):
            if not x.shape:
                raise ShapeError("a scalar as input", expected="an input of shape (..., features)",
                                 fix="add an axis: x[..., None]")
        self._make_parameters(first.shape[-1], second.shape[-1])

    def _make_parameters(self, first: int, second: int) -> None:
        self.weight = Parameter(self._initializer((first, second, self._units), None))
        if self._has_bias:
            self.bias = Parameter(self._bias_initializer((self._units,), None))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        sizes = tuple(x.shape[-1:] for x in (first, second))
        if sizes != tuple((n,) for n in self.weight.shape[:2]):
            raise ShapeError(f"inputs of shapes {tuple(first.shape)} and {tuple(second.shape)}",
                             expected=f"{self.weight.shape[0]} and {self.weight.shape[1]} features on the last axes",
                             fix="check the order of the two inputs")
        y = einsum("...i,ijk,...j->...k", first, self.weight, second)
        return self._activation(y + self.bias if self._has_bias else y)
