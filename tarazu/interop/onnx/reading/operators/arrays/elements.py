"""Operators that compute each element for itself."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from tarazu.base import dtypes
from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array, over_images
from tarazu.ops import elementwise as ops
from tarazu.ops.networks import activations
from tarazu.ops.promote import as_value, cast
from tarazu.ops.shape import reshape
from tarazu.runtime.tensor.tensor import Tensor

UNARY: dict[str, Callable[[Any], Tensor]] = {
    "Abs": ops.abs, "Neg": ops.negative, "Floor": ops.floor, "Ceil": ops.ceil, "Round": ops.round, "Sqrt": ops.sqrt,
    "Exp": ops.exp, "Log": ops.log, "Sign": ops.sign, "Reciprocal": ops.reciprocal, "Erf": ops.erf,
    "Sin": ops.sin, "Cos": ops.cos, "Tan": ops.tan, "Asin": ops.asin, "Acos": ops.acos, "Atan": ops.atan,
    "Sinh": ops.sinh, "Cosh": ops.cosh, "Tanh": ops.tanh, "Asinh": ops.asinh, "Acosh": ops.acosh, "Atanh": ops.atanh,
    "Sigmoid": ops.sigmoid, "Relu": activations.relu, "Softplus": activations.softplus,
    "Softsign": activations.softsign, "Mish": activations.mish, "HardSwish": activations.hard_swish,
    "Not": ops.logical_not, "BitwiseNot": ops.bitwise_invert, "IsNaN": ops.isnan}
BINARY: dict[str, Callable[[Any, Any], Tensor]] = {
    "Add": ops.add, "Sub": ops.subtract, "Mul": ops.multiply, "And": ops.logical_and, "Or": ops.logical_or,
    "Xor": ops.logical_xor, "Equal": ops.equal, "Less": ops.less, "LessOrEqual": ops.less_equal,
    "Greater": ops.greater, "GreaterOrEqual": ops.greater_equal, "BitwiseAnd": ops.bitwise_and,
    "BitwiseOr": ops.bitwise_or, "BitwiseXor": ops.bitwise_xor}
VARIADIC: dict[str, Callable[[Any, Any], Tensor]] = {"Max": ops.maximum, "Min": ops.minimum, "Sum": ops.add}


def _put_plain() -> None:
    for name, function in UNARY.items():
        operator(name, images=True)(functools.partial(over_images, function))
    for name, binary in BINARY.items():
        operator(name, since=7, images=True)(functools.partial(over_images, binary))
        operator(name)(functools.partial(_from_axis, binary))
    for name, binary in VARIADIC.items():
        operator(name, images=True)(functools.partial(over_images, functools.partial(_joined, binary)))


def _from_axis(function: Callable[[Any, Any], Tensor], a: Array, b: Array, axis: int | None = None,
               broadcast: int = 0) -> Tensor:
    """Older versions: the second is broadcast where that is asked for, with its first axis at `axis` of the first."""
    if axis is not None:
        b = reshape(b, tuple(b.shape) + (1,) * (len(a.shape) - axis % len(a.shape) - len(b.shape)))
    return function(a, b)


def _joined(function: Callable[[Any, Any], Tensor], *inputs: Array) -> Tensor:
    return functools.reduce(function, inputs[1:], as_value(inputs[0]))


def elementwise(*names: str, since: int = 1) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a function of one tensor and attributes into the table; images stay as they are kept."""
    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        @operator(*names, since=since, images=True)
        @functools.wraps(function)
        def run(x: Any, *inputs: Any, **options: Any) -> Any:
            return over_images(lambda x: function(x, *inputs, **options), x)
        return function
    return put


_put_plain()


@operator("Mean", images=True)
def mean(*inputs: Any) -> Any:
    """The mean of several tensors."""
    return over_images(lambda *inputs: ops.divide(_joined(ops.add, *inputs), len(inputs)), *inputs)


@operator("Div", since=7, images=True)
def divide(a: Any, b: Any) -> Any:
    """The quotient; that of integers without its fraction."""
    return over_images(_quotient, a, b)


@operator("Div")
def divide_from_axis(a: Array, b: Array, axis: int | None = None, broadcast: int = 0) -> Tensor:
    """The quotient in older versions."""
    return _from_axis(_quotient, a, b, axis, broadcast)


def _quotient(a: Array, b: Array) -> Tensor:
    a, b = as_value(a), as_value(b)
    if not a.dtype.is_integer:
        return ops.divide(a, b)
    if a.dtype.kind == "uint":
        return ops.floor_divide(a, b)
    return ops.multiply(ops.multiply(ops.sign(a), ops.sign(b)), ops.floor_divide(ops.abs(a), ops.abs(b)))


