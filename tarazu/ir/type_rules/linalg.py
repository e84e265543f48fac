"""Type rules of matrix decompositions and of `solve`, which work on the matrices in the last two axes."""

from __future__ import annotations

from tarazu.base import dtypes
from tarazu.base.errors import DTypeError, ShapeError
from tarazu.ir.types import TensorType


def _require_matrices(name: str, x: TensorType, *, square: bool = False) -> None:
    if not x.dtype.is_inexact:
        raise DTypeError(f"{name} of a tensor of {x.dtype}", expected="a float or complex dtype",
                         fix="cast it first: x.astype(tz.float32), or tz.float64 for more digits")
    if len(x.shape) < 2:
        raise ShapeError(f"{name} of a tensor of shape {x.shape}", expected="a matrix: at least two axes",
                         fix="add an axis: x[:, None] is a column, x[None] a row")
    if square and x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} of matrices of {x.shape[-2]} rows and {x.shape[-1]} columns (shape {x.shape})",
                         expected="square matrices: the last two axes of one size",
                         fix="check the shape; tz.linalg.pinv, svd and qr take matrices of any shape")


def _real(x: TensorType, shape: tuple[int, ...]) -> TensorType:
    return TensorType(shape, dtypes.COMPLEX_PARTS.get(x.dtype, x.dtype))


def cholesky(name: str, x: TensorType) -> TensorType:
    _require_matrices(name, x, square=True)
    return x


def qr(name: str, x: TensorType, *, complete: bool) -> tuple[TensorType, TensorType]:
    _require_matrices(name, x)
    *lead, rows, columns = x.shape
    inner = rows if complete else min(rows, columns)
    return TensorType((*lead, rows, inner), x.dtype), TensorType((*lead, inner, columns), x.dtype)


def eigh(name: str, x: TensorType) -> tuple[TensorType, TensorType]:
    _require_matrices(name, x, square=True)
    return _real(x, x.shape[:-1]), x


def eig(name: str, x: TensorType) -> tuple[TensorType, TensorType]:
    _require_matrices(name, x, square=True)
    dtype = dtypes.promote(x.dtype, dtypes.complex64)
    return TensorType(x.shape[:-1], dtype), TensorType(x.shape, dtype)


def svd(name: str, x: TensorType, *, complete: bool) -> tuple[TensorType, TensorType, TensorType]:
    _require_matrices(name, x)
    *lead, rows, columns = x.shape
    inner = min(rows, columns)
    left, right = (rows, columns) if complete else (inner, inner)
    return (TensorType((*lead, rows, left), x.dtype), _real(x, (*lead, inner)),
            TensorType((*lead, right, columns), x.dtype))


def slogdet(name: str, x: TensorType) -> tuple[TensorType, TensorType]:
    _require_matrices(name, x, square=True)
    return TensorType(x.shape[:-2], x.dtype), _real(x, x.shape[:-2])


def solve(name: str, a: TensorType, b: TensorType) -> TensorType:
    _require_matrices(name, a, square=True)
    _require_matrices(name, b)
    if a.dtype != b.dtype:
        raise DTypeError(f"{name} got {a.dtype} and {b.dtype}", expected="one dtype",
                         fix="cast one side first: b.astype(a.dtype)")
    if a.shape[:-1] != b.shape[:-1]:
        raise ShapeError(f"{name}: matrices of shape {a.shape} and right sides of shape {b.shape}",
                         expected=f"right sides with {a.shape[-1]} rows",
                         fix="transpose the right sides (b.mT), or pass a vector of that length")
    return b
