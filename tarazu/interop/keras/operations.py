"""Operations of `keras.ops` in functional models, as functions of their config and their inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tarazu.interop.keras.options import Place
from tarazu.nn.layers.activation import ACTIVATIONS
from tarazu.ops import elementwise
from tarazu.ops.contract import matmul
from tarazu.ops.einsum import einsum
from tarazu.ops.networks.activations import celu, elu, gelu, leaky_relu
from tarazu.ops.networks.softmax import log_softmax, softmax
from tarazu.ops.reduce import max, mean, min, prod, std, sum, var
from tarazu.ops.shape import (
    concat,
    expand_dims,
    flip,
    permute_dims,
    reshape,
    squeeze,
    stack,
    swapaxes,
)
from tarazu.runtime.tensor.tensor import Tensor

Config = Mapping[str, Any]
Operation = Callable[..., Any]

MODULES = "keras.src.ops.", "keras.ops"  # where operations are; the layers of the same names are elsewhere
SAME = {  # by the name of Keras; the inputs are the arguments
    "Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide", "TrueDivide": "divide",
    "FloorDivide": "floor_divide", "Mod": "remainder", "Power": "pow", "Maximum": "maximum", "Minimum": "minimum",
    "Negative": "negative", "Absolute": "abs", "Abs": "abs", "Exp": "exp", "Expm1": "expm1", "Log": "log",
    "Log1p": "log1p", "Log2": "log2", "Log10": "log10", "Logaddexp": "logaddexp", "Sqrt": "sqrt", "Rsqrt": "rsqrt",
    "Square": "square", "Reciprocal": "reciprocal", "Sign": "sign", "Floor": "floor", "Ceil": "ceil", "Round": "round",
    "Sin": "sin", "Cos": "cos", "Tan": "tan", "Arcsin": "asin", "Arccos": "acos", "Arctan": "atan", "Sinh": "sinh",
    "Cosh": "cosh", "Tanh": "tanh", "Erf": "erf", "Sigmoid": "sigmoid", "Where": "where", "Equal": "equal",
    "NotEqual": "not_equal", "Less": "less", "LessEqual": "less_equal", "Greater": "greater",
    "GreaterEqual": "greater_equal", "LogicalAnd": "logical_and", "LogicalOr": "logical_or",
    "LogicalNot": "logical_not", "Isnan": "isnan", "StopGradient": "stop_gradient"}
ACTIVATION = {"Relu": "relu", "Relu6": "relu6", "Softplus": "softplus", "Softsign": "softsign", "Silu": "silu",
              "LogSigmoid": "log_sigmoid", "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_swish", "Selu": "selu",
              "TanhShrink": "tanh_shrink", "HardTanh": "hard_tanh", "Mish": "mish"}


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _reduction(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda config, x: function(x, _axes(config.get("axis")), keepdims=config.get("keepdims", False))


def _reshape(config: Config, x: Tensor) -> Tensor:
    """The batch is the first size; where it is -1 or None the others have to be those of a sample."""
    first, *sizes = (-1 if n is None else n for n in config["newshape"])
    is_of_samples = -1 in sizes or math.prod(sizes) == math.prod(x.shape[1:])
    if first != -1 or not is_of_samples:
        raise ValueError(f"a reshape to {config['newshape']}, which does not keep the batch as the first axis")
    return reshape(x, (x.shape[0], *sizes))


def _transpose(config: Config, x: Tensor) -> Tensor:
    return permute_dims(x, config.get("axes") or tuple(range(len(x.shape)))[::-1])


def _clip(config: Config, x: Tensor) -> Tensor:
    return elementwise.clip(x, config["x_min"], config["x_max"])


def _of_list(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda config, tensors: function(list(tensors), config.get("axis", 0))


OPERATIONS: dict[str, Operation] = {
    **{name: (lambda f: lambda config, *x: f(*x))(getattr(elementwise, own)) for name, own in SAME.items()},
    **{name: (lambda f: lambda config, x: f(x))(ACTIVATIONS[own]) for name, own in ACTIVATION.items()},
    **{name: _reduction(f) for name, f in (("Mean", mean), ("Sum", sum), ("Max", max), ("Min", min), ("Prod", prod),
                                           ("Std", std), ("Var", var))},
    "LeakyRelu": lambda config, x: leaky_relu(x, config["negative_slope"]),
    "Elu": lambda config, x: elu(x, config["alpha"]), "Celu": lambda config, x: celu(x, config["alpha"]),
    "Gelu": lambda config, x: gelu(x, approximate=config["approximate"]),
    "Softmax": lambda config, x: softmax(x, config["axis"]),
    "LogSoftmax": lambda config, x: log_softmax(x, config["axis"]),
    "Clip": _clip, "Reshape": _reshape, "Transpose": _transpose,
    "ExpandDims": lambda config, x: expand_dims(x, _axes(config["axis"])),
    "Squeeze": lambda config, x: squeeze(x, _axes(config["axis"])),
    "Swapaxes": lambda config, x: swapaxes(x, config["axis1"], config["axis2"]),
    "Flip": lambda config, x: flip(x, _axes(config["axis"])),
    "Concatenate": _of_list(concat), "Stack": _of_list(stack),
    "Matmul": lambda config, x, y: matmul(x, y),
    "Einsum": lambda config, *x: einsum(config["subscripts"], *x),
    "Cast": lambda config, x: elementwise.astype(x, config["dtype"]),
    "GetItem": lambda config, x, key: x[tuple(key) if isinstance(key, list | tuple) else key]}


def is_operation(content: Mapping[str, Any]) -> bool:
    """Whether a part of a model is an operation, and no layer."""
    return str(content.get("module")).startswith(MODULES)


def find_operation(content: Mapping[str, Any], place: Place) -> Operation:
    """The function of an operation; FileFormatError for one that is not in the table."""
    kind = content["class_name"]
    if kind not in OPERATIONS:
        raise place.refused("an operation that has no line in Tarazu's table", f"one of {', '.join(OPERATIONS)}",
                            "save the model in Keras with a layer in its place that is known, such as Dense or Add")
    config = content["config"]
    return lambda *inputs: OPERATIONS[kind](config, *inputs)
