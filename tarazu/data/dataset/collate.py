"""Samples stacked to batches: equal shapes, or rows of several lengths padded, with masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.base.pytree import Structure, describe, flatten
from tarazu.data.dataset.tasks import NewArray

Numbered = Sequence[tuple[int, Any]]  # samples, each with its number


def leaf_names(structure: Structure, prefix: str = "") -> Iterator[str]:
    """How each leaf is reached, as Python writes it; "the array" where there is no container.

    >>> list(leaf_names(flatten({"image": 0, "boxes": (1, 2)})[1]))
    ["['image']", "['boxes'][0]", "['boxes'][1]"]
    """
    if structure.kind is None:
        yield prefix or "the array"
    for number, child in enumerate(structure.children):
        key = structure.keys[number] if structure.keys else number
        is_attribute = bool(structure.keys) and structure.kind is not dict
        yield from leaf_names(child, f"{prefix}.{key}" if is_attribute else f"{prefix}[{key!r}]")


def _leaf_name(structure: Structure, place: int) -> str:
    return list(leaf_names(structure))[place]


def to_numpy(value: Any) -> Any:
    """A tensor, of ours or of torch, as an array of NumPy; other values as they are."""
    if hasattr(value, "detach"):
        value = value.detach()
        value = value.cpu() if hasattr(value, "cpu") else value
    return value.numpy() if hasattr(value, "numpy") and not isinstance(value, np.ndarray) else value


def collate(samples: Iterable[tuple[int, Any]], count: int, empty: NewArray = np.empty) -> Any:
    """One tree for `count` samples; each leaf has one row for each. ShapeError where samples differ.

    Each sample goes to its row as it comes, so that no two are held at a time; `empty` makes the arrays.

    >>> collate([(0, {"x": np.array([1, 2])}), (1, {"x": np.array([3, 4])})], 2)["x"].tolist()
    [[1, 2], [3, 4]]
    """
    numbered = iter(samples)
    number, sample = next(numbered)
    leaves, structure = flatten(sample)
    columns = [_Column(np.asarray(to_numpy(leaf)), count, empty) for leaf in leaves]
    for row, (other_number, other) in enumerate(numbered, 1):
        leaves, other_structure = flatten(other)
        if other_structure != structure:
            raise _unlike(number, structure, other_number, other_structure)
        for place, (column, leaf) in enumerate(zip(columns, leaves, strict=True)):
            column.put(row, leaf, other_number, number, partial(_leaf_name, structure, place))
    return structure.rebuild([column.result() for column in columns])


class _Column:
    """The rows of one leaf. Numbers and texts without axes are kept in a list until all are there."""

    def __init__(self, first: np.ndarray, count: int, empty: NewArray) -> None:
        self.shape, self.values = first.shape, [first]
        self.rows = empty((count, *first.shape), first.dtype) if first.shape else None
        if self.rows is not None:
            self.rows[0] = first

    def put(self, row: int, value: Any, number: int, first: int, name: Callable[[], str]) -> None:
        """Add the leaf of sample `number`; ShapeError or DTypeError where it is unlike that of sample `first`."""
        array = np.asarray(to_numpy(value))
        if array.shape != self.shape:
            raise ShapeError(f"sample {number} has shape {array.shape} in {name()}; sample {first} has {self.shape}",
                             expected="samples of one shape in a batch", fix="cut them to one size in a map before "
                             ".batch, or pad what differs in length: .batch(n, pad=0)")
        if self.rows is None:
            self.values.append(array)
            return
        if array.dtype != self.rows.dtype:
            try:
                self.rows = self.rows.astype(np.promote_types(array.dtype, self.rows.dtype), copy=False)
            except TypeError:
                raise DTypeError(f"sample {number} holds {array.dtype} in {name()}; sample {first} {self.rows.dtype}",
                                 expected="samples of one kind", fix="convert them in a map before .batch") from None
        self.rows[row] = array

    def result(self) -> np.ndarray:
        return np.array(self.values) if self.rows is None else self.rows


def _leaves(samples: Numbered) -> tuple[list[tuple[Any, ...]], Structure]:
    """The leaves of the samples, by leaf, and the structure that all of them have."""
    flat = [flatten(sample) for _, sample in samples]
    structure = flat[0][1]
    for (number, _), (_, other) in zip(samples, flat, strict=True):
        if other != structure:
            raise _unlike(samples[0][0], structure, number, other)
    return list(zip(*[leaves for leaves, _ in flat], strict=True)), structure


def _unlike(first: int, structure: Structure, number: int, other: Structure) -> ShapeError:
    missing = [key for key in structure.keys if key not in other.keys] if structure.kind is other.kind is dict else []
    problem = f"sample {number} lacks the key {missing[0]!r}" if missing else f"sample {number} is {describe(other)}"
    return ShapeError(f"{problem}; sample {first} is {describe(structure)}",
                      expected="the same nesting and keys in each sample",
                      fix="let the source, or a map before .batch, give all samples alike")


def _stack(values: Sequence[Any], samples: Numbered, name: Callable[[], str]) -> np.ndarray:
    """One leaf of the samples."""
    column = _Column(np.asarray(to_numpy(values[0])), len(values), np.empty)
    for row in range(1, len(values)):
        column.put(row, values[row], samples[row][0], samples[0][0], name)
    return column.result()


class Padding(NamedTuple):
    """What fills up short samples: a value, or a tree of values where None leaves a leaf alone; to which lengths."""

    value: Any
    multiple_of: int = 1
    least: int = 0

    def collate(self, samples: Numbered) -> Any:
        """One tree for all samples, padded along the first axis, with masks: True where there is a value.

        A padded leaf of a dict gets a neighbor "mask" ("NAME_mask" where several are padded); elsewhere it becomes the
        pair (values, mask). ShapeError where samples differ in more than the first axis.

        >>> Padding(0).collate([(0, {"x": [1, 2]}), (1, {"x": [3, 4]})])["x"]
        [array([1, 3]), array([2, 4])]
        >>> Padding(0).collate([(0, np.array([1, 2])), (1, np.array([3]))])[1].tolist()
        [[True, True], [True, False]]
        """
        leaves, structure = _leaves(samples)
        columns = iter(range(len(leaves)))
        batch = self._build(structure, self.value, leaves, columns, samples, structure)
        return tuple(batch) if isinstance(batch, _Padded) else batch

    def _build(self, structure: Structure, value: Any, leaves: list[tuple[Any, ...]], columns: Iterator[int],
               samples: Numbered, whole: Structure) -> Any:
        if structure.kind is None:
            leaf = next(columns)
            if value is None or np.ndim(leaves[leaf][0]) == 0:
                return _stack(leaves[leaf], samples, partial(_leaf_name, whole, leaf))
            return self._pad(leaves[leaf], value, samples, _leaf_name(whole, leaf))
        names = structure.keys or range(len(structure.children))
        parts = {name: self._build(child, _value_of(value, name), leaves, columns, samples, whole)
                 for name, child in zip(names, structure.children, strict=True)}
        if structure.kind is dict:
            return _with_masks(parts)
        return Structure(structure.kind, structure.keys, (Structure(None),) * len(parts)).rebuild(
            [tuple(part) if isinstance(part, _Padded) else part for part in parts.values()])

    def _pad(self, column: Sequence[Any], value: object, samples: Numbered, name: str) -> _Padded:
        arrays = [np.asarray(to_numpy(row)) for row in column]
        for (number, _), array in zip(samples, arrays, strict=True):
            if array.shape[1:] != arrays[0].shape[1:] or array.ndim == 0:
                raise ShapeError(f"sample {number} has shape {array.shape} in {name}; sample {samples[0][0]} has "
                                 f"{arrays[0].shape}", expected="samples that differ in their first axis only",
                                 fix="cut the other axes to one size in a map before .batch")
        longest = -(-max(self.least, *map(len, arrays)) // self.multiple_of) * self.multiple_of
        values = np.full((len(arrays), longest, *arrays[0].shape[1:]), value, np.result_type(*arrays))
        for row, array in zip(values, arrays, strict=True):
            row[:len(array)] = array
        return _Padded(values, np.arange(longest) < np.array([len(array) for array in arrays])[:, None])


class _Padded(NamedTuple):
    values: np.ndarray
    mask: np.ndarray


def _value_of(value: Any, name: Any) -> Any:
    """The padding of one part of a container."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, tuple | list):
        return value[name] if isinstance(name, int) and name < len(value) else None
    return value


def _with_masks(parts: dict[Any, Any]) -> dict[Any, Any]:
    padded = [name for name, part in parts.items() if isinstance(part, _Padded)]
    batch = {name: part.values if name in padded else part for name, part in parts.items()}
    for name in padded:
        key = "mask" if len(padded) == 1 else f"{name}_mask"
        if key in batch:
            raise ArgumentError(f"the samples have a key {key!r} already", expected="it free for the mask of "
                                f"{name!r}", fix="rename it in a map before .batch")
        batch[key] = parts[name].mask
    return batch


def check_padding(value: Any) -> Any:
    """`value`, where numbers can be padded with it: a number, or a tree of numbers and None. Else DTypeError."""
    for leaf in flatten(value)[0]:
        if not isinstance(leaf, int | float | np.number | np.bool_):
            raise DTypeError(f"pad={value!r}", expected="a number, or a tuple or dict of numbers and None, one for "
                             "each part of a sample", fix="pass for example pad=0")
    return value
