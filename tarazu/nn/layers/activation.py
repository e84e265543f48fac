"""Activations: functions by name, and as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tarazu.base.spelling import by_name
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import sigmoid, tanh
from tarazu.ops.networks.activations import elu, gelu, leaky_relu, relu, silu, softplus
from tarazu.ops.networks.softmax import log_softmax, softmax
from tarazu.runtime.tensor.tensor import Tensor

ActivationFunction: TypeAlias = Callable[[Tensor], Tensor]


def linear(x: Tensor) -> Tensor:
    """x itself."""
    return x


ACTIVATIONS: dict[str, ActivationFunction] = {
    "linear": linear, "relu": relu, "leaky_relu": leaky_relu, "elu": elu, "gelu": gelu, "silu": silu,
    "softplus": softplus, "sigmoid": sigmoid, "tanh": tanh, "softmax": softmax, "log_softmax": log_softmax}


def find_activation(spec: str | ActivationFunction | None) -> ActivationFunction:
    """The activation that `spec` names; None is `linear`, a function is given back as it is. Raises ArgumentError."""
    if spec is None:
        return linear
    return spec if callable(spec) else by_name("activation", spec, ACTIVATIONS, "a function of a tensor")


class Activation(Module):
    """An activation as a layer, by name (a key of `tz.nn.ACTIVATIONS`) or as a function of a tensor.

    The output has the shape of the input. ArgumentError for an unknown name.

    >>> import tarazu as tz
    >>> tz.nn.Activation("relu")(tz.tensor([-1.0, 1.0]))
    Tensor([0., 1.], dtype=float32)
    """

    def __init__(self, function: str | ActivationFunction) -> None:
        self._activation = find_activation(function)

    def forward(self, x: Tensor) -> Tensor:
        return self._activation(x)
