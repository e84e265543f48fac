"""Triangular equations, and LU decompositions with partial pivoting, which lead to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tarazu.base.checks import flag
from tarazu.base.errors import ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops import elementwise as e
from tarazu.ops.contract import matmul
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import arange, eye, tril, triu
from tarazu.ops.indexing.index import take, take_along_axis
from tarazu.ops.linalg.decompose import svdvals
from tarazu.ops.linalg.solve import adjoint, require_square, solve
from tarazu.ops.promote import as_value, rounded_like, same_dtype, single
from tarazu.ops.reduce import argmax
from tarazu.ops.shape import broadcast_to, concat, expand_dims
from tarazu.ops.typing import ArrayLike, Tensor

# A step per column passes over the block that it is in, so blocks are narrow; each is compiled, so they are few
_NARROW, _MOST_BLOCKS = 32, 16


class LUResult(NamedTuple):
    """P, (..., m, m), L, (..., m, k), and U, (..., k, n), with x = P @ L @ U and k = min(m, n).

    >>> import tarazu as tz
    >>> tz.linalg.lu(tz.eye(2))._fields
    ('P', 'L', 'U')
    """

    P: Tensor
    L: Tensor
    U: Tensor


class LUFactors(NamedTuple):
    """L below the diagonal and U on and above it, in one matrix (..., m, n), and the order of the rows, (..., m).

    >>> import tarazu as tz
    >>> tz.linalg.lu_factor(tz.eye(2))._fields
    ('LU', 'permutation')
    """

    LU: Tensor
    permutation: Tensor


def solve_triangular(a: ArrayLike, b: ArrayLike, *, upper: bool = False, unit_diagonal: bool = False) -> Tensor:
    """The x with a @ x = b, for triangular a of shape (..., n, n) and b a vector (n,) or matrices (..., n, k).

    Only the lower triangle of `a` is read, with `upper` only the upper one; with `unit_diagonal` its diagonal counts as
    ones. The leading axes broadcast. ShapeError when `a` is not square or `b` has other rows, ArgumentError for a 0 on
    the diagonal, DTypeError for integers.

    >>> import tarazu as tz
    >>> tz.linalg.solve_triangular(tz.tensor([[2.0, 99.0], [1.0, 4.0]]), tz.tensor([2.0, 5.0]))
    Tensor([1., 1.], dtype=float32)
    """
    a, b = same_dtype(a, b)
    return solve(_triangle(require_square(a, "solve_triangular"), upper=flag("upper", upper),
                           unit_diagonal=flag("unit_diagonal", unit_diagonal)), b)


def _triangle(a: Tensor, *, upper: bool = False, unit_diagonal: bool = False) -> Tensor:
    part = triu(a) if upper else tril(a)
    return e.where(e.equal(eye(a.shape[-1]), 1), 1, part) if unit_diagonal else part


def lu(x: ArrayLike) -> LUResult:
    """P, L and U with x = P @ L @ U, for x of shape (..., m, n): Gaussian elimination with partial pivoting.

    P is a permutation, L lower triangular with ones on its diagonal and no element above 1, U upper triangular.
    Gradients flow through L and U where the first k columns of the k rows that P puts first are a regular matrix.
    ShapeError for less than two axes, DTypeError for integers.

    >>> import tarazu as tz
    >>> p, l, u = tz.linalg.lu(tz.tensor([[0.0, 2.0], [4.0, 3.0]]))
    >>> u
    Tensor([[4., 3.],
            [0., 2.]], dtype=float32)
    """
    factors, permutation = lu_factor(x)
    order = e.equal(expand_dims(arange(factors.shape[-2]), 1), expand_dims(permutation, -2))  # row by row of x
    return LUResult(e.astype(order, factors.dtype), *_unpacked(factors))


def lu_factor(x: ArrayLike) -> LUFactors:
    """L and U of `lu` in one matrix, (..., m, n), and the permutation, (..., m): x[permutation] = L @ U.

    `lu_solve` takes both, and solves for many right sides at the price of one decomposition. (Other libraries give the
    swaps of rows one after another instead.) A pivot of 0, as of singular matrices, leaves a 0 on the diagonal of U.
    Gradients and errors as in `lu`.

    >>> import tarazu as tz
    >>> factors, permutation = tz.linalg.lu_factor(tz.tensor([[0.0, 2.0], [4.0, 3.0]]))
    >>> permutation
    Tensor([1, 0], dtype=int64)
    """
    x = as_value(x)
    if len(x.shape) < 2 or not x.dtype.is_inexact:
        svdvals(x)  # the type rule raises
    factors, permutation = _lu(single(x))
    return LUFactors(rounded_like(factors, x), permutation)


def lu_solve(factors: LUFactors | tuple[ArrayLike, ArrayLike], b: ArrayLike) -> Tensor:
    """The x with a @ x = b, from `factors` = lu_factor(a), for b a vector (n,) or matrices (..., n, k).

    ShapeError when `a` is not square or `b` has other rows, ArgumentError when `a` is singular, DTypeError for
    integers.

    >>> import tarazu as tz
    >>> factors = tz.linalg.lu_factor(tz.tensor([[0.0, 2.0], [4.0, 0.0]]))
    >>> tz.linalg.lu_solve(factors, tz.tensor([2.0, 2.0]))
    Tensor([0.5, 1. ], dtype=float32)
    """
    packed, b = same_dtype(require_square(factors[0], "lu_solve"), b)
    permutation = as_value(factors[1])
    if len(b.shape) == 1 and len(packed.shape) >= 2:
        return lu_solve((packed, permutation), expand_dims(b, 1))[..., 0]
    if len(b.shape) < 2 or b.shape[-2] != packed.shape[-1]:
        raise ShapeError(f"lu_solve: factors of shape {packed.shape} and right sides of shape {b.shape}",
                         expected=f"right sides with {packed.shape[-1]} rows", fix="transpose the right sides (b.mT)")
    lead = max(len(permutation.shape) - 1, len(b.shape) - 2)
    permutation = _with_leading_axes(permutation, lead + 1)
    b = take_along_axis(_with_leading_axes(b, lead + 2), expand_dims(permutation, -1), -2)
    return solve_triangular(packed, solve_triangular(packed, b, unit_diagonal=True), upper=True)


def _with_leading_axes(x: Tensor, rank: int) -> Tensor:
    while len(x.shape) < rank:
        x = expand_dims(x, 0)
    return x


def _unpacked(packed: Tensor) -> tuple[Tensor, Tensor]:
    """L with its ones, (..., m, k), and U, (..., k, n)."""
    rows, columns = packed.shape[-2:]
    size = min(rows, columns)
    lower = tril(packed[..., :size], k=-1)
    return e.add(lower, eye(rows, size, dtype=packed.dtype)), triu(packed[..., :size, :])


# The decomposition ----------------------------------------------------------------------------------------------

def _lu_cotangents(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                   needed: Sequence[bool]) -> list[Tensor | None]:
    """Walter and Lehmann (2010) for the square part; the rest follows from L2 = A2 inv(U1) and U2 = inv(L1) A2."""
    g, packed, permutation = cotangents[0], outputs[0], outputs[1]
    lower, upper = _unpacked(packed)
    size = min(packed.shape[-2:])
    square_l, square_u = lower[..., :size, :], upper[..., :size]
    g_l, g_u, parts = tril(g[..., :size, :size], k=-1), triu(g[..., :size, :size]), []
    if packed.shape[-2] > size:  # tall
        g_below = _divided(g[..., size:, :], square_u)
        g_u = e.subtract(g_u, triu(matmul(adjoint(lower[..., size:, :]), g_below)))
        parts = [g_below]
    elif packed.shape[-1] > size:  # wide
        g_right = bind(ops.SOLVE, adjoint(square_l), g[..., size:])
        g_l = e.subtract(g_l, tril(matmul(g_right, adjoint(upper[..., size:])), k=-1))
        parts = [g_right]
    inner = e.add(tril(matmul(adjoint(square_l), g_l), k=-1), triu(matmul(g_u, adjoint(square_u))))
    square = _divided(bind(ops.SOLVE, adjoint(square_l), inner), square_u)
    permuted = concat([square, *parts], -2 if packed.shape[-2] > size else -1)
    inverse = argmax(e.equal(expand_dims(permutation, -2), expand_dims(arange(packed.shape[-2]), 1)), -1)
    return [take_along_axis(permuted, expand_dims(inverse, -1), -2)]


def _divided(x: Tensor, upper: Tensor) -> Tensor:
    """x @ inverse of the adjoint of `upper`."""
    return adjoint(bind(ops.SOLVE, upper, adjoint(x)))


@composite("lu", gradient=_lu_cotangents)
def _lu(x: Tensor) -> tuple[Tensor, Tensor]:
    return _by_blocks(x, max(_NARROW, -(-min(x.shape[-2:]) // _MOST_BLOCKS)))


def _by_blocks(x: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The first `width` columns, then a product takes their part from the others, which are decomposed likewise."""
    if min(x.shape[-2:]) <= width:
        return _by_columns(x)
    left, order = _by_columns(x[..., :width])
    right = take_along_axis(x[..., width:], expand_dims(order, -1), -2)
    upper = bind(ops.SOLVE, _triangle(left[..., :width, :], unit_diagonal=True), right[..., :width, :])
    lower = left[..., width:, :]
    rest, below = _by_blocks(e.subtract(right[..., width:, :], matmul(lower, upper)), width)
    lower = take_along_axis(lower, expand_dims(below, -1), -2)
    order = concat([order[..., :width], take_along_axis(order[..., width:], below, -1)], -1)
    return concat([concat([left[..., :width, :], upper], -1), concat([lower, rest], -1)], -2), order


