"""Distances between all pairs of points."""

from __future__ import annotations

from tarazu.base.errors import ShapeError
from tarazu.ops.elementwise import subtract
from tarazu.ops.linalg.matrix import vector_norm
from tarazu.ops.promote import same_float_dtype
from tarazu.ops.shape import expand_dims
from tarazu.ops.typing import ArrayLike, Tensor


def cdist(x: ArrayLike, y: ArrayLike, p: float = 2) -> Tensor:
    """The distances (..., m, n) between m points (..., m, d) and n points (..., n, d) in the norm `p`.

    2 is the Euclidean distance, 1 the sum of absolute differences, inf the largest one. They are exact also for points
    close together, where the gradient is 0 for equal ones; eagerly that takes memory for all m * n * d differences.
    ShapeError for fewer than two axes, another number of coordinates or leading axes that do not broadcast.

    >>> import tarazu as tz
    >>> tz.cdist(tz.tensor([[0.0, 0.0]]), tz.tensor([[3.0, 4.0], [0.0, 1.0]]))
    Tensor([[5., 1.]], dtype=float32)
    """
    x, y = same_float_dtype(x, y)
    if len(x.shape) < 2 or len(y.shape) < 2 or x.shape[-1] != y.shape[-1]:
        raise ShapeError(f"cdist: shapes {x.shape} and {y.shape}", expected="(..., m, d) and (..., n, d)",
                         fix="reshape vectors of numbers with x[:, None]")
    return vector_norm(subtract(expand_dims(x, -2), expand_dims(y, -3)), axis=-1, ord=p)
