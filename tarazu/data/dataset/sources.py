"""Where samples come from: trees of arrays, sequences, and iterables."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, DataError, FileFormatError, ShapeError, TarazuError
from tarazu.base.pytree import Structure, flatten, map_leaves
from tarazu.data.dataset.collate import leaf_names, to_numpy
from tarazu.data.dataset.stage import Epoch, InOrder, Item, Stage
from tarazu.data.dataset.tasks import NewArray
from tarazu.runtime.tensor.foreign import plain_array
from tarazu.runtime.tensor.tensor import Tensor


def source_stage(source: Any) -> Stage:
    """The first stage of a dataset: what samples `source` holds.

    A tuple or a dict holds arrays side by side; so does a single array. What has `__len__` and `__getitem__` holds
    samples, a list too. The rest is gone through: a function without arguments is called for each epoch.
    """
    if isinstance(source, Stage):
        return source
    if isinstance(source, tuple | dict) or _is_array(source) or flatten(source)[1].kind not in (None, list):
        return Arrays(source)
    if isinstance(source, str | bytes | os.PathLike):
        raise ArgumentError(f"the text {os.fspath(source)!r} as a source", expected="arrays, samples, or a .npy file",
                            fix="tz.data.text_lines, image_folder, Dataset.from_csv and from_parquet read files")
    if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
        return Sequence(source)
    if callable(source) or isinstance(source, Iterable):
        return Iterated(source)
    raise ArgumentError(f"a source of type {type(source).__name__}",
                        expected="arrays, a tuple or dict of arrays, a sequence, an iterable or a generator function",
                        fix="give it __len__ and __getitem__, or __iter__")


def _is_array(value: Any) -> bool:
    is_frame = hasattr(value, "iloc") or (hasattr(value, "to_numpy") and hasattr(value, "dtype"))
    return isinstance(value, np.ndarray | Tensor) or is_frame or hasattr(value, "__array__") or _is_npy(value)


def _is_npy(value: Any) -> bool:
    return isinstance(value, str | os.PathLike) and str(value).endswith(".npy")


class Arrays(Stage):
    """The rows of arrays side by side: each sample is a tree of one row of each."""

    parents = ()

    def __init__(self, tree: Any) -> None:
        leaves, self.structure = flatten(tree) if not _is_array(tree) else ([tree], Structure(None))
        leaves, self.structure = _without_lists(tree, leaves, self.structure)
        self.columns = [_column(leaf, name) for leaf, name in zip(leaves, leaf_names(self.structure), strict=True)]
        self._check_rows()

    def _check_rows(self) -> None:
        if not self.columns:
            raise ArgumentError("a source without arrays", expected="at least one array", fix="pass (x, y)")
        names, lengths = list(leaf_names(self.structure)), [len(column) for column in self.columns]
        for name, length in zip(names, lengths, strict=True):
            if length != lengths[0]:
                raise ShapeError(f"{name} has {length} rows and {names[0]} has {lengths[0]}",
                                 expected="as many rows in each array of the source",
                                 fix="check how they were made; rows are the first axis")
        if lengths[0] == 0:
            raise ArgumentError("a source without rows", expected="at least one sample",
                                fix="check that the data were found")

    @property
    def length(self) -> int:
        return len(self.columns[0])

    def get(self, number: int, epoch: Epoch) -> Item:
        rows = [column[number] for column in self.columns]
        return self.structure.rebuild([row.copy() if isinstance(row, np.ndarray) else row for row in rows])

    def gather(self, numbers: np.ndarray, epoch: Epoch, empty: NewArray = np.empty) -> Item:
        if any(isinstance(column, list) for column in self.columns):
            return super().gather(numbers, epoch, empty)
        return self.structure.rebuild([_rows(column, numbers) for column in self.columns])

    def in_memory(self) -> Item | None:
        if any(isinstance(column, list | np.memmap) for column in self.columns):
            return None
        return self.structure.rebuild(self.columns)

    def __getstate__(self) -> dict[str, Any]:
        columns = [_MappedFile(column) if isinstance(column, np.memmap) else column for column in self.columns]
        return {**self.__dict__, "columns": columns}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.columns = [column.open() if isinstance(column, _MappedFile) else column for column in state["columns"]]


def _rows(column: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    first, last = int(numbers[0]), int(numbers[-1])
    is_run = last - first == len(numbers) - 1 and bool((np.diff(numbers) == 1).all())
    return np.array(column[first:last + 1]) if is_run else np.asarray(column[numbers])


def _without_lists(tree: Any, leaves: list[Any], structure: Structure) -> tuple[list[Any], Structure]:
    """The tree with lists as leaves: inside a tuple or a dict a list is a column of values."""
    if not _has_list(structure):
        return leaves, structure
    boxed = _boxed(tree)
    leaves, structure = flatten(boxed)
    return [leaf.values if isinstance(leaf, _Box) else leaf for leaf in leaves], structure


def _has_list(structure: Structure) -> bool:
    return structure.kind is list or any(map(_has_list, structure.children))


class _Box:
    def __init__(self, values: list[Any]) -> None:
        self.values = values


def _boxed(tree: Any) -> Any:
    if isinstance(tree, list):
        return _Box(tree)
    if type(tree) is dict:
        return {key: _boxed(value) for key, value in tree.items()}
    if type(tree) is tuple:
        return tuple(map(_boxed, tree))
    return tree


def _column(leaf: Any, name: str) -> Any:
    """A leaf of a source as an array with rows; a list of rows of several lengths stays a list."""
    if _is_npy(leaf):
        return _open_npy(Path(leaf))
    if isinstance(leaf, Tensor):
        leaf = leaf.numpy()
    try:
        array = leaf if isinstance(leaf, np.memmap) else np.asarray(plain_array(leaf, name))
    except ValueError as error:
        if isinstance(leaf, list) and not isinstance(error, TarazuError):
            return [np.asarray(row) for row in leaf]  # ValueError where these are ragged themselves
        raise
    if array.ndim == 0:
        raise ShapeError(f"{name} is {leaf!r}", expected="an array with a row for each sample",
                         fix="repeat what is the same for all samples in a map: .map(lambda x: (x, 1.0))")
    return array


def _open_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r")
    except FileNotFoundError as error:
        raise DataError("there is no such file", path=path, expected="the path of a .npy file",
                        fix="check the name and the folder") from error
    except ValueError as error:
        raise FileFormatError(f"the file cannot be mapped into memory: {error}", path=path,
                              expected="one array of numbers, as np.save writes it", fix="write it again") from error


class _MappedFile:
    """A memory-mapped array as it travels to a worker process: the file's name in place of its rows."""

    def __init__(self, array: np.memmap) -> None:
        self.array: Any = array
        if array.base is None or isinstance(array.base, np.memmap):  # a view: its offset is not known
            self.array = np.asarray(array)
        else:
            self.array = (array.filename, array.dtype, array.mode, array.offset, array.shape,
                          "C" if array.flags.c_contiguous else "F")

    def open(self) -> np.ndarray:
        if isinstance(self.array, np.ndarray):
            return self.array
        filename, dtype, mode, offset, shape, order = self.array
        return np.memmap(filename, dtype, "r" if mode == "c" else mode, offset, shape, order)


