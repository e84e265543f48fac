"""Gradients of the matrix decompositions and of `solve`, for real matrices; rows are called as rules.py says.

Those of `solve` and `eig` serve complex matrices too.

Sources: Giles, "An extended collection of matrix derivative results" (2008); Walter and Lehmann, "Algorithmic
differentiation of linear algebra functions" (2010); Murray, "Differentiation of the Cholesky decomposition" (2016);
Townsend, "Differentiating the singular value decomposition" (2016); Roberts and Roberts, "QR and LQ decomposition
matrix backpropagation algorithms" (2020).
"""

from __future__ import annotations

import math

from tarazu.base.errors import GradientError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.op import Op
from tarazu.ops import elementwise as e
from tarazu.ops.contract import matmul
from tarazu.ops.create import arange
from tarazu.ops.linalg.matrix import diagonal
from tarazu.ops.linalg.solve import inv
from tarazu.ops.shape import concat, expand_dims, matrix_transpose
from tarazu.transform.gradient.control_rules import or_zeros
from tarazu.transform.gradient.vjp import Rule
from tarazu.transform.typing import Cotangents, Flags, Tensor, Tensors


def _solved(a: Tensor, b: Tensor) -> Tensor:
    return bind(ops.SOLVE, a, b)


def _diagonal_mask(x: Tensor) -> Tensor:
    """True on the diagonal of the last two axes."""
    return e.equal(expand_dims(arange(x.shape[-2]), 1), arange(x.shape[-1]))


def _lower(x: Tensor, *, diagonal_factor: float = 1.0) -> Tensor:
    """The part of `x` on and below the diagonal, which is multiplied by a factor."""
    below = e.greater(expand_dims(arange(x.shape[-2]), 1), arange(x.shape[-1]))
    return e.where(below, x, e.where(_diagonal_mask(x), e.multiply(x, diagonal_factor), 0))


def _symmetric(x: Tensor) -> Tensor:
    return e.multiply(e.add(x, matrix_transpose(x)), 0.5)


def cholesky(g: Tensor, lower: Tensor, x: Tensor) -> Tensor:
    """Murray (2016), equation 10."""
    inner = _lower(matmul(matrix_transpose(lower), g), diagonal_factor=0.5)
    right = matrix_transpose(_solved(matrix_transpose(lower), matrix_transpose(inner)))  # inner @ inverse of lower
    return _symmetric(_solved(matrix_transpose(lower), right))


