"""Products of many matrices, in the order that takes the fewest multiplications."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.contract import matmul
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, Tensor


def multi_dot(arrays: Sequence[ArrayLike]) -> Tensor:
    """The product of two or more matrices, whose sizes say in which order the fewest multiplications are made.

    (l, m) @ (m, n) @ (n, k) is (l, k); the first may be a row (m,) and the last a column (n,), whose axis the result
    lacks. The order is that of Cormen and others, "Introduction to Algorithms", chapter 15.2. ArgumentError for less
    than two arrays, ShapeError for sizes that do not fit and other numbers of axes.

    >>> import tarazu as tz
    >>> tz.linalg.multi_dot([tz.ones((10, 100)), tz.ones((100, 5)), tz.ones((5, 50))]).shape
    (10, 50)
    """
    matrices = [as_value(x) for x in arrays]
    if len(matrices) < 2:
        raise ArgumentError(f"multi_dot of {len(matrices)} arrays", expected="two or more", fix="pass them as a list")
    last = len(matrices) - 1
    for i, x in enumerate(matrices):
        if x.ndim != 2 and not (x.ndim == 1 and i in (0, last)):
            raise ShapeError(f"multi_dot: array {i} of shape {x.shape}",
                             expected="matrices, and for the first and the last also one axis",
                             fix="multiply stacks of matrices one after the other: a @ b @ c")
    sizes = [1 if matrices[0].ndim == 1 else matrices[0].shape[0], *(x.shape[0] for x in matrices[1:]),
             1 if matrices[last].ndim == 1 else matrices[last].shape[1]]
    for i, x in enumerate(matrices[:-1]):
        if x.shape[-1] != sizes[i + 1]:
            raise ShapeError(f"multi_dot: array {i} of shape {x.shape} times array {i + 1} of shape "
                             f"{matrices[i + 1].shape}", expected=f"{x.shape[-1]} rows", fix="check their order")
    return _product(matrices, _splits(sizes), 0, last)


def _splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """For each run of matrices, from one to another, after which of them its two factors part."""
    count, splits = len(sizes) - 1, {}
    costs = {(i, i): 0 for i in range(count)}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            costs[i, j], splits[i, j] = min(
                (costs[i, k] + costs[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))
    return splits


def _product(matrices: Sequence[Tensor], splits: dict[tuple[int, int], int], first: int, last: int) -> Tensor:
    if first == last:
        return matrices[first]
    middle = splits[first, last]
    return matmul(_product(matrices, splits, first, middle), _product(matrices, splits, middle + 1, last))
