"""Norms of vectors and matrices, products of vectors, diagonals and traces."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir.type_rules.checks import broadcast_shapes
from tarazu.ops import elementwise as e
from tarazu.ops import reduce
from tarazu.ops.elementwise import conj
from tarazu.ops.indexing import diagonals
from tarazu.ops.linalg.decompose import svdvals
from tarazu.ops.promote import HALF, as_float, as_value, cast, same_dtype, single
from tarazu.ops.shape import broadcast_to, distinct_axes, expand_dims, moveaxis, normalize_axis, reshape, roll
from tarazu.ops.typing import ArrayLike, Axes, DTypeLike, Tensor


def safe_root(x: Tensor, power: float = 0.5) -> Tensor:
    """x ** power whose gradient at 0 is 0, not infinite."""
    is_zero = e.equal(x, 0)
    return e.where(is_zero, 0.0, e.pow(e.where(is_zero, 1.0, x), power))


def vector_norm(x: ArrayLike, *, axis: Axes = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """The norm sum(|x| ** ord) ** (1 / ord) over the axes; ord inf is the largest |x|, -inf the smallest.

    With ord 0 it is the number of elements that are not 0. Without `axis` all elements are one vector; the result has
    the shape of `x` without the axes, with `keepdims` they stay, of size 1. Integers become float32. The gradient at 0
    is 0. AxisError for an axis that `x` lacks, ShapeError for the inf norm of no elements.

    >>> import tarazu as tz
    >>> tz.linalg.vector_norm(tz.tensor([3.0, 4.0]))
    Tensor(5., dtype=float32)
    """
    x = as_float(x)
    if x.dtype in HALF:  # squares may be beyond their range
        return cast(vector_norm(single(x), axis=axis, keepdims=keepdims, ord=ord), x.dtype)
    if ord == 2:  # the squares are smooth at 0, as `abs` is not
        return safe_root(reduce.sum(e.abs_square(x), axis, keepdims=keepdims))
    size = e.abs(x)
    if ord == math.inf:
        return reduce.max(size, axis, keepdims=keepdims)
    if ord == -math.inf:
        return reduce.min(size, axis, keepdims=keepdims)
    if ord == 0:
        return reduce.sum(cast(e.not_equal(x, 0), size.dtype), axis, keepdims=keepdims)
    if ord == 1:
        return reduce.sum(size, axis, keepdims=keepdims)
    powers = safe_root(size, ord) if ord > 0 else e.pow(size, ord)
    return e.pow(reduce.sum(powers, axis, keepdims=keepdims), 1 / ord)


def matrix_norm(x: ArrayLike, *, keepdims: bool = False, ord: float | str = "fro") -> Tensor:
    """The norm, (...), of the matrices in the last two axes, (..., m, n).

    `ord` "fro" is the root of the sum of squares, "nuc" the sum of singular values, 2 and -2 the largest and smallest
    one, 1 and -1 the largest and smallest column sum of absolute values, inf and -inf those of the rows. With
    `keepdims` the two axes stay, of size 1. ShapeError for less than two axes, ArgumentError for another `ord`.

    >>> import tarazu as tz
    >>> tz.linalg.matrix_norm(tz.tensor([[3.0, 0.0], [4.0, 0.0]]))
    Tensor(5., dtype=float32)
    """
    x = as_float(x)
    if len(x.shape) < 2:
        raise ShapeError(f"matrix_norm of a tensor of shape {x.shape}", expected="a matrix: at least two axes",
                         fix="use tz.linalg.vector_norm for vectors")
    if ord == "fro":
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord not in ("nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise ArgumentError(f"matrix_norm: ord={ord!r}", expected="'fro', 'nuc', 1, -1, 2, -2, inf or -inf",
                            fix="use 'fro' for the root of the sum of squares")
    if ord in ("nuc", 2, -2):
        values = svdvals(x)
        norm = {"nuc": reduce.sum, 2: reduce.max, -2: reduce.min}[ord](values, -1)
    else:
        sums = reduce.sum(e.abs(x), -2 if ord in (1, -1) else -1)
        norm = (reduce.max if ord in (1, math.inf) else reduce.min)(sums, -1)
    return reshape(norm, (*norm.shape, 1, 1)) if keepdims else norm


def norm(x: ArrayLike, ord: float | str | None = None, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The norm of vectors along one axis or of matrices in two, as in NumPy and torch.

    Without `axis` and `ord` it is the root of the sum of all squares; with an `ord` alone `x` is one vector or one
    matrix. `ord` is that of `vector_norm` for one axis and of `matrix_norm` for two, where 2 unless given, or "fro".
    The result lacks the axes, with `keepdims` they stay, of size 1. Integers become float32. ShapeError for an `ord`
    without `axis` of a tensor that is no vector and no matrix, ArgumentError for more than two axes or another `ord`,
    AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.linalg.norm(tz.tensor([[3.0, 4.0], [0.0, 5.0]]), axis=1)
    Tensor([5., 5.], dtype=float32)
    """
    x = as_float(x)
    rank = len(x.shape)
    axes = distinct_axes(range(rank) if axis is None else axis if isinstance(axis, Sequence) else (axis,), rank, "norm")
    if axis is None and ord is not None and rank not in (1, 2):
        raise ShapeError(f"norm: ord={ord!r} of a tensor of shape {x.shape}", expected="a vector or a matrix",
                         fix="say which axes: axis=-1 for vectors, axis=(-2, -1) for matrices")
    if len(axes) == 2 and ord is not None:
        matrices = matrix_norm(moveaxis(x, axes, (-2, -1)), ord=ord)
        return expand_dims(expand_dims(matrices, min(axes)), max(axes)) if keepdims else matrices
    if isinstance(ord, str) or (len(axes) > 2 and axis is not None):
        raise ArgumentError(f"norm: ord={ord!r} over axes {axes}", expected="a number for one axis, two axes at most",
                            fix="leave out axis and ord for the root of the sum of all squares")
    return vector_norm(x, axis=axis, keepdims=keepdims, ord=2 if ord is None else ord)


