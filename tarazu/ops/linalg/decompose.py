"""Cholesky, QR, eigenvalue and singular value decompositions of the matrices in the last two axes."""

from __future__ import annotations

from typing import NamedTuple

from tarazu.base.checks import flag
from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.elementwise import conj
from tarazu.ops.promote import as_value, single
from tarazu.ops.shape import matrix_transpose
from tarazu.ops.typing import ArrayLike, Tensor


class QRResult(NamedTuple):
    """Q, (..., m, k), and R, (..., k, n), with x = Q @ R: Q has orthonormal columns, R is upper triangular.

    >>> import tarazu as tz
    >>> tz.linalg.qr(tz.ones((3, 2)))._fields
    ('Q', 'R')
    """

    Q: Tensor
    R: Tensor


class EighResult(NamedTuple):
    """Eigenvalues, (..., n), and eigenvectors, the columns of (..., n, n): x @ vectors = vectors * values.

    >>> import tarazu as tz
    >>> tz.linalg.eigh(tz.eye(2))._fields
    ('eigenvalues', 'eigenvectors')
    """

    eigenvalues: Tensor
    eigenvectors: Tensor


class EigResult(NamedTuple):
    """Complex eigenvalues, (..., n), and eigenvectors, the columns of (..., n, n): x @ vectors = vectors * values.

    >>> import tarazu as tz
    >>> tz.linalg.eig(tz.eye(2))._fields
    ('eigenvalues', 'eigenvectors')
    """

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVDResult(NamedTuple):
    """U, S, (..., k), and Vh with x = (U * S) @ Vh; the columns of U and the rows of Vh are orthonormal.

    >>> import tarazu as tz
    >>> tz.linalg.svd(tz.eye(2))._fields
    ('U', 'S', 'Vh')
    """

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(x: ArrayLike, *, upper: bool = False) -> Tensor:
    """The triangular L, (..., n, n), with L @ L.mT = x for symmetric positive definite x; only its lower half is read.

    `upper` gives the conjugate transpose of L. ShapeError for matrices that are not square, ArgumentError for such as
    are not positive definite, DTypeError for integers. The gradient is symmetric (Murray, "Differentiation of the
    Cholesky decomposition", 2016).

    >>> import tarazu as tz
    >>> tz.linalg.cholesky(tz.tensor([[4.0, 2.0], [2.0, 5.0]]))
    Tensor([[2., 0.],
            [1., 2.]], dtype=float32)
    """
    lower = bind(ops.CHOLESKY, as_value(x))
    return conj(matrix_transpose(lower)) if flag("upper", upper) else lower


def qr(x: ArrayLike, *, mode: str = "reduced") -> QRResult:
    """Q and R with x = Q @ R for x of shape (..., m, n): Q is (..., m, k), R is (..., k, n), where k = min(m, n).

    With mode="complete" k is m. ArgumentError for another mode, ShapeError for less than two axes, DTypeError for
    integers. Gradients go through the reduced mode, and need the first k columns of x to be linearly independent.

    >>> import tarazu as tz
    >>> q, r = tz.linalg.qr(tz.ones((3, 2)))
    >>> q.shape, r.shape
    ((3, 2), (2, 2))
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr: mode={mode!r}", expected='"reduced" or "complete"',
                            fix='use "reduced" unless all columns of a square Q are wanted')
    return QRResult(*bind(ops.QR, as_value(x), complete=mode == "complete"))


def eigh(x: ArrayLike) -> EighResult:
    """The eigenvalues, ascending, (..., n), and eigenvectors, (..., n, n), of symmetric x; its lower half is read.

    ShapeError for matrices that are not square, DTypeError for integers. Gradients through the eigenvectors hold for
    functions that do not depend on their signs, and are not finite where eigenvalues are equal; those through the
    eigenvalues alone always are (Giles, "Collected matrix derivative results", 2008).

    >>> import tarazu as tz
    >>> tz.linalg.eigh(tz.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    Tensor([1., 2.], dtype=float32)
    """
    return EighResult(*bind(ops.EIGH, as_value(x)))


def eigvalsh(x: ArrayLike) -> Tensor:
    """The eigenvalues, ascending, (..., n), of symmetric x, (..., n, n), of which the lower half is read.

    Errors and gradient as in `eigh`.

    >>> import tarazu as tz
    >>> tz.linalg.eigvalsh(tz.tensor([[0.0, 0.0], [2.0, 0.0]]))
    Tensor([-2.,  2.], dtype=float32)
    """
    return eigh(x).eigenvalues


def eig(x: ArrayLike) -> EigResult:
    """The eigenvalues, (..., n), and eigenvectors, (..., n, n), of square x, both complex, in no particular order.

    Eigenvectors have length 1; `eigh` is faster for symmetric matrices and gives real numbers. Half precision is
    computed in float32. ShapeError for matrices that are not square, DTypeError for integers, ArgumentError where the
    iteration does not converge, as for nan. Gradients (Giles, 2008, for vectors of length 1) need eigenvalues that are
    all different, and hold for functions that do not depend on the phase of eigenvectors.

    >>> import tarazu as tz
    >>> tz.linalg.eig(tz.tensor([[0.0, -1.0], [1.0, 0.0]])).eigenvalues
    Tensor([0.+1.j, 0.-1.j], dtype=complex64)
    """
    return EigResult(*bind(ops.EIG, single(as_value(x))))


def eigvals(x: ArrayLike) -> Tensor:
    """The complex eigenvalues, (..., n), of square x, (..., n, n), in no particular order.

    Errors and gradient as in `eig`.

    >>> import tarazu as tz
    >>> tz.real(tz.linalg.eigvals(tz.tensor([[1.0, 5.0], [0.0, 2.0]])))
    Tensor([1., 2.], dtype=float32)
    """
    return eig(x).eigenvalues


def svd(x: ArrayLike, *, full_matrices: bool = True) -> SVDResult:
    """The singular values S, descending, (..., k), of x, (..., m, n), with x = (U * S) @ Vh, where k = min(m, n).

    U is (..., m, m) and Vh (..., n, n), or with full_matrices=False (..., m, k) and (..., k, n). Gradients through U
    and Vh need full_matrices=False, and distinct singular values (Townsend, "Differentiating the singular value
    decomposition", 2016). ShapeError for less than two axes, DTypeError for integers, ArgumentError where the iteration
    does not converge, as for nan.

    >>> import tarazu as tz
    >>> tz.linalg.svd(tz.tensor([[0.0, 2.0], [3.0, 0.0]])).S
    Tensor([3., 2.], dtype=float32)
    """
    return SVDResult(*bind(ops.SVD, as_value(x), complete=flag("full_matrices", full_matrices)))


def svdvals(x: ArrayLike) -> Tensor:
    """The singular values, descending, (..., min(m, n)), of x, (..., m, n); errors as in `svd`.

    >>> import tarazu as tz
    >>> tz.linalg.svdvals(tz.tensor([[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]]))
    Tensor([3., 2.], dtype=float32)
    """
    return svd(x, full_matrices=False).S
