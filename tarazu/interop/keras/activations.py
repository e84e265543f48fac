"""Activations of Keras as functions: by name, and as the layers that only apply one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tarazu.interop.keras.options import Options, Place
from tarazu.nn.layers.activation import ACTIVATIONS, ActivationFunction, linear
from tarazu.ops.elementwise import exp
from tarazu.ops.networks.activations import elu, hard_tanh, leaky_relu, relu, relu6, threshold
from tarazu.ops.networks.softmax import softmax

FUNCTIONS: dict[str, ActivationFunction] = {
    **{name: ACTIVATIONS[name] for name in (
        "linear", "relu", "relu6", "elu", "selu", "celu", "gelu", "glu", "silu", "mish", "softplus", "softsign",
        "sigmoid", "hard_sigmoid", "log_sigmoid", "tanh", "hard_tanh", "tanh_shrink", "hard_shrink", "soft_shrink",
        "softmax", "log_softmax")},
    "swish": ACTIVATIONS["silu"], "hard_silu": ACTIVATIONS["hard_swish"], "hard_swish": ACTIVATIONS["hard_swish"],
    "leaky_relu": partial(leaky_relu, slope=0.2), "exponential": exp}


def _relu(options: Options) -> ActivationFunction:
    most, slope, limit = options.take("max_value"), options.take("negative_slope"), options.take("threshold")
    if limit and most is None and not slope:
        return partial(threshold, threshold=limit)
    if limit or (slope and most is not None):
        raise options.place.refused(f"max_value={most}, negative_slope={slope} and threshold={limit} together",
                                    "one of the three")
    if most is not None:
        return relu6 if most == 6 else partial(hard_tanh, low=0.0, high=most)
    return partial(leaky_relu, slope=slope) if slope else relu


def _softmax(options: Options) -> ActivationFunction:
    return partial(softmax, axis=options.take("axis"))


LAYERS: dict[str, Callable[[Options], ActivationFunction]] = {
    "Activation": lambda options: options.activation(),
    "ReLU": _relu,
    "LeakyReLU": lambda options: partial(leaky_relu, slope=options.take("negative_slope")),
    "ELU": lambda options: partial(elu, alpha=options.take("alpha")),
    "Softmax": _softmax}


def find_function(content: Any, place: Place, custom: Mapping[str, Any]) -> ActivationFunction:
    """The function that a config names: one of Keras, of `custom`, or of a layer that applies one.

    FileFormatError for others, and for lambdas, which are code.
    """
    if content is None:
        return linear
    name: Any = content
    kind: Any = ""
    if isinstance(content, Mapping):
        kind, inner = content.get("class_name"), content.get("config")
        if kind in LAYERS and isinstance(inner, Mapping):
            return _of_layer(kind, inner, place, custom)
        name = inner if kind == "function" else kind
    if isinstance(name, str) and name in custom:
        function: ActivationFunction = custom[name]
        return function
    if kind == "__lambda__":
        raise place.refused("a lambda, which is code: reading files runs none", "an activation by name",
                            "save the model with a function that has a name, and pass it in custom_objects")
    if not isinstance(name, str) or name not in FUNCTIONS:
        raise place.refused(f"the activation {name!r}", f"one of {', '.join(FUNCTIONS)}",
                            f"pass a function of a tensor: custom_objects={{{str(name)!r}: function}}")
    return FUNCTIONS[name]


def _of_layer(kind: str, config: Mapping[str, Any], place: Place, custom: Mapping[str, Any]) -> ActivationFunction:
    def no_parts(*_: Any) -> Any:
        raise place.refused(f"a {kind} that has layers or arrays", "a layer that only applies a function")

    options = Options(place, config, no_parts, no_parts, lambda content, where: find_function(content, where, custom))
    function = LAYERS[kind](options)
    options.require_all_used()
    return function