def kron(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The Kronecker product: `x` with each element replaced by its product with `y`.

    Sizes are the products of those of `x` and `y`; the one with fewer axes gets axes of size 1 in front.

    >>> import tarazu as tz
    >>> tz.linalg.kron(tz.tensor([[1, 2]]), tz.tensor([[1], [10]]))
    Tensor([[ 1,  2],
            [10, 20]], dtype=int64)
    """
    x, y = same_dtype(x, y)
    rank = max(len(x.shape), len(y.shape))
    outer, inner = ((1,) * (rank - len(v.shape)) + v.shape for v in (x, y))
    apart = reshape(x, [size for n in outer for size in (n, 1)]), reshape(y, [size for n in inner for size in (1, n)])
    return reshape(e.multiply(*apart), [n * m for n, m in zip(outer, inner, strict=True)])


def vecdot(x: ArrayLike, y: ArrayLike, *, axis: int = -1) -> Tensor:
    """The sum of products along an axis, with `x` conjugated where it is complex; the other axes broadcast.

    (..., n) and (..., n) to (...). ShapeError when sizes do not fit, AxisError for an axis that one of them lacks.

    >>> import tarazu as tz
    >>> tz.linalg.vecdot(tz.tensor([1.0, 2.0]), tz.tensor([3.0, 4.0]))
    Tensor(11., dtype=float32)
    """
    x, y = same_dtype(x, y)
    sizes = [v.shape[normalize_axis(axis, len(v.shape), "vecdot")] for v in (x, y)]
    if sizes[0] != sizes[1]:
        raise ShapeError(f"vecdot: shapes {x.shape} and {y.shape} along axis {axis}",
                         expected="vectors of one length", fix="slice or pad one of them")
    return cast(reduce.sum(e.multiply(conj(x), y), axis), x.dtype)


def cross(x: ArrayLike, y: ArrayLike, *, axis: int = -1) -> Tensor:
    """The vector product of vectors of 3 elements along an axis, (..., 3); the other axes broadcast.

    ShapeError for other than 3 elements and when sizes do not fit, AxisError for an axis that one of them lacks.

    >>> import tarazu as tz
    >>> tz.linalg.cross(tz.tensor([1, 0, 0]), tz.tensor([0, 1, 0]))
    Tensor([0, 0, 1], dtype=int64)
    """
    x, y = same_dtype(x, y)
    sizes = [v.shape[normalize_axis(axis, len(v.shape), "cross")] for v in (x, y)]
    if sizes != [3, 3]:
        raise ShapeError(f"cross: shapes {x.shape} and {y.shape} along axis {axis}", expected="3 elements along it",
                         fix="append a zero to vectors of 2 elements")
    shape = broadcast_shapes("cross", x.shape, y.shape)
    rank = min(len(x.shape), len(y.shape))
    last = normalize_axis(axis, rank, "cross") - rank  # counted from the back, as broadcasting adds axes in front
    x, y = broadcast_to(x, shape), broadcast_to(y, shape)
    first = e.multiply(roll(x, -1, last), roll(y, -2, last))
    return e.subtract(first, e.multiply(roll(x, -2, last), roll(y, -1, last)))


def diagonal(x: ArrayLike, *, offset: int = 0) -> Tensor:
    """The diagonals, (..., k), of the matrices in the last two axes, (..., m, n).

    `offset` counts columns to the right of the main diagonal, negative ones rows below it. ShapeError for less than two
    axes.

    >>> import tarazu as tz
    >>> tz.linalg.diagonal(tz.tensor([[1, 2], [3, 4]]))
    Tensor([1, 4], dtype=int64)
    """
    x = as_value(x)
    if len(x.shape) < 2:
        raise ShapeError(f"diagonal of a tensor of shape {x.shape}", expected="a matrix: at least two axes",
                         fix="tz.diag makes a diagonal matrix of a vector")
    return diagonals.diagonal(x, offset, -2, -1)


def trace(x: ArrayLike, *, offset: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """The sum, (...), of the diagonal of the matrices in the last two axes, (..., m, n); `dtype` as in `tz.sum`.

    Offset and errors as in `diagonal`.

    >>> import tarazu as tz
    >>> tz.linalg.trace(tz.tensor([[1, 2], [3, 4]]))
    Tensor(5, dtype=int64)
    """
    return reduce.sum(diagonal(x, offset=offset), -1, dtype=dtype)
