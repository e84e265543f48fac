"""The weights in the HDF5 part of a `.keras` file, and in `.weights.h5` files: lists of arrays by the path of a layer.

HDF5 can do more than hold arrays: links to other files, datasets put together of them, filters that are loaded as
code. Keras uses none of it, and files that do are refused.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import FileFormatError
from tarazu.base.extras import require
from tarazu.interop.keras.archive import GROWTH, INTACT, SLACK

DEEPEST = 100
PLAIN_FILTERS = {1, 2, 3}  # deflate, shuffle, checksum: those in every HDF5 library
Arrays = dict[str, list[np.ndarray]]


def read_weights(path: Path, content: bytes) -> Arrays:
    """The arrays of each group "vars", in their order, by the path of the group that it is in: "layers/dense".

    FileFormatError for what is no HDF5 file, is damaged, or has anything but arrays of numbers in groups.
    """
    if not content:
        return {}
    h5py = require("h5py", "a Keras file", "keras")
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return _Reader(path, h5py, GROWTH * len(content) + SLACK).read(file)
    except FileFormatError:
        raise
    except Exception as error:  # of a damaged file h5py raises nearly any
        raise FileFormatError(f"its weights cannot be read: {error}", path=path, expected="an HDF5 file as Keras "
                              "writes it", fix=INTACT) from error


class _Reader:
    def __init__(self, path: Path, h5py: Any, budget: int) -> None:
        self._path, self._h5py, self._budget = path, h5py, budget
        self._seen: set[int] = set()

    def read(self, file: Any) -> Arrays:
        found: dict[str, dict[str, np.ndarray]] = {}
        for name, dataset in self._datasets(file, ""):
            group, _, key = name.rpartition("/")
            if re.fullmatch(r"\d{1,9}", key) and (group == "vars" or group.endswith("/vars")):
                found.setdefault(group.removesuffix("vars").removesuffix("/"), {})[key] = self._array(name, dataset)
        return {group: [arrays[key] for key in sorted(arrays, key=int)] for group, arrays in found.items()}

    def _datasets(self, group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        """All datasets below a group; FileFormatError for links that are none of a tree."""
        if prefix.count("/") > DEEPEST:
            raise self._refused(prefix, "groups nested too deep")
        for key in group:
            name = prefix + key
            if not isinstance(group.get(key, getlink=True), self._h5py.HardLink):
                raise self._refused(name, "a link to another place or file")
            item = group[key]
            address = self._h5py.h5o.get_info(item.id).addr
            if address in self._seen:
                raise self._refused(name, "a second link to one object")
            self._seen.add(address)
            if isinstance(item, self._h5py.Group):
                yield from self._datasets(item, f"{name}/")
            else:
                yield name, item

    def _array(self, name: str, dataset: Any) -> np.ndarray:
        plan = dataset.id.get_create_plist()
        filters = {plan.get_filter(i)[0] for i in range(plan.get_nfilters())}
        if dataset.is_virtual or dataset.external or filters - PLAIN_FILTERS:
            raise self._refused(name, "an array that is not in this file as it stands")
        if dataset.dtype.kind not in "biuf":
            raise self._refused(name, f"an array of {dataset.dtype}")
        self._budget -= dataset.size * dataset.dtype.itemsize
        if self._budget < 0:
            raise self._refused(name, f"arrays that are larger than {GROWTH} times the file")
        return np.asarray(dataset[()])

    def _refused(self, name: str, what: str) -> FileFormatError:
        return FileFormatError(f"its weights have {what}, {name}", path=self._path,
                               expected="arrays of numbers in groups, as Keras writes them", fix=INTACT)


CLASS_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}  # whose class has another name than configs say


class GroupNames:
    """The names of the groups of the layers of a list in Keras: their kinds, with numbers from the second on.

    >>> names = GroupNames()
    >>> [names.of(kind) for kind in ("Dense", "BatchNormalization", "Dense", "Conv2D")]
    ['dense', 'batch_normalization', 'dense_1', 'conv2d']
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def of(self, kind: str) -> str:
        """The name of the next group for a layer of that kind."""
        words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", CLASS_NAMES.get(kind, kind)))
        name = re.sub("([a-z])([A-Z])", r"\1_\2", words).lower()
        count = self._counts[name] = self._counts.get(name, -1) + 1
        return f"{name}_{count}" if count else name
