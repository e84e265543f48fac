"""What networks are made of: activations, softmax, normalisation. Composites are `call` nodes with these bodies."""

from __future__ import annotations

import math
from typing import Any

from tarazu.ops.control import composite
from tarazu.ops.elementwise import (
    add,
    divide,
    erf,
    exp,
    expm1,
    greater,
    less_equal,
    log1p,
    multiply,
    negative,
    sigmoid,
    sqrt,
    stop_gradient,
    subtract,
    where,
)
from tarazu.ops.promote import as_float
from tarazu.ops.reduce import logsumexp, max, mean, sum, var


def relu(x: Any) -> Any:
    """x where it is positive, 0 elsewhere; the gradient at 0 is 0.

    >>> import tarazu as tz
    >>> tz.relu(tz.tensor([-1.0, 2.0]))
    Tensor([0., 2.], dtype=float32)
    """
    return where(less_equal(x, 0), 0, x)


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """x where it is positive, `slope` times x elsewhere (Maas, Hannun and Ng, 2013)."""
    return where(less_equal(x, 0), multiply(x, slope), x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, alpha (exp(x) - 1) elsewhere (Clevert, Unterthiner and Hochreiter, 2015)."""
    negative = less_equal(x, 0)
    return where(negative, multiply(expm1(where(negative, x, 0)), alpha), x)


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), a smooth relu, without overflow."""
    x = as_float(x)
    positive = greater(x, 0)  # smooth on each side, so that derivatives of every order hold at 0 too
    return add(where(positive, x, 0), log1p(exp(where(positive, negative(x), x))))


@composite("gelu")
def gelu(x: Any) -> Any:
    """x times the normal distribution function of x (Hendrycks and Gimpel, 2016), in its exact form."""
    return multiply(multiply(x, 0.5), add(erf(multiply(x, 1 / math.sqrt(2))), 1.0))


@composite("silu")
def silu(x: Any) -> Any:
    """x sigmoid(x), also called swish (Ramachandran, Zoph and Le, 2017)."""
    return multiply(x, sigmoid(x))


def softmax(x: Any, axis: int = -1) -> Any:
    """Positive numbers that sum to 1 along an axis: exp(x) over its sum, without overflow.

    >>> import tarazu as tz
    >>> tz.softmax(tz.tensor([1000.0, 1000.0]))
    Tensor([0.5, 0.5], dtype=float32)
    """
    return _softmax(as_float(x), axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of `softmax`, without the loss of digits."""
    return _log_softmax(as_float(x), axis=axis)


@composite("softmax")
def _softmax(x: Any, *, axis: int) -> Any:
    raised = exp(subtract(x, stop_gradient(max(x, axis, keepdims=True))))
    return divide(raised, sum(raised, axis, keepdims=True))


@composite("log_softmax")
def _log_softmax(x: Any, *, axis: int) -> Any:
    return subtract(x, logsumexp(x, axis, keepdims=True))


def layer_norm(x: Any, weight: Any, bias: Any, *, epsilon: float = 1e-5) -> Any:
    """The last axis shifted to mean 0, scaled to variance 1, then times weight plus bias (Ba, Kiros and Hinton, 2016).

    `weight` and `bias` have the size of the last axis; `epsilon` is added to the variance.
    """
    return _layer_norm(x, weight, bias, epsilon=epsilon)


@composite("layer_norm")
def _layer_norm(x: Any, weight: Any, bias: Any, *, epsilon: float) -> Any:
    centred = subtract(x, mean(x, -1, keepdims=True))
    scaled = divide(centred, sqrt(add(var(x, -1, keepdims=True), epsilon)))
    return add(multiply(scaled, weight), bias)
