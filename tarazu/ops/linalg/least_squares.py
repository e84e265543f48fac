"""Least-squares solutions and condition numbers."""

from __future__ import annotations

import math
from typing import NamedTuple

from tarazu.base.errors import ShapeError
from tarazu.ops import elementwise as e
from tarazu.ops.contract import matmul
from tarazu.ops.linalg.decompose import svdvals
from tarazu.ops.linalg.matrix import matrix_norm
from tarazu.ops.linalg.solve import identity_like, inv, pinv, rank_of, rank_tolerance, require_square, slogdet
from tarazu.ops.promote import as_value, same_dtype
from tarazu.ops.reduce import sum
from tarazu.ops.shape import expand_dims
from tarazu.ops.typing import ArrayLike, Tensor


class LstsqResult(NamedTuple):
    """The solution, the sums of squared residuals, and the rank and singular values of the matrix.

    >>> import tarazu as tz
    >>> tz.linalg.lstsq(tz.eye(2), tz.ones(2))._fields
    ('solution', 'residuals', 'rank', 'singular_values')
    """

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def lstsq(a: ArrayLike, b: ArrayLike, *, rtol: ArrayLike | None = None) -> LstsqResult:
    """The x with the least sum of squares of a @ x - b, and of several the shortest: pinv(a) @ b.

    For `a` (..., m, n) and `b` a vector (m,) or matrices (..., m, k) the solution is (..., n) or (..., n, k). The
    residuals, sums of squares, are (...) or (..., k), also where the rank is not full (NumPy gives none then); the rank
    is (...), the singular values are (..., min(m, n)), descending. Those up to `rtol` times the largest count as 0, as
    in `pinv`, whose gradient this has. The leading axes broadcast. ShapeError for less than two axes and when `b` has
    other rows, DTypeError for integers.

    >>> import tarazu as tz
    >>> tz.linalg.lstsq(tz.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), tz.tensor([1.0, 3.0, 5.0])).solution.round()
    Tensor([1., 2.], dtype=float32)
    """
    a, b = same_dtype(a, b)
    tolerance = rank_tolerance(a, rtol)
    is_vector = len(b.shape) == 1
    right = expand_dims(b, 1) if is_vector else b
    if len(right.shape) < 2 or right.shape[-2] != a.shape[-2]:
        raise ShapeError(f"lstsq: matrices of shape {a.shape} and right sides of shape {b.shape}",
                         expected=f"right sides with {a.shape[-2]} rows",
                         fix="transpose the right sides (b.mT), or pass a vector of that length")
    solution = matmul(pinv(a, rtol=tolerance), right)
    residuals = sum(e.abs_square(e.subtract(matmul(a, solution), right)), -2)
    values = svdvals(a)
    if is_vector:
        solution, residuals = solution[..., 0], residuals[..., 0]
    return LstsqResult(solution, residuals, rank_of(values, tolerance), values)


def cond(x: ArrayLike, ord: float | str = 2) -> Tensor:
    """The condition number, (...), of x, (..., m, n): by how much solving equations may enlarge relative errors.

    With `ord` 2 (and -2) the largest singular value over the smallest (and the other way round); with another `ord` of
    `matrix_norm` the norm of square matrices times that of their inverses. It is inf for singular matrices. ShapeError
    for less than two axes, and for matrices that are not square but with 2 and -2; ArgumentError for another `ord`,
    DTypeError for integers.

    >>> import tarazu as tz
    >>> tz.linalg.cond(tz.tensor([[8.0, 0.0], [0.0, 2.0]]))
    Tensor(4., dtype=float32)
    """
    x = as_value(x)
    if ord in (2, -2):
        values = svdvals(x)
        ends = values[..., 0], values[..., -1]
        above, below = ends if ord == 2 else ends[::-1]
        return e.where(e.equal(below, 0), math.inf, e.divide(above, below))
    x = require_square(x, "cond")
    is_singular = e.equal(slogdet(x).sign, 0)
    regular = e.where(is_singular[..., None, None], identity_like(x), x)  # one singular matrix must not end a batch
    product = e.multiply(matrix_norm(x, ord=ord), matrix_norm(inv(regular), ord=ord))
    return e.where(is_singular, math.inf, product)
