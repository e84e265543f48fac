"""Rows of a data set: a tree of arrays with a row per sample each."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import ShapeError
from tarazu.base.pytree import Structure, flatten, leaf_paths

MOST_JUDGED_ROWS = 20_000  # of each part, by the verdict: more would cost time and change no verdict

COMPARED_ROWS = 256  # by which a change of arrays is noticed

RowIndex = slice | np.ndarray  # which rows of an array


class Arrays:
    """A tree of arrays with a row per sample: (x, y), (x, y, weight), or whatever a step of the model's own takes.

    Each of its parts may be an array, or a tuple, list or dict of arrays.
    """

    __slots__ = ("leaves", "structure")

    def __init__(self, leaves: Sequence[np.ndarray], structure: Structure) -> None:
        self.leaves, self.structure = tuple(leaves), structure

    @classmethod
    def of(cls, tree: Any) -> Arrays:
        """Those of a tree; ShapeError, which names the first that differs, unless all have equally many rows."""
        arrays = cls(*flatten(tree))
        for path, leaf in zip(leaf_paths(arrays.structure), arrays.leaves, strict=True):
            if len(leaf) != arrays.rows:
                raise ShapeError(f"data{path} has {len(leaf)} rows and data{leaf_paths(arrays.structure)[0]} has "
                                 f"{arrays.rows}", expected="equally many rows in each",
                                 fix="check how they were made; rows are the first axis")
        return arrays

    @property
    def tree(self) -> Any:
        """The tree of arrays."""
        return self.structure.rebuild(self.leaves)

    @property
    def has_mask(self) -> bool:
        """Whether one of the arrays is boolean with more than one axis, as the mask of padded sequences is."""
        return any(leaf.dtype == bool and leaf.ndim > 1 for leaf in self.leaves)

    @property
    def is_pair(self) -> bool:
        """Whether it is (x, y) or (x, y, weight)."""
        return self.structure.kind in (tuple, list) and len(self.structure.children) in (2, 3)

    @property
    def x(self) -> Any:
        """The inputs of a model, of (x, y) and (x, y, weight)."""
        return self.tree[0]

    @property
    def y(self) -> Any:
        """The targets."""
        return self.tree[1]

    @property
    def weight(self) -> Any:
        """The weights of the samples; None where they have none."""
        return self.tree[2] if len(self.structure.children) > 2 else None

    def without_inputs(self) -> Arrays:
        """The same rows of (x, y) or (x, y, weight) with a number of no memory for x, so that joining copies none."""
        return Arrays.of((np.broadcast_to(np.float32(0), self.rows), *self.tree[1:]))

    @property
    def rows(self) -> int:
        """How many samples there are."""
        return len(self.leaves[0])

    @property
    def nbytes(self) -> int:
        """How much memory the arrays take, in bytes."""
        return sum(leaf.nbytes for leaf in self.leaves)

    @property
    def row_type(self) -> tuple:
        """The structure, and shapes and dtypes of a row."""
        return self.structure, tuple((leaf.shape[1:], leaf.dtype) for leaf in self.leaves)

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> Arrays:
        """Those that `function` makes of each of them."""
        return Arrays([function(leaf) for leaf in self.leaves], self.structure)

    def at(self, rows: RowIndex) -> Arrays:
        """Some of the rows."""
        return self.map(lambda leaf: leaf[rows])

    def batches(self, size: int) -> Iterator[Arrays]:
        """The rows in batches of `size`, the last of which may have fewer."""
        return (self.at(slice(i, i + size)) for i in range(0, self.rows, size))

    def checksums(self) -> list[int]:
        """A number for each array, of some rows at equal distances, that changes when what is in them does."""
        return [zlib.crc32(leaf[::max(1, len(leaf) // COMPARED_ROWS)].tobytes()) for leaf in self.leaves]

    def copy(self) -> Arrays:
        """The same values in memory of their own."""
        return self.map(np.copy)


def of_one_length(parts: Sequence[Arrays]) -> list[Arrays]:
    """Parts of masked sequences, filled up with zeros, and masks with False, to the longest of all."""
    def filled(leaf: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
        return np.pad(leaf, [(0, 0), *((0, size - own) for size, own in zip(sizes, leaf.shape[1:], strict=True))])

    sizes = [tuple(map(max, zip(*(leaf.shape[1:] for leaf in leaves), strict=True)))
             for leaves in zip(*(part.leaves for part in parts), strict=True)]
    return [Arrays(list(map(filled, part.leaves, sizes)), part.structure) for part in parts]


def joined(parts: Sequence[Arrays]) -> Arrays:
    """The rows of several parts of one structure, one below the other."""
    if len(parts) == 1:
        return parts[0]
    leaves = zip(*(part.leaves for part in parts), strict=True)
    return Arrays([np.concatenate(leaf) for leaf in leaves], parts[0].structure)


def class_numbers(y: np.ndarray) -> np.ndarray | None:
    """The class of each sample where `y` holds whole numbers or one-hot rows, else None."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 1 and (y == np.round(y)).all():
        return y.astype(np.int64)
    is_one_hot = y.ndim == 2 and ((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all()
    return y.argmax(1) if is_one_hot else None
