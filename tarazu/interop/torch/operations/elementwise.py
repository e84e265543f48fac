"""ATen's functions of single elements, comparisons and logic, and the arithmetic of sizes."""

from __future__ import annotations

import math
import operator

from tarazu.base.dtypes import DType, bool_
from tarazu.interop.imported import Operation
from tarazu.ops import elementwise as ops
from tarazu.ops.networks import activations
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, Tensor


def _add(x: ArrayLike, y: ArrayLike, alpha: float = 1) -> Tensor:
    return ops.add(x, y if alpha == 1 else ops.multiply(y, alpha))


def _multiply(x: ArrayLike, y: ArrayLike) -> Tensor:
    if as_value(x).dtype is bool_ and as_value(y).dtype is bool_:  # which stay booleans in torch
        return ops.logical_and(x, y)
    return ops.multiply(x, y)


def _subtract(x: ArrayLike, y: ArrayLike, alpha: float = 1) -> Tensor:
    return ops.subtract(x, y if alpha == 1 else ops.multiply(y, alpha))


def _subtract_from(x: ArrayLike, y: ArrayLike, alpha: float = 1) -> Tensor:
    return _subtract(y, x, alpha)


def _divide(x: ArrayLike, y: ArrayLike, rounding_mode: str | None = None) -> Tensor:
    if rounding_mode == "floor":
        return ops.floor_divide(x, y)
    quotient = ops.divide(x, y)
    if rounding_mode is None:
        return quotient
    is_whole = not (as_value(x).dtype.is_inexact or as_value(y).dtype.is_inexact)
    whole = ops.trunc(quotient)
    return ops.astype(whole, as_value(x).dtype) if is_whole else whole


def _clamp(x: ArrayLike, low: ArrayLike | None = None, high: ArrayLike | None = None) -> Tensor:
    bounded = x if low is None else ops.maximum(x, low)
    return as_value(bounded if high is None else ops.minimum(bounded, high))


def _to(x: Tensor, dtype: DType | None = None, non_blocking: bool = False) -> Tensor:
    return x if dtype is None else ops.astype(x, dtype, copy=False)


def _same(x: Tensor) -> Tensor:
    return x


def _elu(x: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    negative = ops.multiply(ops.expm1(ops.multiply(ops.minimum(x, 0), input_scale)), alpha * scale)
    return ops.where(ops.greater(x, 0), ops.multiply(x, scale), negative)


def _gelu(x: Tensor, approximate: str = "none") -> Tensor:
    return activations.gelu(x, approximate=approximate == "tanh")


def _softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    return activations.softplus(x, beta, threshold=threshold)


def _prelu(x: Tensor, weight: Tensor) -> Tensor:
    return ops.where(ops.greater(x, 0), x, ops.multiply(x, weight))


def _log_sigmoid(x: Tensor) -> tuple[Tensor, Tensor]:
    return activations.log_sigmoid(x), x


def _truth(function: Operation) -> Operation:
    """A function of bits, for booleans too: torch takes numbers as true where they are not 0."""
    return lambda *operands: function(*(ops.not_equal(x, 0) if as_value(x).dtype is not bool_ else x for x in operands))


def _fill(x: Tensor, value: ArrayLike) -> Tensor:
    return ops.where(True, ops.astype(as_value(value), x.dtype), x)


def _sign(x: Tensor) -> Tensor:
    return x if x.dtype is bool_ else ops.sign(x)


SAME_NAMES = (
    "abs ceil floor trunc reciprocal rsqrt sqrt square exp exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan "
    "sinh cosh tanh asinh acosh atanh erf erfc erfinv sigmoid lgamma digamma isfinite maximum minimum logaddexp "
    "logaddexp2 fmod remainder atan2 where hypot copysign signbit nextafter logit heaviside")

TABLE: dict[str, Operation] = {
    "add": _add, "sub": _subtract, "rsub": _subtract_from, "mul": _multiply, "div": _divide, "true_divide": _divide,
    "floor_divide": ops.floor_divide, "pow": ops.pow, "neg": ops.negative, "sign": _sign, "sgn": _sign,
    "round": ops.round, "clamp": _clamp, "clamp_min": _clamp,
    "clamp_max": lambda x, high: _clamp(x, None, high),
    "lerp": lambda x, end, weight: ops.add(x, ops.multiply(weight, ops.subtract(end, x))),
    "addcmul": lambda x, y, z, value=1: ops.add(x, ops.multiply(ops.multiply(y, z), value)),
    "addcdiv": lambda x, y, z, value=1: ops.add(x, ops.multiply(ops.divide(y, z), value)),
    "eq": ops.equal, "ne": ops.not_equal, "lt": ops.less, "le": ops.less_equal, "gt": ops.greater,
    "ge": ops.greater_equal,
    "isnan": ops.isnan, "isinf": ops.isinf,
    "logical_and": _truth(ops.logical_and), "logical_or": _truth(ops.logical_or),
    "logical_xor": _truth(ops.logical_xor), "logical_not": _truth(ops.logical_not),
    "bitwise_and": ops.bitwise_and, "bitwise_or": ops.bitwise_or, "bitwise_xor": ops.bitwise_xor,
    "bitwise_not": ops.bitwise_invert, "bitwise_left_shift": ops.bitwise_left_shift,
    "bitwise_right_shift": ops.bitwise_right_shift, "__lshift__": ops.bitwise_left_shift,
    "__rshift__": ops.bitwise_right_shift,
    "masked_fill": ops.masked_fill, "fill": _fill,
    "copy": lambda x, source, non_blocking=False: _fill(x, source),
    "_to_copy": _to, "to.dtype": _to, "clone": _same, "alias": _same, "lift_fresh_copy": _same, "contiguous": _same,
    "detach": ops.stop_gradient,
    "relu": activations.relu, "relu6": activations.relu6, "gelu": _gelu, "silu": activations.silu,
    "hardtanh": activations.hard_tanh, "hardswish": activations.hard_swish, "hardsigmoid": activations.hard_sigmoid,
    "elu": _elu, "celu": lambda x, alpha=1.0: activations.celu(x, alpha), "selu": activations.selu,
    "leaky_relu": activations.leaky_relu, "softplus": _softplus, "mish": activations.mish,
    "threshold": activations.threshold, "_prelu_kernel": _prelu, "log_sigmoid_forward": _log_sigmoid,
    "log_sigmoid": activations.log_sigmoid, "softshrink": activations.soft_shrink,
    "hardshrink": activations.hard_shrink,
}
TABLE |= {name: getattr(ops, name) for name in SAME_NAMES.split()}

SIZES: dict[str, Operation] = {f"operator.{name}": getattr(operator, name) for name in (
    "add", "sub", "mul", "floordiv", "truediv", "mod", "neg", "pow", "eq", "ne", "lt", "le", "gt", "ge", "and_", "or_")}
SIZES |= {"math.ceil": math.ceil, "math.floor": math.floor, "math.trunc": math.trunc, "math.sqrt": math.sqrt,
          "sym_max": max, "sym_min": min, "sym_float": float, "sym_int": int, "sym_not": operator.not_,
          "sym_sum": sum, "sym_ite": lambda condition, first, second: first if condition else second}
