"""Linear and bilinear maps with a bias, and scaled sums with a matrix product."""

from __future__ import annotations

from tarazu.base.errors import ShapeError
from tarazu.ops.contract import matmul, tensordot
from tarazu.ops.elementwise import add, multiply
from tarazu.ops.promote import as_value
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
    product = matmul(x, weight)
    return product if bias is None else add(product, bias)


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
