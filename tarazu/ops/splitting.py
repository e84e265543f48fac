"""Tensors cut into parts along an axis, and parts set side by side: split, chunk, hstack, vstack, dstack."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from tarazu.base.checks import positive_int, whole_number
from tarazu.base.errors import ArgumentError
from tarazu.ops.promote import as_value
from tarazu.ops.shape import concat, normalize_axis, reshape, slice_axis
from tarazu.ops.typing import ArrayLike, Tensor


def split(x: ArrayLike, indices_or_sections: int | Sequence[int] | None = None, axis: int = 0, *,
          sizes: int | Sequence[int] | None = None) -> tuple[Tensor, ...]:
    """`x` in parts along an axis, as a tuple: so many equal ones, or cut at the given indices, as in NumPy and Keras.

    `sizes` says how large the parts are instead, all alike (the last one may be smaller) or one by one, as in torch.
    ArgumentError for a number of parts that does not divide the axis (`array_split` takes it) and for sizes that do not
    add up to it, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> tz.split(tz.arange(6), 3)
    (Tensor([0, 1], dtype=int64), Tensor([2, 3], dtype=int64), Tensor([4, 5], dtype=int64))
    >>> [part.shape for part in tz.split(tz.ones(5, 8), [2, 3], axis=1)]
    [(5, 2), (5, 1), (5, 5)]
    >>> [part.shape for part in tz.split(tz.ones(5), sizes=[2, 3])]
    [(2,), (3,)]
    """
    x = as_value(x)
    axis = normalize_axis(axis, len(x.shape), "split")
    size = x.shape[axis]
    if (indices_or_sections is None) == (sizes is None):
        raise ArgumentError("split: both or neither of indices_or_sections and sizes", expected="one of the two",
                            fix="pass for example tz.split(x, 2) for two halves")
    if sizes is not None:
        return _cut(x, axis, _bounds_of_sizes(sizes, size))
    if isinstance(indices_or_sections, int) and size % positive_int("split: indices_or_sections", indices_or_sections):
        raise ArgumentError(f"split: {indices_or_sections} parts of an axis of size {size}",
                            expected="a number that divides it", fix="tz.array_split takes any number of parts")
    return array_split(x, indices_or_sections, axis)  # type: ignore[arg-type]  # None raises above


def _bounds_of_sizes(sizes: int | Sequence[int], size: int) -> list[int]:
    """The indices at which parts of the given sizes begin, and the end."""
    if isinstance(sizes, int):
        step = positive_int("split: sizes", sizes)
        return [*range(0, max(size, 1), step), size]
    numbers = [whole_number(f"split: sizes={sizes!r}", one, least=0) for one in sizes]
    if sum(numbers) != size:
        raise ArgumentError(f"split: sizes {numbers} of an axis of size {size}",
                            expected=f"sizes that add up to {size}",
                            fix="to cut at indices, pass them as second argument: tz.split(x, [2, 3])")
    return list(accumulate(numbers, initial=0))


def array_split(x: ArrayLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """As `split`, but a number of parts need not divide the axis: the first ones are then larger by one.

    ArgumentError for a number of parts below 1, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> [part.shape for part in tz.array_split(tz.ones(8), 3)]
    [(3,), (3,), (2,)]
    """
    x = as_value(x)
    axis = normalize_axis(axis, len(x.shape), "array_split")
    size = x.shape[axis]
    if not isinstance(indices_or_sections, int):
        indices = [whole_number(f"split at {indices_or_sections!r}", i) for i in indices_or_sections]
        return _cut(x, axis, [0, *(slice(i).indices(size)[1] for i in indices), size])
    parts = positive_int("array_split: indices_or_sections", indices_or_sections)
    least, larger = divmod(size, parts)
    return _cut(x, axis, [i * least + min(i, larger) for i in range(parts + 1)])


def _cut(x: Tensor, axis: int, bounds: list[int]) -> tuple[Tensor, ...]:
    return tuple(slice_axis(x, axis, start, max(start, stop)) for start, stop in pairwise(bounds))


def chunk(x: ArrayLike, chunks: int, axis: int = 0) -> tuple[Tensor, ...]:
    """`x` in at most `chunks` parts of one size along an axis, of which the last one may be smaller, as in torch.

    ArgumentError for a number below 1, AxisError for an axis that `x` lacks.

    >>> import tarazu as tz
    >>> [part.shape for part in tz.chunk(tz.ones(8), 3)]
    [(3,), (3,), (2,)]
    """
    x = as_value(x)
    size = x.shape[normalize_axis(axis, len(x.shape), "chunk")]
    return split(x, axis=axis, sizes=max(-(-size // positive_int("chunk: chunks", chunks)), 1))


def hsplit(x: ArrayLike, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`split` along the second axis, the columns; of a vector along its only axis. Errors as in `split`.

    >>> import tarazu as tz
    >>> [part.shape for part in tz.hsplit(tz.ones(2, 6), 3)]
    [(2, 2), (2, 2), (2, 2)]
    """
    x = as_value(x)
    return split(x, indices_or_sections, 0 if len(x.shape) == 1 else 1)


