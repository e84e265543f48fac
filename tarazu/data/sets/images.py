"""Reading the image sets: idx files of MNIST and Fashion-MNIST, and the binary version of CIFAR-10."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tarazu.base.errors import FileFormatError
from tarazu.base.files import require_file
from tarazu.data.dataset.dataset import Dataset
from tarazu.data.gzip_files import GZIP_MAGIC, unpack
from tarazu.data.sets.files import CIFAR_ARCHIVE, ImageSet
from tarazu.data.sets.named import named_dataset

FIX = "delete it and load the data set again"
UNSIGNED_BYTES = 8  # the code of the element type in idx files
CIFAR_IMAGE = (3, 32, 32)
CIFAR_RECORD = 1 + math.prod(CIFAR_IMAGE)  # a byte for the label, then the image


def read_idx_set(files: Callable[[str], Path], images: ImageSet) -> tuple[Dataset, Dataset]:
    """The training and the test part of a set in idx files, which `files` finds by name."""
    train, test = (_labeled(read_idx(path := files(f"{part}-images-idx3-ubyte.gz"), 3),
                            read_idx(files(f"{part}-labels-idx1-ubyte.gz"), 1), path, images)
                   for part in ("train", "t10k"))
    return train, test


def read_idx(path: Path, axes: int) -> np.ndarray:
    """The bytes of an idx file, gzipped or not, in as many axes as it must have. Raises FileFormatError."""
    data = _contents(path)
    header = 4 + 4 * axes
    shape = tuple(int(size) for size in np.frombuffer(data[4:header], ">u4")) if len(data) >= header else ()
    if data[:4] != bytes([0, 0, UNSIGNED_BYTES, axes]) or len(data) - header != math.prod(shape):
        raise FileFormatError("this is no idx file of unsigned bytes, or it is cut off", path=path,
                              expected=f"a header for {axes} axes and as many bytes as it says",
                              fix=FIX)
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape).copy()  # which may be written to


def _contents(path: Path) -> bytes:
    require_file(path, FIX)
    data = path.read_bytes()
    return unpack(path, data, fix=FIX) if data.startswith(GZIP_MAGIC) else data


def read_cifar(files: Callable[[str], Path], images: ImageSet) -> tuple[Dataset, Dataset]:
    """The training and the test part of CIFAR-10: from the archive, or from the folder with what was in it."""
    path = files(CIFAR_ARCHIVE)
    contents: Mapping[str, bytes | memoryview]
    contents = _unpacked(path) if path.is_file() else {file.name: file.read_bytes() for file in path.glob("*.bin")}
    train = [f"data_batch_{number}.bin" for number in range(1, 6)]
    return _cifar_part(contents, train, path, images), _cifar_part(contents, ["test_batch.bin"], path, images)


def _unpacked(path: Path) -> dict[str, memoryview]:
    """The files of an archive by their names; nothing is written."""
    import tarfile

    data = memoryview(_contents(path))
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            return {Path(member.name).name: data[member.offset_data:member.offset_data + member.size]
                    for member in archive if member.isreg()}
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as error:
        raise FileFormatError(f"the archive is damaged: {error}", path=path, expected="a complete .tar.gz file",
                              fix=FIX) from error


def _cifar_part(contents: Mapping[str, bytes | memoryview], names: list[str], path: Path, images: ImageSet) -> Dataset:
    for name in names:
        if not contents.get(name) or len(contents[name]) % CIFAR_RECORD:
            raise FileFormatError(f"{name} is missing or cut off", path=path,
                                  expected=f"records of {CIFAR_RECORD} bytes: the binary version of CIFAR-10",
                                  fix=FIX)
    records = np.concatenate([np.frombuffer(contents[name], np.uint8).reshape(-1, CIFAR_RECORD) for name in names])
    pixels = np.ascontiguousarray(records[:, 1:].reshape(-1, *CIFAR_IMAGE).transpose(0, 2, 3, 1))
    return _labeled(pixels, records[:, 0], path, images)


def _labeled(pixels: np.ndarray, labels: np.ndarray, path: Path, images: ImageSet) -> Dataset:
    """Images with their labels. Raises FileFormatError where they do not belong together."""
    if len(pixels) != len(labels) or not len(labels) or labels.max() >= len(images.class_names):
        raise FileFormatError(f"{len(pixels)} images and {len(labels)} labels from 0 to {labels.max(initial=0)}",
                              path=path, expected=f"as many labels as images, below {len(images.class_names)}",
                              fix=FIX)
    return named_dataset(pixels, labels, class_names=images.class_names)
