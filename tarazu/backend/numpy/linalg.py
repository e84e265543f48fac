"""Matrix decompositions and `solve` in NumPy (LAPACK), whose errors name the operation and say what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.op import Op

Array = np.ndarray


def _explained(name: str, problem: str, expected: str, fix: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for kernels: half precision is computed in single precision, NumPy's error becomes ArgumentError."""
    def decorate(kernel: Callable[..., Any]) -> Callable[..., Any]:
        def run(*inputs: Array, **attributes: bool) -> Any:
            dtype = inputs[0].dtype
            is_half = dtype.itemsize == 2
            try:
                out = kernel(*[x.astype(np.float32) for x in inputs] if is_half else inputs, **attributes)
            except np.linalg.LinAlgError:
                shape = inputs[0].shape
                raise ArgumentError(f"{name}: {problem} (shape {shape})", expected=expected, fix=fix) from None
            if not is_half:
                return out
            return tuple(x.astype(dtype) for x in out) if isinstance(out, tuple) else out.astype(dtype)
        return run
    return decorate


_REGULARIZE = "check for equal or all-zero rows and columns; x + 1e-6 * tz.eye(n) makes it regular"
_NO_CONVERGENCE = "an iteration that did not converge", "finite elements", "look for NaN with tz.isnan(x).any()"


@_explained("cholesky", "a matrix that is not positive definite",
            "a symmetric matrix whose eigenvalues are all positive, such as x @ x.mT",
            "add a small multiple of the identity (x + 1e-6 * tz.eye(n)), or use tz.linalg.eigh")
def cholesky(x: Array) -> Array:
    return np.linalg.cholesky(x)


@_explained("qr", *_NO_CONVERGENCE)
def qr(x: Array, complete: bool) -> tuple[Array, Array]:
    q, r = np.linalg.qr(x, "complete" if complete else "reduced")
    return q, r


@_explained("eigh", *_NO_CONVERGENCE)
def eigh(x: Array) -> tuple[Array, Array]:
    values, vectors = np.linalg.eigh(x)
    return values, vectors


@_explained("eig", *_NO_CONVERGENCE)
def eig(x: Array) -> tuple[Array, Array]:
    values, vectors = np.linalg.eig(x)  # real where all eigenvalues are
    dtype = np.result_type(x.dtype, np.complex64)
    return values.astype(dtype), vectors.astype(dtype)


@_explained("svd", *_NO_CONVERGENCE)
def svd(x: Array, complete: bool) -> tuple[Array, Array, Array]:
    u, s, vh = np.linalg.svd(x, full_matrices=complete)
    return u, s, vh


@_explained("slogdet", *_NO_CONVERGENCE)
def slogdet(x: Array) -> tuple[Array, Array]:
    sign, logarithm = np.linalg.slogdet(x)
    return np.asarray(sign), np.asarray(logarithm)


@_explained("solve or inv", "a singular matrix", "a matrix whose rows are linearly independent",
            f"{_REGULARIZE}; tz.linalg.pinv(a) @ b is the least-squares solution")
def solve(a: Array, b: Array) -> Array:
    return np.linalg.solve(a, b)


LINALG_KERNELS: dict[Op, Callable[..., Any]] = {
    ops.CHOLESKY: cholesky,
    ops.QR: qr,
    ops.EIGH: eigh,
    ops.EIG: eig,
    ops.SVD: svd,
    ops.SLOGDET: slogdet,
    ops.SOLVE: solve,
}
