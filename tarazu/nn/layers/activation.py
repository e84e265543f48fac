"""Activations: functions by name, and as layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from tarazu.base.spelling import by_name, did_you_mean
from tarazu.nn.init import constant
from tarazu.nn.module.last_axis import LastAxisLayer
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.elementwise import maximum, minimum, multiply, sigmoid, tanh
from tarazu.ops.networks.activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    mish,
    relu,
    relu6,
    selu,
    silu,
    soft_shrink,
    softplus,
    softsign,
    tanh_shrink,
)
from tarazu.ops.networks.softmax import log_softmax, softmax, softmin
from tarazu.runtime.tensor.tensor import Tensor

ActivationFunction: TypeAlias = Callable[[Tensor], Tensor]


def linear(x: Tensor) -> Tensor:
    """x itself."""
    return x


ACTIVATIONS: dict[str, ActivationFunction] = {
    "linear": linear, "relu": relu, "leaky_relu": leaky_relu, "elu": elu, "gelu": gelu, "silu": silu,
    "softplus": softplus, "sigmoid": sigmoid, "tanh": tanh, "softmax": softmax, "log_softmax": log_softmax,
    "relu6": relu6, "selu": selu, "mish": mish, "softsign": softsign, "log_sigmoid": log_sigmoid,
    "hard_sigmoid": hard_sigmoid, "hard_swish": hard_swish, "hard_tanh": hard_tanh, "softmin": softmin, "glu": glu,
    "celu": celu, "hard_shrink": hard_shrink, "soft_shrink": soft_shrink, "tanh_shrink": tanh_shrink}


def find_activation(spec: str | ActivationFunction | None) -> ActivationFunction:
    """The activation that `spec` names; None is `linear`, a function is given back as it is. Raises ArgumentError."""
    if spec is None:
        return linear
    return spec if callable(spec) else by_name("activation", spec, ACTIVATIONS, "a function of a tensor", _suggestion)


_ELSEWHERE = {"swish": "'silu'", "hard_silu": "'hard_swish'", "prelu": "a layer of its own, tz.nn.PReLU()"}


def _suggestion(name: object, names: Iterable[str]) -> str:
    """What to write for a name that other libraries have, or else the nearest known name."""
    here = _ELSEWHERE.get(str(name).lower())
    return f"here it is {here}" if here else did_you_mean(name, names)


class Activation(Module):
    """An activation as a layer, by name (a key of `tz.nn.ACTIVATIONS`) or as a function of a tensor.

    The output has the shape of the input; that of "glu" has half as many features. ArgumentError for an unknown name.

    >>> import tarazu as tz
    >>> tz.nn.Activation("relu")(tz.tensor([-1.0, 1.0]))
    Tensor([0., 1.], dtype=float32)
    """

    def __init__(self, function: str | ActivationFunction) -> None:
        self._activation = find_activation(function)

    def forward(self, x: Tensor) -> Tensor:
        return self._activation(x)


class PReLU(LastAxisLayer):
    """The input where it is above 0, else times a learned slope, one for each channel of the last axis.

    Any shape (..., channels) to the same (He, Zhang, Ren and Sun, 2015). `weight` (channels,) starts at `initial`; with
    `shared` it is one slope for all, of shape (1,). `in_channels` may be left out and is then taken from the first
    input. ArgumentError for a size below 1 and an `initial` that is no number, ShapeError for an input with another
    number of channels.

    >>> import tarazu as tz
    >>> tz.nn.PReLU()(tz.tensor([[-4.0, 4.0]])).detach()
    Tensor([[-1.,  4.]], dtype=float32)
    """

    def __init__(self, in_channels: int | None = None, *, shared: bool = False, initial: float = 0.25) -> None:
        self._is_shared, self._initializer = shared, constant(initial)
        super().__init__("in_channels", in_channels)

    def _make_parameters(self, size: int) -> None:
        self.weight = Parameter(self._initializer((1 if self._is_shared else size,), None))

    def forward(self, x: Tensor) -> Tensor:
        self._require_input(x)
        return maximum(x, 0) + multiply(minimum(x, 0), self.weight)
