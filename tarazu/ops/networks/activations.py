"""Activations: functions that networks apply to each element."""

from __future__ import annotations

import math
from typing import Any

from tarazu.base.errors import ShapeError
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import (
    abs,
    add,
    divide,
    erf,
    exp,
    expm1,
    greater,
    greater_equal,
    less_equal,
    log1p,
    multiply,
    negative,
    sigmoid,
    tanh,
    where,
)
from tarazu.ops.promote import as_float, as_value
from tarazu.ops.shape import normalize_axis, slice_axis


def relu(x: Any) -> Any:
    """x where it is positive, 0 elsewhere; the gradient at 0 is 0.

    >>> import tarazu as tz
    >>> tz.relu(tz.tensor([-1.0, 2.0]))
    Tensor([0., 2.], dtype=float32)
    """
    return where(less_equal(x, 0), 0, x)


def relu6(x: Any) -> Any:
    """x between 0 and 6, and these bounds beyond (Howard et al., 2017); the gradient at 0 and 6 is 0.

    >>> import tarazu as tz
    >>> tz.relu6(tz.tensor([-1.0, 2.0, 9.0]))
    Tensor([0., 2., 6.], dtype=float32)
    """
    return _straight(x, 0, 6)


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """x where it is positive, `slope` times x elsewhere (Maas, Hannun and Ng, 2013).

    >>> import tarazu as tz
    >>> tz.leaky_relu(tz.tensor([-1.0, 2.0]), slope=0.5)
    Tensor([-0.5,  2. ], dtype=float32)
    """
    return where(less_equal(x, 0), multiply(x, slope), x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, alpha (exp(x) - 1) elsewhere (Clevert, Unterthiner and Hochreiter, 2015).

    >>> import tarazu as tz
    >>> tz.elu(tz.tensor([-100.0, 2.0]))
    Tensor([-1.,  2.], dtype=float32)
    """
    negative = less_equal(x, 0)
    return where(negative, multiply(expm1(where(negative, x, 0)), alpha), x)


def selu(x: Any) -> Any:
    """`elu` with the scale and alpha that keep mean 0 and variance 1 through layers (Klambauer et al., 2017).

    >>> import tarazu as tz
    >>> tz.selu(tz.tensor([-100.0, 1.0]))
    Tensor([-1.7580993,  1.050701 ], dtype=float32)
    """
    return multiply(elu(x, alpha=1.6732632423543772), 1.0507009873554805)


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), a smooth relu, without overflow.

    >>> import tarazu as tz
    >>> tz.softplus(tz.tensor([-1000.0, 1000.0]))
    Tensor([   0., 1000.], dtype=float32)
    """
    x = as_float(x)
    positive = greater(x, 0)  # smooth on each side, so that derivatives of every order hold at 0 too
    return add(where(positive, x, 0), log1p(exp(where(positive, negative(x), x))))


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)), without the loss of digits far out.

    >>> import tarazu as tz
    >>> tz.log_sigmoid(tz.tensor([-1000.0, 1000.0]))
    Tensor([-1000.,    -0.], dtype=float32)
    """
    return negative(softplus(negative(as_float(x))))


def softsign(x: Any) -> Any:
    """x / (1 + |x|), from -1 to 1 (Turian, Bergstra and Bengio, 2009).

    >>> import tarazu as tz
    >>> tz.softsign(tz.tensor([-1.0, 3.0]))
    Tensor([-0.5 ,  0.75], dtype=float32)
    """
    return divide(x, add(abs(x), 1))


def hard_tanh(x: Any, low: float = -1.0, high: float = 1.0) -> Any:
    """x between `low` and `high`, and these bounds beyond; the gradient at the bounds is 0.

    >>> import tarazu as tz
    >>> tz.hard_tanh(tz.tensor([-3.0, 0.5]))
    Tensor([-1. ,  0.5], dtype=float32)
    """
    return _straight(x, low, high)


def _straight(x: Any, low: float, high: float) -> Any:
    """`clip`, but that the bounds keep the whole gradient, as in `relu`."""
    return where(less_equal(x, low), low, where(greater_equal(x, high), high, x))


def hard_sigmoid(x: Any) -> Any:
    """The straight line x / 6 + 1 / 2, from 0 to 1 (Howard et al., 2019).

    >>> import tarazu as tz
    >>> tz.hard_sigmoid(tz.tensor([-4.0, 0.0]))
    Tensor([0. , 0.5], dtype=float32)
    """
    return divide(relu6(add(x, 3)), 6)


def hard_swish(x: Any) -> Any:
    """x hard_sigmoid(x), a `silu` of straight lines (Howard et al., 2019).

    >>> import tarazu as tz
    >>> tz.hard_swish(tz.tensor([-4.0, 3.0]))
    Tensor([-0.,  3.], dtype=float32)
    """
    return multiply(x, hard_sigmoid(x))


def gelu(x: Any, *, approximate: bool = False) -> Any:
    """x times the normal distribution function of x (Hendrycks and Gimpel, 2016).

    In its exact form, or, when `approximate`, by the tanh of the same paper, as GPT-2 has it.

    >>> import tarazu as tz
    >>> x = tz.tensor(1.0)
    >>> round(tz.gelu(x).item(), 4), round(tz.gelu(x, approximate=True).item(), 4)
    (0.8413, 0.8412)
    """
    return _gelu_tanh(as_float(x)) if approximate else _gelu(as_float(x))


@composite("gelu")
def _gelu(x: Any) -> Any:
    return multiply(multiply(x, 0.5), add(erf(multiply(x, 1 / math.sqrt(2))), 1.0))


@composite("gelu_tanh")
def _gelu_tanh(x: Any) -> Any:
    inner = multiply(multiply(x, add(multiply(multiply(x, x), 0.044715), 1.0)), math.sqrt(2 / math.pi))
    return multiply(multiply(x, 0.5), add(tanh(inner), 1.0))


@composite("silu")
def silu(x: Any) -> Any:
    """x sigmoid(x), also called swish (Ramachandran, Zoph and Le, 2017).

    >>> import tarazu as tz
    >>> round(tz.silu(tz.tensor(1.0)).item(), 4)
    0.7311
    """
    return multiply(x, sigmoid(x))


@composite("mish")
def mish(x: Any) -> Any:
    """x tanh(softplus(x)) (Misra, 2019).

    >>> import tarazu as tz
    >>> round(tz.mish(tz.tensor(1.0)).item(), 4)
    0.8651
    """
    return multiply(x, tanh(softplus(x)))


def glu(x: Any, axis: int = -1) -> Any:
    """The first half of an axis times the sigmoid of the second (Dauphin et al., 2017); ShapeError for an odd size.

    >>> import tarazu as tz
    >>> tz.glu(tz.tensor([3.0, 4.0, 0.0, 100.0]))
    Tensor([1.5, 4. ], dtype=float32)
    """
    x = as_value(x)
    place = normalize_axis(axis, len(x.shape), "glu")
    size = x.shape[place]
    if size % 2:
        raise ShapeError(f"glu: axis {axis} of shape {x.shape}", expected="an even size, as it is cut in halves",
                         fix="give the layer before it twice as many outputs")
    return multiply(slice_axis(x, place, 0, size // 2), sigmoid(slice_axis(x, place, size // 2, size)))