@operator("Mod")
def modulo(a: Array, b: Array, fmod: int = 0) -> Tensor:
    """The remainder, with the sign of the divisor; with `fmod` with that of the dividend."""
    if not fmod:
        return ops.remainder(a, b)
    a, b = as_value(a), as_value(b)
    if a.dtype.is_integer:
        return ops.subtract(a, ops.multiply(_quotient(a, b), b))
    return cast(ops.fmod(a, b), a.dtype)


@operator("Pow", images=True)
def power(x: Any, y: Any) -> Any:
    """x ** y in the type of `x`."""
    return over_images(_power, x, y)


def _power(x: Array, y: Array) -> Tensor:
    x, y = as_value(x), as_value(y)
    if x.dtype.is_float and y.dtype is not x.dtype:
        y = cast(y, x.dtype)
    exact = cast(x, dtypes.float64) if x.dtype.is_integer and y.dtype.is_float else x
    return cast(ops.pow(exact, y), x.dtype)


@operator("PRelu")
def prelu_of_channels(x: Array, slope: Array) -> Tensor:
    """`prelu` in older versions, whose slopes are those of the channels."""
    return prelu(x, reshape(slope, (-1,) + (1,) * (len(x.shape) - 2)))


@operator("PRelu", since=7, images=True)
def prelu(x: Any, slope: Any) -> Any:
    """`x` where it is above 0, else slope times `x`."""
    return over_images(lambda x, slope: ops.where(ops.less(x, 0), ops.multiply(x, slope), x), x, slope)


@operator("Where", images=True)
def where(condition: Any, x: Any, y: Any) -> Any:
    """`x` where the condition holds, else `y`."""
    return over_images(ops.where, condition, x, y)


@operator("BitShift")
def bit_shift(x: Array, y: Array, direction: str) -> Tensor:
    """The bits of `x` moved to the left or right by `y`."""
    return (ops.bitwise_left_shift if direction == "LEFT" else ops.bitwise_right_shift)(x, y)


@elementwise("Identity")
def identity(x: Any) -> Any:
    """`x`."""
    return x


@elementwise("LeakyRelu")
def leaky_relu(x: Array, alpha: float = 0.01) -> Tensor:
    """`x`, and alpha times it below 0."""
    return activations.leaky_relu(x, alpha)


@elementwise("Elu")
def elu(x: Array, alpha: float = 1.0) -> Tensor:
    """`x`, and alpha (exp(x) - 1) below 0."""
    return activations.elu(x, alpha)


@elementwise("Celu")
def celu(x: Array, alpha: float = 1.0) -> Tensor:
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""
    return activations.celu(x, alpha)


@elementwise("Selu")
def selu(x: Array, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875) -> Tensor:
    """gamma times `elu`."""
    return ops.multiply(activations.elu(x, alpha), gamma)


@elementwise("HardSigmoid")
def hard_sigmoid(x: Array, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """alpha x + beta between 0 and 1."""
    return ops.clip(ops.add(ops.multiply(x, alpha), beta), 0.0, 1.0)


@elementwise("ThresholdedRelu")
def thresholded_relu(x: Array, alpha: float = 1.0) -> Tensor:
    """`x` where it is above alpha, else 0."""
    return ops.where(ops.greater(x, alpha), x, 0.0)


@elementwise("Shrink")
def shrink(x: Array, bias: float = 0.0, lambd: float = 0.5) -> Tensor:
    """0 near 0, else `x` nearer to 0 by the bias."""
    x = as_value(x)
    moved = ops.where(ops.less(x, -lambd), ops.add(cast(x, dtypes.float64), bias),
                      ops.where(ops.greater(x, lambd), ops.subtract(cast(x, dtypes.float64), bias), 0.0))
    return cast(moved, x.dtype)


@elementwise("Gelu")
def gelu(x: Array, approximate: str = "none") -> Tensor:
    """x times the share of a normal distribution below it."""
    return activations.gelu(x, approximate="tanh" if approximate == "tanh" else False)


@elementwise("Swish")
def swish(x: Array, alpha: float = 1.0) -> Tensor:
    """x sigmoid(alpha x)."""
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, alpha)))


@elementwise("IsInf")
def is_infinite(x: Array, detect_negative: int = 1, detect_positive: int = 1) -> Tensor:
    """Whether an element is infinite, of the signs that are asked for."""
    sides = [ops.equal(x, sign * math.inf)
             for sign, is_asked in ((1, detect_positive), (-1, detect_negative)) if is_asked]
    return functools.reduce(ops.logical_or, sides) if sides else ops.not_equal(x, x)


@elementwise("Clip")
def clip(x: Array, min: Array | float | None = None, max: Array | float | None = None) -> Tensor:
    """`x` between two numbers."""
    x = as_value(x)
    x = x if min is None else ops.maximum(x, _like(min, x))
    return x if max is None else ops.minimum(x, _like(max, x))


def _like(value: Array | float, x: Tensor) -> Tensor:
    return as_value(value, x.dtype) if isinstance(value, float) else as_value(value)