def _by_columns(x: Tensor) -> tuple[Tensor, Tensor]:
    """One step per column: the largest element below moves to the diagonal, its multiples are taken from the rows."""
    rows, columns = x.shape[-2:]
    row, column = arange(rows), arange(columns)

    def eliminate(carry: tuple[Tensor, Tensor], k: Tensor) -> tuple[tuple[Tensor, Tensor], None]:
        x, permutation = carry
        sizes = e.where(e.greater_equal(row, k), e.abs(take(x, k, -1)), -1)
        pivot = argmax(sizes, -1, keepdims=True)
        order = e.where(e.equal(row, k), pivot, e.where(e.equal(row, pivot), k, row))
        x, permutation = take_along_axis(x, expand_dims(order, -1), -2), take_along_axis(permutation, order, -1)
        above = expand_dims(take(x, k, -2), -2)
        diagonal = expand_dims(take(above, k, -1), -1)
        factors = e.divide(expand_dims(take(x, k, -1), -1), e.where(e.equal(diagonal, 0), 1, diagonal))
        is_below = expand_dims(e.greater(row, k), 1)
        reduced = e.subtract(x, e.multiply(factors, above))
        x = e.where(is_below, e.where(e.greater(column, k), reduced, e.where(e.equal(column, k), factors, x)), x)
        return (x, permutation), None

    permutation = broadcast_to(row, x.shape[:-1])
    return scan(eliminate, (x, permutation), arange(min(rows, columns)))[0]
