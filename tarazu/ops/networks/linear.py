"""Linear and bilinear maps with a bias, and scaled sums with a matrix product."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tarazu.base.errors import ShapeError
from tarazu.ir.interpreter import Value, state
from tarazu.ops.contract import dot_general, matmul, tensordot
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.elementwise import add, multiply, sigmoid, tanh
from tarazu.ops.networks.activations import relu, relu_cotangent, sigmoid_cotangent, tanh_cotangent
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import sum_to
from tarazu.ops.shape import expand_dims
from tarazu.ops.typing import ArrayLike, Tensor


def linear(x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Tensor:
    """x @ weight + bias, along the last axis: (..., n) to (..., units) for a weight of shape (n, units).

    The weight has its inputs first, as in `tz.nn.Dense`; torch stores the transposed matrix, `weight.mT`. `bias` has
    the shape (units,) or is left out. ShapeError when sizes do not fit.

    >>> import tarazu as tz
    >>> tz.linear(tz.tensor([1.0, 2.0]), tz.tensor([[1.0, 0.0], [0.0, 10.0]]), tz.tensor([0.5, 0.5]))
    Tensor([ 1.5, 20.5], dtype=float32)
    """
    x, weight = as_value(x), as_value(weight)
    if len(weight.shape) != 2 or x.shape[-1:] != weight.shape[:1]:
        raise ShapeError(f"linear: an input of shape {x.shape} and a weight of shape {weight.shape}",
                         expected="(..., n) and (n, units)",
                         fix="weights from torch are (units, n): weight.mT turns them over")
    return affine(x, weight, bias)


def affine(x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, *,
           activation: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """activation(x @ weight + bias): eagerly one operation, where the derivative of the activation follows from its
    value."""
    x, weight = as_value(x), as_value(weight)
    if _is_usual(x, weight, bias):
        inside = activation if activation in _ACTIVATIONS else None
        y = _affine(x, weight, *([] if bias is None else [as_value(bias)]), activation=inside)
        return y if activation is None or inside is not None else activation(y)
    return _composed(x, weight, bias, activation)


def _composed(x: Tensor, weight: Tensor, bias: ArrayLike | None,
              activation: Callable[[Tensor], Tensor] | None) -> Tensor:
    product = matmul(x, weight)
    y = product if bias is None else add(product, bias)
    return y if activation is None else activation(y)


def _is_usual(x: Tensor, weight: Tensor, bias: ArrayLike | None) -> bool:
    """Whether it may be one operation: in eager code, for arrays of floats of one dtype, whose shapes fit."""
    dtype, shape = weight.raw.dtype, weight.raw.shape
    if dtype.kind != "f" or x.raw.dtype is not dtype or len(shape) != 2 or x.raw.shape[-1:] != shape[:1]:
        return False
    return state.interpreter.compiles_often and (
        bias is None or (isinstance(bias, Value) and bias.raw.dtype is dtype and bias.raw.shape == shape[1:]))


_ACTIVATIONS = (relu, tanh, sigmoid)


def _through_activation(g: Tensor, y: Tensor, activation: Callable[[Tensor], Tensor] | None) -> Tensor:
    """The cotangent of what the activation is applied to, from that of its value y."""
    if activation is relu:
        return relu_cotangent(g, y)
    if activation is tanh:
        return tanh_cotangent(g, y)
    return sigmoid_cotangent(g, y) if activation is sigmoid else g


def _affine_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                 needed: Sequence[bool], *, activation: Callable[[Tensor], Tensor] | None) -> list[Tensor | None]:
    x, weight, *bias = inputs
    g = _through_activation(cotangents[0], outputs[0], activation)
    lead = tuple(range(len(x.shape) - 1))
    return [dot_general(g, weight, ((len(lead),), (1,))) if needed[0] else None,
            dot_general(x, g, (lead, lead)) if needed[1] else None,
            *[sum_to(g, one.shape) if needed[2] else None for one in bias]]


@composite("affine", gradient=_affine_rule)
def _affine(x: Tensor, weight: Tensor, *bias: Tensor, activation: Callable[[Tensor], Tensor] | None) -> Tensor:
    return _composed(x, weight, bias[0] if bias else None, activation)


def bilinear(x: ArrayLike, y: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Tensor:
    """The sum of x[i] weight[i, j] y[j] over i and j, plus bias: (..., n) and (..., m) to (..., units).

    The weight is (n, m, units), with its inputs first; torch has (units, n, m). ShapeError when sizes do not fit.

    >>> import tarazu as tz
    >>> tz.bilinear(tz.tensor([1.0, 2.0]), tz.tensor([10.0]), tz.ones((2, 1, 3)))
    Tensor([30., 30., 30.], dtype=float32)
    """
    x, y, weight = as_value(x), as_value(y), as_value(weight)
    if len(weight.shape) != 3 or x.shape[-1:] != weight.shape[:1] or y.shape[-1:] != weight.shape[1:2]:
        raise ShapeError(f"bilinear: inputs of shapes {x.shape} and {y.shape}, a weight of shape {weight.shape}",
                         expected="(..., n), (..., m) and (n, m, units)",
                         fix="weights from torch are (units, n, m): tz.moveaxis(weight, 0, -1) turns them over")
    rows = tensordot(x, weight, 1)  # (..., m, units)
    product = matmul(expand_dims(y, -2), rows)[..., 0, :]
    return product if bias is None else add(product, bias)


def addmm(x: ArrayLike, first: ArrayLike, second: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta x + alpha (first @ second): the product (..., m, k) @ (..., k, n), to which `x` broadcasts.

    With beta=0 `x` does not count, not even its nan and inf. ShapeError when sizes do not fit.

    >>> import tarazu as tz
    >>> tz.addmm(tz.tensor([1.0, 2.0]), tz.ones((1, 3)), tz.ones((3, 2)), alpha=10)
    Tensor([[31., 32.]], dtype=float32)
    """
    product = matmul(first, second)
    scaled = product if alpha == 1 else multiply(product, alpha)
    if beta == 0:
        return scaled
    return add(x if beta == 1 else multiply(x, beta), scaled)
