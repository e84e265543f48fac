"""Softmax and its kin: the elements along an axis as probabilities."""

from __future__ import annotations

from typing import Any

from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import divide, exp, log, multiply, negative, stop_gradient, subtract
from tarazu.ops.promote import as_float
from tarazu.ops.reduce import max, sum


def softmax(x: Any, axis: int = -1) -> Any:
    """Positive numbers that sum to 1 along an axis: exp(x) over its sum, without overflow.

    An element of -inf gets 0. Where all are -inf there is no such distribution and the result is nan (attention, where
    that happens to masked rows, gives zeros).

    >>> import tarazu as tz
    >>> tz.softmax(tz.tensor([1000.0, 1000.0]))
    Tensor([0.5, 0.5], dtype=float32)
    """
    return _softmax(as_float(x), axis=axis)


def softmin(x: Any, axis: int = -1) -> Any:
    """`softmax` of -x: the smallest element gets the largest share.

    >>> import tarazu as tz
    >>> tz.softmin(tz.tensor([0.0, 1000.0]))
    Tensor([1., 0.], dtype=float32)
    """
    return softmax(negative(as_float(x)), axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of `softmax`, without the loss of digits.

    >>> import tarazu as tz
    >>> tz.log_softmax(tz.tensor([0.0, -1000.0]))
    Tensor([    0., -1000.], dtype=float32)
    """
    return _log_softmax(as_float(x), axis=axis)


@composite("softmax_vjp")
def softmax_cotangent(g: Any, y: Any, *, axis: int) -> Any:
    """The cotangent of x from that of y = softmax(x): y (g - sum(g y))."""
    return multiply(y, subtract(g, sum(multiply(g, y), axis, keepdims=True)))


@composite("log_softmax_vjp")
def _log_softmax_cotangent(g: Any, y: Any, *, axis: int) -> Any:
    return subtract(g, multiply(exp(y), sum(g, axis, keepdims=True)))


def _softmax_rule(cotangents: Any, outputs: Any, inputs: Any, needed: Any, *, axis: int) -> list[Any]:
    return [softmax_cotangent(cotangents[0], outputs[0], axis=axis)]


def _log_softmax_rule(cotangents: Any, outputs: Any, inputs: Any, needed: Any, *, axis: int) -> list[Any]:
    return [_log_softmax_cotangent(cotangents[0], outputs[0], axis=axis)]


@composite("softmax", gradient=_softmax_rule)
def _softmax(x: Any, *, axis: int) -> Any:
    raised = exp(subtract(x, stop_gradient(max(x, axis, keepdims=True))))
    return divide(raised, sum(raised, axis, keepdims=True))


@composite("log_softmax", gradient=_log_softmax_rule)
def _log_softmax(x: Any, *, axis: int) -> Any:
    shifted = subtract(x, stop_gradient(max(x, axis, keepdims=True)))  # x - logsumexp(x) would lose digits of large x
    return subtract(shifted, log(sum(exp(shifted), axis, keepdims=True)))