class Sequence(Stage):
    """The samples of an object with `__len__` and `__getitem__`, such as a list or a map-style dataset of torch."""

    def __init__(self, source: Any) -> None:
        self.source = source
        if not len(source):
            raise ArgumentError("a source without samples", expected="at least one sample",
                                fix="check that the data were found")

    @property
    def length(self) -> int:
        return len(self.source)

    def get(self, number: int, epoch: Epoch) -> Item:
        try:
            return map_leaves(to_numpy, self.source[number])
        except TarazuError:
            raise
        except Exception as error:
            raise _source_error(error, number) from error


def _source_error(error: Exception, number: int) -> DataError:
    return DataError(f"the source raised {type(error).__name__} for sample {number}: {error}",
                     expected="a source that gives each of its samples", fix="the error above this one says where")


class Iterated(InOrder):
    """The samples of an iterable, or of the iterator that a function makes anew for each epoch."""

    def __init__(self, source: Iterable[Any] | Callable[[], Iterable[Any]]) -> None:
        self.source = source
        self._is_used_up = False

    @property
    def length(self) -> int | None:
        try:
            return len(self.source) if isinstance(self.source, Sized) else None
        except (TypeError, NotImplementedError):
            return None

    def _read(self, epoch: Epoch) -> Iterator[Item]:
        if hasattr(self.source, "__next__"):
            if self._is_used_up:
                raise ArgumentError("an iterator that is used up", expected="a source for more than one epoch",
                                    fix="pass the function that makes it, Dataset(samples) in place of "
                                    "Dataset(samples()), or an object with __iter__")
            self._is_used_up = True
        made = self.source() if callable(self.source) and not isinstance(self.source, Iterable) else self.source
        if not isinstance(made, Iterable):
            raise ArgumentError(f"a source that gave a {type(made).__name__}", expected="an iterable of samples",
                                fix="let the function yield samples")
        samples = iter(made)
        for number in itertools.count():
            try:
                sample = map_leaves(to_numpy, next(samples))
            except StopIteration:
                break
            except TarazuError:
                raise
            except Exception as error:
                raise _source_error(error, number) from error
            yield sample
        if number == 0:
            raise ArgumentError("a source that gave no sample", expected="at least one sample in each epoch",
                                fix="check that it is not used up, and that each __iter__ starts anew")
