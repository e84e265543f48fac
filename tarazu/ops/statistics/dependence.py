"""Covariances and correlations of variables."""

from __future__ import annotations

from tarazu.base.checks import flag
from tarazu.base.errors import ShapeError
from tarazu.ops.contract import matmul
from tarazu.ops.create import full
from tarazu.ops.elementwise import clip, conj, divide, maximum, multiply, real, sqrt, subtract
from tarazu.ops.indexing.diagonals import diagonal
from tarazu.ops.promote import as_float, as_value, cast, rounded_like, single
from tarazu.ops.reduce import sum
from tarazu.ops.shape import expand_dims, matrix_transpose, reshape
from tarazu.ops.typing import ArrayLike, Tensor


def cov(x: ArrayLike, *, rowvar: bool = True, correction: float = 1, fweights: ArrayLike | None = None,
        aweights: ArrayLike | None = None) -> Tensor:
    """The covariances (m, m) of the m rows of `x`, or with rowvar=False of its columns; of a vector, its variance.

    The sum of products of distances from the means is divided by the number of observations less `correction`.
    `fweights` says how often each observation counts, `aweights` how much, as in NumPy and torch. Integers give
    float32. ShapeError for more than two axes, and for weights of another number than observations.

    >>> import tarazu as tz
    >>> tz.cov(tz.tensor([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]]))
    Tensor([[ 1., -2.],
            [-2.,  4.]], dtype=float32)
    """
    given = as_float(x)
    rows = _variables("cov", single(given), rowvar)
    counts, shares = (_weights(name, value, rows) for name, value in (("fweights", fweights), ("aweights", aweights)))
    weights = multiply(counts, shares)
    total = sum(weights)
    distance = subtract(rows, divide(sum(multiply(rows, weights), 1, keepdims=True), total))
    lost = multiply(correction, divide(sum(multiply(weights, shares)), total))
    products = matmul(multiply(distance, weights), conj(matrix_transpose(distance)))
    covariance = rounded_like(divide(products, maximum(subtract(total, lost), 0)), given)
    return reshape(covariance, ()) if len(given.shape) < 2 else covariance


def _variables(name: str, x: Tensor, rowvar: bool) -> Tensor:
    """The matrix with a row for each variable."""
    if len(x.shape) > 2:
        raise ShapeError(f"{name} of a tensor of shape {x.shape}", expected="a vector or a matrix",
                         fix="tz.vmap takes several matrices")
    if len(x.shape) < 2:
        return reshape(x, (1, -1))
    return x if flag("rowvar", rowvar) else matrix_transpose(x)


def _weights(name: str, weights: ArrayLike | None, rows: Tensor) -> Tensor:
    """The weights of the observations, 1 unless given."""
    dtype = real(rows).dtype
    if weights is None:
        weights = full(rows.shape[1], 1.0)
    weights = cast(as_value(weights), dtype)
    if weights.shape != rows.shape[1:]:
        raise ShapeError(f"cov: {name} of shape {weights.shape} for {rows.shape[1]} observations",
                         expected=f"shape {rows.shape[1:]}", fix="give each observation its weight")
    return weights


def corrcoef(x: ArrayLike, *, rowvar: bool = True) -> Tensor:
    """The correlations (m, m), from -1 to 1, of the m rows of `x`, or with rowvar=False of its columns (Pearson, 1895).

    nan for a variable that does not vary. Integers give float32. ShapeError for more than two axes.

    >>> import tarazu as tz
    >>> tz.corrcoef(tz.tensor([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]]))
    Tensor([[ 1., -1.],
            [-1.,  1.]], dtype=float32)
    """
    given = as_float(x)
    covariance = cov(single(given), rowvar=rowvar)
    if not covariance.shape:
        return rounded_like(divide(covariance, covariance), given)
    spread = sqrt(real(diagonal(covariance)))
    correlation = divide(divide(covariance, expand_dims(spread, 1)), spread)
    return rounded_like(correlation if correlation.dtype.kind == "complex" else clip(correlation, -1, 1), given)
