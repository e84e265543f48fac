"""Activation functions, element by element, and the gated linear unit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.interpreter import state
from tarazu.ir.node import Symbolic
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import (
    abs,
    add,
    clip,
    divide,
    erf,
    exp,
    expm1,
    greater,
    greater_equal,
    less,
    less_equal,
    log1p,
    logical_and,
    multiply,
    negative,
    sigmoid,
    stop_gradient,
    subtract,
    tanh,
    where,
)
from tarazu.ops.promote import as_float, as_value, rounded_like, single
from tarazu.ops.shape import normalize_axis, slice_axis
from tarazu.ops.typing import ArrayLike, Tensor


def relu(x: ArrayLike) -> Tensor:
    """x where it is positive, 0 elsewhere (Nair and Hinton, 2010); the gradient at 0 is 0.

    The shape stays. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.relu(tz.tensor([-1.0, 2.0]))
    Tensor([0., 2.], dtype=float32)
    """
    x = as_value(x)
    if state.interpreter.compiles_often and not isinstance(x.raw, Symbolic):  # one call, for one size
        return _relu(x)
    return where(less_equal(x, 0), 0, x)


def _relu_cotangent_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                         needed: Sequence[bool]) -> list[Tensor | None]:
    return [relu_cotangent(cotangents[0], inputs[1]), None]  # no zeros for y, which infinity would make NaN


@composite("relu_vjp", gradient=_relu_cotangent_rule)
def relu_cotangent(g: Tensor, y: Tensor) -> Tensor:
    """The cotangent of x from that of y = relu(x)."""
    return where(less_equal(y, 0), 0, g)


def tanh_cotangent(g: Tensor, y: Tensor) -> Tensor:
    """The cotangent of x from that of y = tanh(x)."""
    return multiply(g, subtract(1.0, multiply(y, y)))


def sigmoid_cotangent(g: Tensor | float, y: Tensor) -> Tensor:
    """The cotangent of x from that of y = sigmoid(x)."""
    return multiply(multiply(g, y), subtract(1.0, y))


def _relu_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
               needed: Sequence[bool]) -> list[Tensor | None]:
    return [relu_cotangent(cotangents[0], outputs[0])]


@composite("relu", gradient=_relu_rule)
def _relu(x: Tensor) -> Tensor:
    return where(less_equal(x, 0), 0, x)


def relu6(x: ArrayLike) -> Tensor:
    """x between 0 and 6, and these bounds beyond (Krizhevsky, 2010); the gradient at 0 and 6 is 0.

    The shape stays. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.relu6(tz.tensor([-1.0, 2.0, 9.0]))
    Tensor([0., 2., 6.], dtype=float32)
    """
    return _clamped(x, 0, 6)


def leaky_relu(x: ArrayLike, slope: float = 0.01) -> Tensor:
    """x where it is positive, `slope` times x elsewhere (Maas, Hannun and Ng, 2013, whose slope is the default).

    The shape stays; integers become float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.leaky_relu(tz.tensor([-1.0, 2.0]), slope=0.5)
    Tensor([-0.5,  2. ], dtype=float32)
    """
    return where(greater(x, 0), x, multiply(x, slope))


def elu(x: ArrayLike, alpha: float = 1.0) -> Tensor:
    """x where it is positive, alpha (exp(x) - 1) elsewhere (Clevert, Unterthiner and Hochreiter, 2015).

    The shape stays; integers become float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.elu(tz.tensor([-100.0, 2.0]))
    Tensor([-1.,  2.], dtype=float32)
    """
    is_low = less_equal(x, 0)
    return where(is_low, multiply(expm1(where(is_low, x, 0)), alpha), x)


def celu(x: ArrayLike, alpha: float = 1.0) -> Tensor:
    """x where it is positive, alpha (exp(x / alpha) - 1) elsewhere (Barron, 2017): `elu` without its kink at 0.

    The shape stays; integers become float32. ArgumentError for an alpha of 0 or below, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.celu(tz.tensor([-100.0, 2.0]), alpha=2.0)
    Tensor([-2.,  2.], dtype=float32)
    """
    _require_positive("celu", "alpha", alpha)
    is_low = less_equal(x, 0)
    return where(is_low, multiply(expm1(divide(where(is_low, x, 0), alpha)), alpha), x)


def selu(x: ArrayLike) -> Tensor:
    """`elu` with the scale and alpha that keep mean 0 and variance 1 through layers (Klambauer et al., 2017).

    The shape stays; integers become float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.selu(tz.tensor([-100.0, 1.0]))
    Tensor([-1.7580993,  1.050701 ], dtype=float32)
    """
    return multiply(elu(x, alpha=1.6732632423543772), 1.0507009873554805)


def softplus(x: ArrayLike, beta: float = 1.0, *, threshold: float | None = None) -> Tensor:
    """log(1 + exp(beta x)) / beta, a smooth relu, without overflow (Dugas et al., 2001).

    Larger `beta` bends more sharply at 0. Where beta x is above `threshold` the result is x itself; torch does so above
    20, which loses digits, and overflow does not need it here. The shape stays; integers become float32. ArgumentError
    for a beta of 0 or below, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.softplus(tz.tensor([-1000.0, 1000.0]))
    Tensor([   0., 1000.], dtype=float32)
    """
    _require_positive("softplus", "beta", beta)
    x = as_float(x)
    smooth = _softplus(x) if beta == 1 else divide(_softplus(multiply(x, beta)), beta)
    return smooth if threshold is None else where(greater(multiply(x, beta), threshold), x, smooth)


def _require_positive(name: str, option: str, value: float) -> None:
    if not value > 0:
        raise ArgumentError(f"{name}: {option}={value!r}", expected="a number above 0", fix="leave it out for 1")


def _softplus(x: Tensor) -> Tensor:
    positive = greater(x, 0)  # smooth on each side, so that derivatives of every order hold at 0 too
    return add(where(positive, x, 0), log1p(exp(where(positive, negative(x), x))))


def log_sigmoid(x: ArrayLike) -> Tensor:
    """log(sigmoid(x)), without the loss of digits far from 0.

    The shape stays; integers become float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.log_sigmoid(tz.tensor([-1000.0, 1000.0]))
    Tensor([-1000.,    -0.], dtype=float32)
    """
    return negative(softplus(negative(as_float(x))))


def softsign(x: ArrayLike) -> Tensor:
    """x / (1 + |x|), from -1 to 1 (Turian, Bergstra and Bengio, 2009).

    The shape stays; integers become float32.

    >>> import tarazu as tz
    >>> tz.softsign(tz.tensor([-1.0, 3.0]))
    Tensor([-0.5 ,  0.75], dtype=float32)
    """
    return divide(x, add(abs(x), 1))


def hard_tanh(x: ArrayLike, low: float = -1.0, high: float = 1.0) -> Tensor:
    """x between `low` and `high`, and these bounds beyond (Collobert, 2004); the gradient at the bounds is 0.

    The shape stays. ArgumentError for a `low` above `high`, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.hard_tanh(tz.tensor([-3.0, 0.5]))
    Tensor([-1. ,  0.5], dtype=float32)
    """
    if not low <= high:
        raise ArgumentError(f"hard_tanh: low={low!r}, high={high!r}", expected="a low that is not above high",
                            fix="exchange them")
    return _clamped(x, low, high)


def _clamped(x: ArrayLike, low: float, high: float) -> Tensor:
    """`clip`, but with gradient 0 at the bounds, as in `relu`, and at nan."""
    return where(logical_and(greater(x, low), less(x, high)), x, stop_gradient(clip(x, low, high)))


def hard_sigmoid(x: ArrayLike) -> Tensor:
    """The straight line x / 6 + 1 / 2, cut off at 0 and 1 (Howard et al., 2019).

    The shape stays; integers become float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.hard_sigmoid(tz.tensor([-4.0, 0.0]))
    Tensor([0. , 0.5], dtype=float32)
    """
    return divide(relu6(add(x, 3)), 6)


def hard_swish(x: ArrayLike) -> Tensor:
    """x hard_sigmoid(x), a `silu` without exponentials (Howard et al., 2019).

    The shape stays; integers become float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.hard_swish(tz.tensor([-4.0, 3.0]))
    Tensor([-0.,  3.], dtype=float32)
    """
    return multiply(x, hard_sigmoid(x))


def threshold(x: ArrayLike, threshold: float, value: float = 0.0) -> Tensor:
    """x where it is above `threshold`, `value` elsewhere; the gradient there is 0.

    The shape stays; a `value` with a fraction makes integers float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.threshold(tz.tensor([-1.0, 0.5, 2.0]), 1.0, -9.0)
    Tensor([-9., -9.,  2.], dtype=float32)
    """
    return where(greater(x, threshold), x, value)


def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> Tensor:
    """x where |x| is above `threshold`, 0 elsewhere (hard thresholding; Donoho and Johnstone, 1994).

    The shape stays. ArgumentError for a threshold below 0, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.hard_shrink(tz.tensor([-2.0, 0.25, 1.0]))
    Tensor([-2.,  0.,  1.], dtype=float32)
    """
    _require_threshold("hard_shrink", threshold)
    return where(_is_within(x, threshold), 0, x)


def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> Tensor:
    """x moved by `threshold` towards 0, and 0 within that distance (soft thresholding; Donoho and Johnstone, 1994).

    The shape stays; integers become float32. ArgumentError for a threshold below 0, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.soft_shrink(tz.tensor([-2.0, 0.25, 1.0]))
    Tensor([-1.5,  0. ,  0.5], dtype=float32)
    """
    _require_threshold("soft_shrink", threshold)
    x = as_float(x)
    moved = where(greater(x, 0), subtract(x, threshold), add(x, threshold))
    return where(_is_within(x, threshold), 0, moved)


def _is_within(x: ArrayLike, threshold: float) -> Tensor:
    return logical_and(less_equal(x, threshold), greater_equal(x, -threshold))


def _require_threshold(name: str, threshold: float) -> None:
    if not threshold >= 0:
        raise ArgumentError(f"{name}: threshold={threshold!r}", expected="a number of at least 0",
                            fix="leave it out for 0.5")


def tanh_shrink(x: ArrayLike) -> Tensor:
    """x - tanh(x): about x ** 3 / 3 near 0, and x moved by 1 towards 0 far out.

    The shape stays; integers become float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.tanh_shrink(tz.tensor([-100.0, 0.0]))
    Tensor([-99.,   0.], dtype=float32)
    """
    return subtract(x, tanh(x))


def gelu(x: ArrayLike, *, approximate: bool | str = False) -> Tensor:
    """x times the normal distribution function of x (Hendrycks and Gimpel, 2016).

    Exactly, or, when `approximate`, by the formula with tanh of the same paper, as in GPT-2 (Radford et al., 2019);
    torch's names "none" and "tanh" serve too. The shape stays; integers become float32. DTypeError for complex numbers,
    ArgumentError for another name.

    >>> import tarazu as tz
    >>> x = tz.tensor(1.0)
    >>> round(tz.gelu(x).item(), 4), round(tz.gelu(x, approximate=True).item(), 4)
    (0.8413, 0.8412)
    """
    if approximate not in (False, True, "none", "tanh"):
        raise ArgumentError(f"gelu: approximate={approximate!r}", expected='False or "none", True or "tanh"',
                            fix="leave it out for the exact function")
    return _gelu_tanh(as_float(x)) if approximate in (True, "tanh") else _gelu(as_float(x))


# Their gradients are products with a derivative, which depends on x alone: a compiler may compute it beside the value,
# and keep it in the place of x.

_CUBIC, _SCALE = 0.044715, math.sqrt(2 / math.pi)


def _gelu_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
               needed: Sequence[bool]) -> list[Tensor | None]:
    x = single(inputs[0])
    density = multiply(exp(multiply(multiply(x, x), -0.5)), 1 / math.sqrt(2 * math.pi))
    derivative = add(multiply(_twice_normal(x), 0.5), multiply(x, density))
    return [rounded_like(multiply(single(cotangents[0]), derivative), inputs[0])]


def _twice_normal(x: Tensor) -> Tensor:
    return add(erf(multiply(x, 1 / math.sqrt(2))), 1.0)


@composite("gelu", gradient=_gelu_rule)
def _gelu(x: Tensor) -> Tensor:
    wide = single(x)
    return rounded_like(multiply(multiply(wide, 0.5), _twice_normal(wide)), x)


def _gelu_tanh_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                    needed: Sequence[bool]) -> list[Tensor | None]:
    x, y = single(inputs[0]), single(outputs[0])
    gate = _gate(x)
    slope = add(multiply(multiply(x, x), 6 * _CUBIC * _SCALE), 2 * _SCALE)
    derivative = add(gate, multiply(multiply(y, subtract(1.0, gate)), slope))
    return [rounded_like(multiply(single(cotangents[0]), derivative), inputs[0])]


def _gate(x: Tensor) -> Tensor:
    """(1 + tanh(u)) / 2 = sigmoid(2 u), in fewer operations, with the digits that the sum loses where u is negative."""
    return sigmoid(multiply(x, add(multiply(multiply(x, x), 2 * _CUBIC * _SCALE), 2 * _SCALE)))


@composite("gelu_tanh", gradient=_gelu_tanh_rule)
def _gelu_tanh(x: Tensor) -> Tensor:
    wide = single(x)
    return rounded_like(multiply(wide, _gate(wide)), x)


def _silu_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
               needed: Sequence[bool]) -> list[Tensor | None]:
    part = sigmoid(inputs[0])
    return [multiply(cotangents[0], add(part, multiply(outputs[0], subtract(1.0, part))))]


@composite("silu", gradient=_silu_rule)
def silu(x: ArrayLike) -> Tensor:
    """x sigmoid(x) (Elfwing, Uchibe and Doya, 2017), also called swish (Ramachandran, Zoph and Le, 2017).

    The shape stays; integers become float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> round(tz.silu(tz.tensor(1.0)).item(), 4)
    0.7311
    """
    return multiply(x, sigmoid(x))


@composite("mish")
def mish(x: ArrayLike) -> Tensor:
    """x tanh(softplus(x)) (Misra, 2019).

    The shape stays; integers become float32. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> round(tz.mish(tz.tensor(1.0)).item(), 4)
    0.8651
    """
    return multiply(x, tanh(softplus(x)))


def glu(x: ArrayLike, axis: int = -1) -> Tensor:
    """The first half of an axis times the sigmoid of the second (Dauphin et al., 2017): (..., 2 n) to (..., n).

    ShapeError for an odd size, AxisError for an axis that `x` lacks, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.glu(tz.tensor([3.0, 4.0, 0.0, 100.0]))
    Tensor([1.5, 4. ], dtype=float32)
    """
    x = as_value(x)
    number = normalize_axis(axis, len(x.shape), "glu")
    size = x.shape[number]
    if size % 2:
        raise ShapeError(f"glu: axis {axis} of shape {x.shape}", expected="an even size, as it is cut in halves",
                         fix="give the layer before it twice as many outputs")
    return multiply(slice_axis(x, number, 0, size // 2), sigmoid(slice_axis(x, number, size // 2, size)))
