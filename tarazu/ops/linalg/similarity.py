"""Lengths of vectors along an axis, angles and distances between them."""

from __future__ import annotations

from tarazu.ops.elementwise import divide, maximum, subtract
from tarazu.ops.linalg.matrix import vecdot, vector_norm
from tarazu.ops.promote import as_float, same_float_dtype
from tarazu.ops.typing import ArrayLike, Axes, Tensor


def normalize(x: ArrayLike, axis: Axes = -1, *, p: float = 2, epsilon: float = 1e-12) -> Tensor:
    """`x` divided by its norm along an axis (the last by default), so that each vector there has length 1.

    `p` is the `ord` of `tz.linalg.vector_norm`: 2 for Euclidean length, 1 for the sum of absolute values, inf for the
    largest. Norms below `epsilon` count as `epsilon`, so that zeros stay zeros. The shape stays; integers become
    float32. AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.normalize(tz.tensor([[3.0, 4.0], [0.0, 0.0]]))
    Tensor([[0.6, 0.8],
            [0. , 0. ]], dtype=float32)
    """
    x = as_float(x)
    return divide(x, maximum(vector_norm(x, axis=axis, ord=p, keepdims=True), epsilon))


def cosine_similarity(x: ArrayLike, y: ArrayLike, axis: int = -1, *, epsilon: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along an axis: from -1, opposite, over 0, orthogonal, to 1, parallel.

    (..., n) and (..., n) to (...); the other axes broadcast. Norms below `epsilon` count as `epsilon`, so that vectors
    of zeros give 0. Integers become float32. ShapeError when sizes do not fit, AxisError for an axis that one lacks.

    >>> import tarazu as tz
    >>> tz.cosine_similarity(tz.tensor([3.0, 0.0]), tz.tensor([[5.0, 0.0], [0.0, 5.0]]))
    Tensor([1., 0.], dtype=float32)
    """
    x, y = same_float_dtype(x, y)
    return vecdot(normalize(x, axis, epsilon=epsilon), normalize(y, axis, epsilon=epsilon), axis=axis)


def pairwise_distance(x: ArrayLike, y: ArrayLike, axis: int = -1, *, p: float = 2, keepdims: bool = False) -> Tensor:
    """The norm of x - y along an axis: (..., n) and (..., n) to (...), where the axes broadcast.

    `p` is the `ord` of `tz.linalg.vector_norm`. Equal vectors have distance 0 and gradient 0, so nothing is added to
    the difference (torch adds 1e-6). With `keepdims` the axis stays, of size 1. ShapeError when `x` and `y` do not
    broadcast, AxisError for an axis that they lack.

    >>> import tarazu as tz
    >>> tz.pairwise_distance(tz.tensor([[0.0, 0.0], [1.0, 1.0]]), tz.tensor([3.0, 4.0]))
    Tensor([5.       , 3.6055512], dtype=float32)
    """
    return vector_norm(subtract(*same_float_dtype(x, y)), axis=axis, ord=p, keepdims=keepdims)
