"""Softmax, softmin and the logarithm of softmax, with gradients of their own."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import divide, exp, log, multiply, negative, stop_gradient, subtract
from tarazu.ops.promote import as_float, rounded_like, single
from tarazu.ops.reduce import max, sum
from tarazu.ops.typing import ArrayLike, Tensor


def softmax(x: ArrayLike, axis: int = -1) -> Tensor:
    """exp(x) over its sum along an axis, without overflow: positive numbers that sum to 1 (Bridle, 1990).

    The shape stays; integers become float32. An element of -inf gets 0; where all are -inf there is no such
    distribution and the result is nan (attention, where that happens to masked rows, gives zeros). AxisError for an
    axis that `x` lacks, ShapeError for an axis without elements, DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> tz.softmax(tz.tensor([1000.0, 1000.0]))
    Tensor([0.5, 0.5], dtype=float32)
    """
    return _softmax(as_float(x), axis=axis)


def softmin(x: ArrayLike, axis: int = -1) -> Tensor:
    """`softmax` of -x: the smallest element gets the largest share. Shapes and errors as in `softmax`.

    >>> import tarazu as tz
    >>> tz.softmin(tz.tensor([0.0, 1000.0]))
    Tensor([1., 0.], dtype=float32)
    """
    return softmax(negative(as_float(x)), axis)


def log_softmax(x: ArrayLike, axis: int = -1) -> Tensor:
    """The logarithm of `softmax`, without the loss of digits. Shapes and errors as in `softmax`.

    >>> import tarazu as tz
    >>> tz.log_softmax(tz.tensor([0.0, -1000.0]))
    Tensor([    0., -1000.], dtype=float32)
    """
    return _log_softmax(as_float(x), axis=axis)


@composite("softmax_vjp")
def softmax_cotangent(g: Tensor, y: Tensor, *, axis: int) -> Tensor:
    """The cotangent of x from that of y = softmax(x): y (g - sum(g y))."""
    wide, given = single(y), single(g)
    return rounded_like(multiply(wide, subtract(given, sum(multiply(given, wide), axis, keepdims=True))), y)


@composite("log_softmax_vjp")
def _log_softmax_cotangent(g: Tensor, y: Tensor, *, axis: int) -> Tensor:
    given = single(g)
    return rounded_like(subtract(given, multiply(exp(single(y)), sum(given, axis, keepdims=True))), y)


def _softmax_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                  needed: Sequence[bool], *, axis: int) -> list[Tensor | None]:
    return [softmax_cotangent(cotangents[0], outputs[0], axis=axis)]


def _log_softmax_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                      needed: Sequence[bool], *, axis: int) -> list[Tensor | None]:
    return [_log_softmax_cotangent(cotangents[0], outputs[0], axis=axis)]


@composite("softmax", gradient=_softmax_rule)
def _softmax(x: Tensor, *, axis: int) -> Tensor:
    wide = single(x)
    raised = exp(subtract(wide, stop_gradient(max(wide, axis, keepdims=True))))
    return rounded_like(divide(raised, sum(raised, axis, keepdims=True)), x)


@composite("log_softmax", gradient=_log_softmax_rule)
def _log_softmax(x: Tensor, *, axis: int) -> Tensor:
    wide = single(x)
    shifted = subtract(wide, stop_gradient(max(wide, axis, keepdims=True)))  # x - logsumexp(x) would lose digits
    return rounded_like(subtract(shifted, log(sum(exp(shifted), axis, keepdims=True))), x)
