"""Embedding: rows of a table by their indices."""

from __future__ import annotations

from tarazu.base.errors import ShapeError
from tarazu.ops.indexing.index import take
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, Tensor


def embedding(indices: ArrayLike, table: ArrayLike) -> Tensor:
    """The rows of `table` (rows, size) that `indices`, integers of any shape, name: shape (*indices' shape, size).

    Also called a lookup table (Bengio, Ducharme, Vincent and Jauvin, 2003). ShapeError for a table without two axes,
    DTypeError for indices that are not integers, OutOfRangeError for a row that the table lacks.

    >>> import tarazu as tz
    >>> tz.embedding(tz.tensor([2, 0]), tz.tensor([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]))
    Tensor([[2. , 2.5],
            [0. , 0.5]], dtype=float32)
    """
    table = as_value(table)
    if len(table.shape) != 2:
        raise ShapeError(f"embedding: a table of shape {table.shape}", expected="(rows, size)",
                         fix="the table is the second argument; a vector becomes one by table[:, None]")
    return take(table, indices)
