"""What rests on solving linear equations: solutions, inverses, determinants, powers, ranks."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.type_rules.checks import broadcast_shapes
from tarazu.ops import elementwise as e
from tarazu.ops.contract import matmul
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.create import eye
from tarazu.ops.dtype_functions import finfo
from tarazu.ops.elementwise import conj, real
from tarazu.ops.linalg.decompose import svd, svdvals
from tarazu.ops.promote import as_value, same_dtype
from tarazu.ops.reduce import sum
from tarazu.ops.shape import broadcast_to, expand_dims, matrix_transpose


class SlogdetResult(NamedTuple):
    """The determinant as sign * exp(logabsdet)."""

    sign: Any
    logabsdet: Any


def solve(a: Any, b: Any) -> Any:
    """The x with a @ x = b, for a of shape (..., n, n) and b a vector (n,) or matrices (..., n, k).

    Raises when `a` is not square or singular, or when `b` has other rows.

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


def _identity_like(x: Any) -> Any:
    return broadcast_to(eye(x.shape[-1], dtype=x.dtype), x.shape)


def inv(x: Any) -> Any:
    """The inverse of square matrices, (..., n, n); `solve` is faster and more precise for inv(a) @ b.

    Raises when `x` is not square or singular.

    >>> import tarazu as tz
    >>> tz.linalg.inv(tz.tensor([[2.0, 0.0], [0.0, 4.0]]))
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]], dtype=float32)
    """
    x = require_square(x, "inv")
    return bind(ops.SOLVE, x, _identity_like(x))


def require_square(x: Any, name: str) -> Any:
    """`x` as a value; raises unless its last two axes have one size."""
    x = as_value(x)
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} of a tensor of shape {x.shape}",
                         expected="square matrices: the last two axes of one size",
                         fix="check the shape; tz.linalg.pinv takes matrices of any shape")
    return x


def slogdet(x: Any) -> SlogdetResult:
    """The sign and the logarithm of the absolute value of the determinant, each (...), of x, (..., n, n).

    A singular matrix has sign 0 and logarithm -inf, and no gradient.

    >>> import tarazu as tz
    >>> tz.linalg.slogdet(-tz.eye(3)).sign
    Tensor(-1., dtype=float32)
    """
    return SlogdetResult(*bind(ops.SLOGDET, as_value(x)))


def det(x: Any) -> Any:
    """The determinant, (...), of square matrices, (..., n, n); see `slogdet` where it would overflow.

    >>> import tarazu as tz
    >>> tz.linalg.det(tz.tensor([[2.0, 0.0], [0.0, 3.0]])).round()
    Tensor(6., dtype=float32)
    """
    sign, logarithm = slogdet(x)
    return e.multiply(sign, e.exp(logarithm))


def pinv(x: Any, *, rtol: Any = None) -> Any:
    """The Moore-Penrose inverse, (..., n, m), of x, (..., m, n): pinv(a) @ b is the least-squares solution.

    Singular values up to `rtol` times the largest count as 0; it is max(m, n) times the dtype's precision if not given.
    The gradient (Golub and Pereyra, 1973) holds where the rank does not change.

    >>> import tarazu as tz
    >>> tz.linalg.pinv(tz.tensor([[2.0, 0.0], [0.0, 0.0]]))
    Tensor([[0.5, 0. ],
            [0. , 0. ]], dtype=float32)
    """
    x = as_value(x)
    return _pinv(x, _tolerance(x, rtol, "pinv"))


def _tolerance(x: Any, rtol: Any, name: str) -> Any:
    if len(x.shape) < 2 or not x.dtype.is_inexact:
        svdvals(x)  # the type rule raises
    if rtol is None:
        rtol = max(x.shape[-2:]) * finfo(x.dtype).eps
    return as_value(rtol, real(x).dtype)


def _is_kept(s: Any, rtol: Any) -> Any:
    """Which singular values count, given the tolerance relative to the largest."""
    largest = s[..., :1]  # none where a matrix is empty
    return e.greater(s, e.multiply(expand_dims(rtol, -1), largest))


def _pinv_cotangents(cotangents: Any, outputs: Any, inputs: Any, needed: Any, **_: Any) -> list[Any]:
    """Golub and Pereyra (1973): right also where singular values are equal, which the gradient of svd is not."""
    (g,), (p,), (x, _rtol) = cotangents, outputs, inputs
    gh, ph = _adjoint(g), _adjoint(p)
    from_left = e.subtract(gh, matmul(x, matmul(p, gh)))
    from_right = e.subtract(gh, matmul(gh, matmul(p, x)))
    through = e.add(matmul(matmul(from_left, p), ph), matmul(ph, matmul(p, from_right)))
    return [e.subtract(through, matmul(matmul(ph, g), ph)), None]


def _adjoint(x: Any) -> Any:
    return conj(matrix_transpose(x))


@composite("pinv", gradient=_pinv_cotangents)
def _pinv(x: Any, rtol: Any) -> Any:
    u, s, vh = svd(x, full_matrices=False)
    is_kept = _is_kept(s, rtol)
    inverse = e.where(is_kept, e.divide(1.0, e.where(is_kept, s, 1.0)), 0.0)
    scaled = e.multiply(_adjoint(vh), expand_dims(inverse, -2))
    return matmul(scaled, _adjoint(u))


def matrix_rank(x: Any, *, rtol: Any = None) -> Any:
    """How many singular values of x, (..., m, n), are larger than `rtol` times the largest, (...), as integers.

    >>> import tarazu as tz
    >>> tz.linalg.matrix_rank(tz.ones((3, 3)))
    Tensor(1, dtype=int64)
    """
    x = as_value(x)
    rtol = _tolerance(x, rtol, "matrix_rank")
    return sum(_is_kept(svdvals(x), rtol), -1)


def matrix_power(x: Any, n: int) -> Any:
    """Square matrices, (..., k, k), multiplied n times with themselves, by squaring; n < 0 inverts first.

    >>> import tarazu as tz
    >>> tz.linalg.matrix_power(tz.tensor([[1, 1], [0, 1]]), 5)
    Tensor([[1, 5],
            [0, 1]], dtype=int64)
    """
    x = require_square(x, "matrix_power")
    try:
        n = operator.index(n)
    except TypeError:
        raise ArgumentError(f"matrix_power: n={n!r}", expected="an integer", fix="pass for example n=3") from None
    if n < 0:
        return matrix_power(inv(x), -n)
    result = None
    while n:
        if n & 1:
            result = x if result is None else matmul(result, x)
        n >>= 1
        if n:
            x = matmul(x, x)
    return _identity_like(x) if result is None else result
