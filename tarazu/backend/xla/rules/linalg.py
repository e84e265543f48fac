"""The matrix decompositions. XLA cannot raise: what NumPy raises for gives NaN or infinities here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from tarazu.backend.xla.precision import in_single
from tarazu.ir import op as ops
from tarazu.ir.op import Op


def cholesky(x: Array) -> Array:
    return lax.linalg.cholesky(x, symmetrize_input=False)  # NumPy reads the lower triangle alone


def qr(x: Array, complete: bool) -> list[Array]:
    q, r = lax.linalg.qr(x, full_matrices=complete)
    return [q, r]


def eigh(x: Array) -> list[Array]:
    vectors, values = lax.linalg.eigh(x, symmetrize_input=False)
    return [values, vectors]


def eig(x: Array) -> list[Array]:
    return list(lax.linalg.eig(x, compute_left_eigenvectors=False))


def svd(x: Array, complete: bool) -> list[Array]:
    return list(lax.linalg.svd(x, full_matrices=complete))


def slogdet(x: Array) -> list[Array]:
    return list(jnp.linalg.slogdet(x))


def solve(a: Array, b: Array) -> Array:
    return jnp.linalg.solve(a, b)


ROWS: dict[Op, Callable[..., Any]] = {
    ops.CHOLESKY: in_single(cholesky),
    ops.QR: in_single(qr),
    ops.EIGH: in_single(eigh),
    ops.EIG: eig,
    ops.SVD: in_single(svd),
    ops.SLOGDET: in_single(slogdet),
    ops.SOLVE: in_single(solve),
}
