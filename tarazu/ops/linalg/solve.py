"""Linear equations, inverses and pseudoinverses, determinants, ranks and powers of matrices."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import NamedTuple

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.type_rules.checks import broadcast_shapes
from tarazu.ops import elementwise as e
from tarazu.ops.contract import matmul
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.create import arange, eye
from tarazu.ops.dtype_functions import finfo
from tarazu.ops.elementwise import conj, real
from tarazu.ops.linalg.decompose import svd, svdvals
from tarazu.ops.promote import as_value, same_dtype
from tarazu.ops.reduce import prod, sum
from tarazu.ops.shape import broadcast_to, expand_dims, matrix_transpose
from tarazu.ops.typing import ArrayLike, Tensor


class SlogdetResult(NamedTuple):
    """The determinant as sign * exp(logabsdet), each of shape (...).

    >>> import tarazu as tz
    >>> tz.linalg.slogdet(tz.eye(2))._fields
    ('sign', 'logabsdet')
    """

    sign: Tensor
    logabsdet: Tensor


def solve(a: ArrayLike, b: ArrayLike) -> Tensor:
    """The x with a @ x = b, for a of shape (..., n, n) and b a vector (n,) or matrices (..., n, k).

    The leading axes broadcast. ShapeError when `a` is not square or `b` has other rows, ArgumentError when `a` is
    singular, DTypeError for integers.

    >>> import tarazu as tz
    >>> tz.linalg.solve(tz.tensor([[2.0, 0.0], [0.0, 4.0]]), tz.tensor([2.0, 2.0]))
    Tensor([1. , 0.5], dtype=float32)
    """
    a, b = same_dtype(a, b)
    if len(b.shape) == 1 and len(a.shape) >= 2:
        return solve(a, expand_dims(b, 1))[..., 0]
    if min(len(a.shape), len(b.shape)) >= 2:
        lead = broadcast_shapes("solve", a.shape[:-2], b.shape[:-2])
        a, b = broadcast_to(a, lead + a.shape[-2:]), broadcast_to(b, lead + b.shape[-2:])
    return bind(ops.SOLVE, a, b)


def identity_like(x: Tensor) -> Tensor:
    """An identity matrix for each of the square matrices of `x`."""
    return broadcast_to(eye(x.shape[-1], dtype=x.dtype), x.shape)


def inv(x: ArrayLike) -> Tensor:
    """The inverse of square matrices, (..., n, n); `solve` is faster and more precise for inv(a) @ b.

    ShapeError when `x` is not square, ArgumentError when it is singular, DTypeError for integers.

    >>> import tarazu as tz
    >>> tz.linalg.inv(tz.tensor([[2.0, 0.0], [0.0, 4.0]]))
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]], dtype=float32)
    """
    x = require_square(x, "inv")
    return bind(ops.SOLVE, x, identity_like(x))


def require_square(x: ArrayLike, name: str) -> Tensor:
    """`x` as a tensor. Raises ShapeError unless its last two axes have the same size."""
    x = as_value(x)
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} of a tensor of shape {x.shape}",
                         expected="square matrices: the last two axes of one size",
                         fix="check the shape; tz.linalg.pinv takes matrices of any shape")
    return x


def slogdet(x: ArrayLike) -> SlogdetResult:
    """The sign and the logarithm of the absolute value of the determinant, each (...), of x, (..., n, n).

    A singular matrix has sign 0 and logarithm -inf, and NaN for its gradient. ShapeError when `x` is not square,
    DTypeError for integers.

    >>> import tarazu as tz
    >>> tz.linalg.slogdet(-tz.eye(3)).sign
    Tensor(-1., dtype=float32)
    """
    return SlogdetResult(*bind(ops.SLOGDET, as_value(x)))


def logdet(x: ArrayLike) -> Tensor:
    """The logarithm of the determinant, (...), of x, (..., n, n): nan where it is negative, -inf where it is 0.

    ShapeError when `x` is not square, DTypeError for integers and complex numbers; `slogdet` takes the latter.

    >>> import tarazu as tz
    >>> tz.linalg.logdet(tz.eye(3))
    Tensor(0., dtype=float32)
    """
    sign, logarithm = slogdet(x)
    return e.where(e.less(sign, 0), math.nan, logarithm)


def det(x: ArrayLike) -> Tensor:
    """The determinant, (...), of square matrices, (..., n, n); see `slogdet` where it would overflow.

    Its gradient is the transposed adjugate, which singular matrices have too. ShapeError when `x` is not square,
    DTypeError for integers.

    >>> import tarazu as tz
    >>> tz.linalg.det(tz.tensor([[2.0, 0.0], [0.0, 3.0]])).round()
    Tensor(6., dtype=float32)
    """
    return _det(require_square(x, "det"))


def _det_cotangents(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                    needed: Sequence[bool]) -> list[Tensor | None]:
    return [e.multiply(cotangents[0][..., None, None], _cofactors(inputs[0], outputs[0]))]


@composite("det", gradient=_det_cotangents)
def _det(x: Tensor) -> Tensor:
    sign, logarithm = slogdet(x)
    return e.multiply(sign, e.exp(logarithm))


def _cofactors(x: Tensor, determinant: Tensor) -> Tensor:
    """The transposed adjugate: det(x) times the transposed inverse, and for singular matrices from the svd.

    With x = U diag(s) V' it is det(U) det(V) U diag(c) V', where c_i is the product of all s but s_i. Each way gets
    harmless matrices in place of those of the other one, so that its gradients are finite.
    """
    n = x.shape[-1]
    is_singular = e.equal(slogdet(x).sign, 0)[..., None, None]
    identity = identity_like(x)
    regular = e.where(is_singular, identity, x)
    from_inverse = e.multiply(determinant[..., None, None], matrix_transpose(inv(regular)))
    if n == 0:
        return from_inverse
    distinct = e.multiply(identity, e.astype(arange(1, n + 1), x.dtype))  # equal singular values have no gradient
    u, s, vh = svd(e.where(is_singular, x, distinct))
    others = e.where(e.equal(eye(n), 1), 1.0, expand_dims(s, -2))  # row i: all singular values, but 1 for the i-th
    scale = e.multiply(prod(others, -1), expand_dims(e.multiply(_det(u), _det(vh)), -1))
    from_svd = matmul(e.multiply(u, expand_dims(scale, -2)), vh)
    return e.where(is_singular, from_svd, from_inverse)


def pinv(x: ArrayLike, *, rtol: ArrayLike | None = None) -> Tensor:
    """The Moore-Penrose inverse, (..., n, m), of x, (..., m, n): pinv(a) @ b is the least-squares solution.

    Computed from the singular value decomposition; singular values up to `rtol` (...) times the largest count as 0. As
    in the array API standard it is max(m, n) times the dtype's precision if not given. The gradient (Golub and Pereyra,
    1973) holds where the rank does not change. ShapeError for less than two axes, DTypeError for integers.

    >>> import tarazu as tz
    >>> tz.linalg.pinv(tz.tensor([[2.0, 0.0], [0.0, 0.0]]))
    Tensor([[0.5, 0. ],
            [0. , 0. ]], dtype=float32)
    """
    x = as_value(x)
    return _pinv(x, rank_tolerance(x, rtol))


def rank_tolerance(x: Tensor, rtol: ArrayLike | None) -> Tensor:
    """`rtol`, or its default; ShapeError and DTypeError for what has no singular values."""
    if len(x.shape) < 2 or not x.dtype.is_inexact:
        svdvals(x)  # the type rule raises
    if rtol is None:
        rtol = max(x.shape[-2:]) * finfo(x.dtype).eps
    return as_value(rtol, real(x).dtype)


def _is_kept(s: Tensor, rtol: Tensor) -> Tensor:
    """Which singular values count, given the tolerance relative to the largest."""
    largest = s[..., :1]  # none where a matrix is empty
    return e.greater(s, e.multiply(expand_dims(rtol, -1), largest))


def _pinv_cotangents(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                     needed: Sequence[bool]) -> list[Tensor | None]:
    """Golub and Pereyra (1973): right also where singular values are equal, unlike the gradient of the svd."""
    (g,), (p,), (x, _rtol) = cotangents, outputs, inputs
    gh, ph = adjoint(g), adjoint(p)
    from_left = e.subtract(gh, matmul(x, matmul(p, gh)))
    from_right = e.subtract(gh, matmul(gh, matmul(p, x)))
    through = e.add(matmul(matmul(from_left, p), ph), matmul(ph, matmul(p, from_right)))
    return [e.subtract(through, matmul(matmul(ph, g), ph)), None]


def adjoint(x: Tensor) -> Tensor:
    """The conjugate transpose of the matrices in the last two axes."""
    return conj(matrix_transpose(x))


@composite("pinv", gradient=_pinv_cotangents)
def _pinv(x: Tensor, rtol: Tensor) -> Tensor:
    u, s, vh = svd(x, full_matrices=False)
    is_kept = _is_kept(s, rtol)
    inverse = e.where(is_kept, e.divide(1.0, e.where(is_kept, s, 1.0)), 0.0)
    scaled = e.multiply(adjoint(vh), expand_dims(inverse, -2))
    return matmul(scaled, adjoint(u))


def matrix_rank(x: ArrayLike, *, rtol: ArrayLike | None = None) -> Tensor:
    """The rank, (...), of x, (..., m, n): how many singular values are larger than `rtol` times the largest.

    `rtol` (...) and errors as in `pinv`.

    >>> import tarazu as tz
    >>> tz.linalg.matrix_rank(tz.ones((3, 3)))
    Tensor(1, dtype=int64)
    """
    x = as_value(x)
    tolerance = rank_tolerance(x, rtol)
    return rank_of(svdvals(x), tolerance)


def rank_of(s: Tensor, rtol: Tensor) -> Tensor:
    """How many of the singular values count."""
    return sum(_is_kept(s, rtol), -1)


def matrix_power(x: ArrayLike, n: int) -> Tensor:
    """Square matrices, (..., k, k), to the power `n`, by repeated squaring; n < 0 inverts first.

    ShapeError when `x` is not square, ArgumentError when `n` is no integer or a matrix to invert is singular.

    >>> import tarazu as tz
    >>> tz.linalg.matrix_power(tz.tensor([[1, 1], [0, 1]]), 5)
    Tensor([[1, 5],
            [0, 1]], dtype=int64)
    """
    power = require_square(x, "matrix_power")
    try:
        n = operator.index(n)
    except TypeError:
        raise ArgumentError(f"matrix_power: n={n!r}", expected="an integer", fix="pass for example n=3") from None
    if n < 0:
        return matrix_power(inv(power), -n)
    result: Tensor | None = None
    while n:
        if n & 1:
            result = power if result is None else matmul(result, power)
        n >>= 1
        if n:
            power = matmul(power, power)
    return identity_like(power) if result is None else result
