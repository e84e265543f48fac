"""Activations as functions by name and as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.base.spelling import by_name
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import sigmoid, tanh
from tarazu.ops.networks.activations import elu, gelu, leaky_relu, relu, silu, softplus
from tarazu.ops.networks.softmax import log_softmax, softmax

Function = Callable[[Any], Any]


def linear(x: Any) -> Any:
    """x itself."""
    return x


ACTIVATIONS: dict[str, Function] = {
    "linear": linear, "relu": relu, "leaky_relu": leaky_relu, "elu": elu, "gelu": gelu, "silu": silu,
    "softplus": softplus, "sigmoid": sigmoid, "tanh": tanh, "softmax": softmax, "log_softmax": log_softmax}


def activation(spec: str | Function | None) -> Function:
    """The activation that `spec` names; None is `linear`, a function is given back as it is."""
    if spec is None:
        return linear
    return spec if callable(spec) else by_name("activation", spec, ACTIVATIONS, "a function of a tensor")


class Activation(Module):
    """An activation as a layer, by name or as a function.

    >>> import tarazu as tz
    >>> tz.nn.Activation("relu")(tz.tensor([-1.0, 1.0]))
    Tensor([0., 1.], dtype=float32)
    """

    def __init__(self, function: str | Function) -> None:
        self._activation = activation(function)

    def forward(self, x: Any) -> Any:
        return self._activation(x)