def vsplit(x: ArrayLike, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`split` along the first axis, the rows, of a tensor with two axes or more; AxisError for a vector.

    >>> import tarazu as tz
    >>> [part.shape for part in tz.vsplit(tz.ones(6, 2), [1])]
    [(1, 2), (5, 2)]
    """
    x = as_value(x)
    normalize_axis(1, len(x.shape), "vsplit")
    return split(x, indices_or_sections, 0)


def dsplit(x: ArrayLike, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`split` along the third axis; AxisError for fewer axes, else errors as in `split`.

    >>> import tarazu as tz
    >>> [part.shape for part in tz.dsplit(tz.ones(2, 2, 4), 2)]
    [(2, 2, 2), (2, 2, 2)]
    """
    return split(x, indices_or_sections, 2)


# Side by side ---------------------------------------------------------------------------------------------------

def hstack(tensors: Sequence[ArrayLike]) -> Tensor:
    """The tensors side by side: joined along the second axis, the columns; vectors and numbers along their only one.

    ArgumentError for no tensors, ShapeError for shapes that do not fit together.

    >>> import tarazu as tz
    >>> tz.hstack([tz.tensor([[1], [2]]), tz.tensor([[3], [4]])])
    Tensor([[1, 3],
            [2, 4]], dtype=int64)
    """
    parts = _with_axes(tensors, 1)
    return concat(parts, 0 if not parts or len(parts[0].shape) == 1 else 1)


def vstack(tensors: Sequence[ArrayLike]) -> Tensor:
    """The tensors below each other: joined along the first axis, where a vector counts as a row.

    ArgumentError for no tensors, ShapeError for shapes that do not fit together.

    >>> import tarazu as tz
    >>> tz.vstack([tz.tensor([1, 2]), tz.tensor([3, 4])])
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    return concat(_with_axes(tensors, 2), 0)


def dstack(tensors: Sequence[ArrayLike]) -> Tensor:
    """The tensors behind each other: joined along the third axis, where a matrix (m, n) counts as (m, n, 1).

    A vector (n) counts as one of shape (1, n, 1). ArgumentError for no tensors, ShapeError for shapes that do not fit.

    >>> import tarazu as tz
    >>> tz.dstack([tz.ones(2, 3), tz.zeros(2, 3)]).shape
    (2, 3, 2)
    """
    parts = _with_axes(tensors, 2)
    return concat([reshape(x, (*x.shape, 1)) if len(x.shape) == 2 else x for x in parts], 2)


def _with_axes(tensors: Sequence[ArrayLike], least: int) -> list[Tensor]:
    """The tensors, with axes of size 1 at the left of those that have fewer than `least`."""
    values = [as_value(x) for x in tensors]
    return [reshape(x, (1,) * (least - len(x.shape)) + tuple(x.shape)) for x in values]
