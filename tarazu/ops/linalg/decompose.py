"""Decompositions of matrices: the last two axes are a matrix, those before them are many."""

from __future__ import annotations

from typing import Any, NamedTuple

from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise import conj
from tarazu.ops.promote import as_value
from tarazu.ops.shape import matrix_transpose


class QRResult(NamedTuple):
    """x = Q @ R; the columns of Q are orthonormal, R is upper triangular."""

    Q: Any
    R: Any


class EighResult(NamedTuple):
    """x @ eigenvectors = eigenvectors * eigenvalues; the eigenvectors are columns."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """x = (U * S) @ Vh; the columns of U and the rows of Vh are orthonormal."""

    U: Any
    S: Any
    Vh: Any


def cholesky(x: Any, *, upper: bool = False) -> Any:
    """The triangular L, (..., n, n), with L @ L.mT = x for symmetric positive definite x; only its lower half is read.

    `upper` gives the transpose of L. Raises for matrices that are not square or not positive definite. Its gradient is
    symmetric (Murray, "Differentiation of the Cholesky decomposition", 2016).

    >>> import tarazu as tz
    >>> tz.linalg.cholesky(tz.tensor([[4.0, 2.0], [2.0, 5.0]]))
    Tensor([[2., 0.],
            [1., 2.]], dtype=float32)
    """
    lower = bind(ops.CHOLESKY, as_value(x))
    return conj(matrix_transpose(lower)) if upper else lower


def qr(x: Any, *, mode: str = "reduced") -> QRResult:
    """Q and R with x = Q @ R for x of shape (..., m, n): Q is (..., m, k), R is (..., k, n), where k = min(m, n).

    With mode="complete" k is m. Raises for another mode; gradients go through the reduced mode, and need the first k
    columns of x to be linearly independent.

    >>> import tarazu as tz
    >>> q, r = tz.linalg.qr(tz.ones((3, 2)))
    >>> q.shape, r.shape
    ((3, 2), (2, 2))
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr: mode={mode!r}", expected='"reduced" or "complete"',
                            fix='use "reduced" unless all columns of a square Q are wanted')
    return QRResult(*bind(ops.QR, as_value(x), complete=mode == "complete"))


def eigh(x: Any) -> EighResult:
    """The eigenvalues, ascending, (..., n), and eigenvectors, (..., n, n), of symmetric x; its lower half is read.

    Gradients through the eigenvectors hold for functions that do not depend on their signs, and are not finite where
    eigenvalues are equal; those through the eigenvalues alone always are (Giles, 2008).

    >>> import tarazu as tz
    >>> tz.linalg.eigh(tz.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    Tensor([1., 2.], dtype=float32)
    """
    return EighResult(*bind(ops.EIGH, as_value(x)))


def eigvalsh(x: Any) -> Any:
    """The eigenvalues, ascending, (..., n), of symmetric x, of which the lower half is read; see `eigh`."""
    return eigh(x).eigenvalues


def svd(x: Any, *, full_matrices: bool = True) -> SVDResult:
    """The singular values S, descending, (..., k), of x, (..., m, n), with x = (U * S) @ Vh, where k = min(m, n).

    U is (..., m, m) and Vh (..., n, n), or with full_matrices=False (..., m, k) and (..., k, n). Gradients through U
    and Vh need these, and distinct singular values (Townsend, "Differentiating the singular value decomposition",
    2016).

    >>> import tarazu as tz
    >>> tz.linalg.svd(tz.tensor([[0.0, 2.0], [3.0, 0.0]])).S
    Tensor([3., 2.], dtype=float32)
    """
    return SVDResult(*bind(ops.SVD, as_value(x), complete=full_matrices))


def svdvals(x: Any) -> Any:
    """The singular values, descending, (..., min(m, n)), of x, (..., m, n)."""
    return svd(x, full_matrices=False).S