def solve_a(g: Tensor, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return e.negative(matmul(_solved(matrix_transpose(a), g), matrix_transpose(x)))


def solve_b(g: Tensor, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return _solved(matrix_transpose(a), g)


def slogdet(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags) -> Cotangents:
    if cotangents[1] is None:
        return [None]
    scale = cotangents[1][..., None, None]
    x, is_singular = inputs[0], e.equal(outputs[0], 0)[..., None, None]
    identity = e.astype(_diagonal_mask(x), x.dtype)  # one singular matrix must not end a whole batch
    gradient = e.multiply(matrix_transpose(inv(e.where(is_singular, identity, x))), scale)
    return [e.where(is_singular, math.nan, gradient)]


def _refuse(name: str, reduced: str) -> GradientError:
    return GradientError(f"the gradient through all columns of the {name} of matrices that are not square",
                         expected="the reduced decomposition: the other columns are not determined by the matrix",
                         fix=f"call it with {reduced}")


def qr(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, complete: bool) -> Cotangents:
    """Walter and Lehmann (2010) for tall matrices; wide ones by Roberts and Roberts (2020)."""
    (x,), (q, r) = inputs, outputs
    rows, columns = x.shape[-2:]
    if complete and rows > columns:
        raise _refuse("QR decomposition", 'mode="reduced"')
    g_q, g_r = or_zeros(cotangents, outputs)
    if rows >= columns:
        return [_qr_tall(g_q, g_r, q, r)]
    square, rest = r[..., :rows], g_r[..., rows:]
    wide = x[..., rows:]
    g_square = _qr_tall(e.add(g_q, matmul(wide, matrix_transpose(rest))), g_r[..., :rows], q, square)
    return [concat([g_square, matmul(q, rest)], -1)]


def _qr_tall(g_q: Tensor, g_r: Tensor, q: Tensor, r: Tensor) -> Tensor:
    inner = e.subtract(matmul(r, matrix_transpose(g_r)), matmul(matrix_transpose(g_q), q))
    below = _lower(inner, diagonal_factor=0.5)
    total = e.add(g_q, matmul(q, e.add(below, matrix_transpose(below))))
    return matrix_transpose(_solved(r, matrix_transpose(total)))


def _gaps(values: Tensor) -> Tensor:
    """1 / (v_j - v_i), 0 on the diagonal; infinite between equal values, whose vectors have no derivative."""
    gap = e.subtract(expand_dims(values, -2), expand_dims(values, -1))
    mask = _diagonal_mask(gap)
    return e.where(mask, 0.0, e.divide(1.0, e.where(mask, 1.0, gap)))


def _scaled_columns(x: Tensor, factors: Tensor) -> Tensor:
    return e.multiply(x, expand_dims(factors, -2))


def eigh(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags) -> Cotangents:
    """Giles (2008), section 3.1, made symmetric."""
    (g_values, g_vectors), (values, vectors) = cotangents, outputs
    if vectors.dtype.kind == "complex":
        raise GradientError("the gradient of eigh of complex numbers", expected="real symmetric matrices",
                            fix="compute with the real and imaginary parts, or stop the gradient: x.detach()")
    transposed, parts = matrix_transpose(vectors), []
    if g_values is not None:
        parts.append(matmul(_scaled_columns(vectors, g_values), transposed))
    if g_vectors is not None:
        inner = e.multiply(_gaps(values), matmul(transposed, g_vectors))
        parts.append(matmul(matmul(vectors, inner), transposed))
    return [_symmetric(parts[0] if len(parts) == 1 else e.add(*parts))]


def eig(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags) -> Cotangents:
    """Giles (2008), section 3.1, with eigenvectors held at length 1; their phase is taken not to matter."""
    (g_values, g_vectors), (values, vectors) = cotangents, outputs
    inner = None
    if g_values is not None:
        inner = e.where(_diagonal_mask(vectors), expand_dims(g_values, -2), 0)
    if g_vectors is not None:
        turned = matrix_transpose(g_vectors)
        lengths = e.real(diagonal(matmul(turned, vectors)))
        along = e.multiply(expand_dims(e.astype(lengths, vectors.dtype), -1), e.conj(matrix_transpose(vectors)))
        through = e.multiply(matmul(e.subtract(turned, along), vectors), matrix_transpose(_gaps(values)))
        inner = through if inner is None else e.add(inner, through)
    assert inner is not None  # one of both is needed
    gradient = _solved(matrix_transpose(vectors), matrix_transpose(matmul(vectors, inner)))
    return [gradient if inputs[0].dtype.kind == "complex" else e.real(gradient)]


def svd(cotangents: Cotangents, outputs: Tensors, inputs: Tensors, needed: Flags, complete: bool) -> Cotangents:
    """Townsend (2016), equation 31."""
    (x,), (u, s, vh) = inputs, outputs
    size = s.shape[-1]
    rows, columns = x.shape[-2:]
    has_vectors = cotangents[0] is not None or cotangents[2] is not None
    if has_vectors and complete and rows != columns:
        raise _refuse("singular value decomposition", "full_matrices=False")
    u, vh = u[..., :size], vh[..., :size, :]
    parts = []
    if cotangents[1] is not None:
        parts.append(matmul(_scaled_columns(u, cotangents[1]), vh))
    if has_vectors:
        g_u, _, g_vh = or_zeros(cotangents, outputs)
        parts.append(_singular_vectors(g_u, matrix_transpose(g_vh), u, s, vh))
    return [parts[0] if len(parts) == 1 else e.add(*parts)]


def _singular_vectors(g_u: Tensor, g_v: Tensor, u: Tensor, s: Tensor, vh: Tensor) -> Tensor:
    """The part of the cotangent that comes through U and V."""
    ut, v = matrix_transpose(u), matrix_transpose(vh)
    gaps = _gaps(e.multiply(s, s))
    in_u, in_v = matmul(ut, g_u), matmul(vh, g_v)
    inner = e.add(_scaled_columns(e.multiply(gaps, e.subtract(in_u, matrix_transpose(in_u))), s),
                  e.multiply(expand_dims(s, -1), e.multiply(gaps, e.subtract(in_v, matrix_transpose(in_v)))))
    total = matmul(matmul(u, inner), vh)
    if u.shape[-2] > s.shape[-1]:
        outside = e.subtract(g_u, matmul(u, in_u))
        total = e.add(total, matmul(e.divide(outside, expand_dims(s, -2)), vh))
    if vh.shape[-1] > s.shape[-1]:
        outside = e.subtract(g_v, matmul(v, in_v))
        total = e.add(total, matmul(u, e.divide(matrix_transpose(outside), expand_dims(s, -1))))
    return total


LINALG_RULES: dict[Op, Rule] = {
    ops.CHOLESKY: (cholesky,),
    ops.QR: qr,
    ops.EIGH: eigh,
    ops.EIG: eig,
    ops.SVD: svd,
    ops.SLOGDET: slogdet,
    ops.SOLVE: (solve_a, solve_b),
}
