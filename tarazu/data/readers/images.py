"""Folders of images, a folder for each class, decoded by Pillow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, DataError, FileFormatError
from tarazu.base.messages import listing
from tarazu.data.dataset.dataset import Dataset
from tarazu.data.dataset.execute import Workers
from tarazu.data.dataset.stage import Epoch, Item, Stage

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def image_folder(path: str | os.PathLike[str], size: int | tuple[int, int] | None = None,
                 labels: str | Sequence[int] | None = "inferred", *, channels: int = 3, workers: int = 0) -> Dataset:
    """The images below a folder, by name: samples are pairs (image, label), uint8 (height, width, channels) and int64.

    Images are resized to `size` (height and width, or one number for both; bilinear); without it they stay as they
    are, and a batch needs equal ones. A label is "inferred" from the folder in which an image lies: classes are the
    names of the folders in `path`, sorted, and are the dataset's `class_names`; a list gives a label for each image;
    with None samples are images alone. `channels` are 1 (gray), 3 (color) or 4 (with transparency). `workers` processes
    decode. Raises DataError where there is no folder or no image, ArgumentError for labels that do not fit, and, when a
    sample is read, FileFormatError with the path of a file that is no image. Needs Pillow (`pip install
    tarazu[images]`).

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for number, kind in enumerate(["cat", "dog"]):
    ...         (Path(folder) / kind).mkdir()
    ...         Image.new("RGB", (12, 8)).save(Path(folder) / kind / f"{number}.png")
    ...     pets = image_folder(folder, size=8)
    ...     pets.class_names, pets[1][0].shape, int(pets[1][1])
    (['cat', 'dog'], (8, 8, 3), 1)
    """
    _require_pillow()
    folder = Path(path)
    if not folder.is_dir():
        raise DataError("there is no such folder", path=folder, expected="a folder of images",
                        fix="check the path; for a single image use Pillow itself")
    if channels not in MODES:
        raise ArgumentError(f"channels={channels!r}", expected="1 (gray), 3 (color) or 4 (with transparency)",
                            fix="leave it out for 3")
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise DataError("the folder holds no image", path=folder, expected=f"files that end in {listing(SUFFIXES)}",
                        fix="check the path")
    names, numbers = _classes(folder, files) if isinstance(labels, str) else (None, labels)
    if isinstance(labels, str) and labels != "inferred":
        raise ArgumentError(f"labels={labels!r}", expected='"inferred", a list of numbers, or None',
                            fix="leave it out to have the folders' names as classes")
    if numbers is not None and len(numbers) != len(files):
        raise ArgumentError(f"{len(numbers)} labels for {len(files)} images", expected="a label for each image, in the "
                            "order of their paths", fix="see sorted(path.rglob('*')) for the order")
    return Dataset(Images(files, _height_and_width(size), numbers, names, MODES[channels], Workers(workers)))


def _require_pillow() -> None:
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise DataError("images need the package Pillow, which is not installed", expected="Pillow",
                        fix="pip install 'tarazu[images]'") from error


def _height_and_width(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = size if isinstance(size, tuple | list) else (size, size)
    if len(pair) != 2:
        raise ArgumentError(f"size={size!r}", expected="a number, or (height, width)", fix="pass for example size=96")
    return positive_int("size", pair[0]), positive_int("size", pair[1])


def _classes(folder: Path, files: list[Path]) -> tuple[list[str], list[int]]:
    """The names of the classes, and the number of that of each file."""
    loose = [file for file in files if file.parent == folder]
    if loose:
        raise DataError("this image lies in no folder of a class", path=loose[0],
                        expected=f"a folder for each class in {str(folder)!r}", fix="move it, or pass labels=None")
    of_file = [file.relative_to(folder).parts[0] for file in files]
    names = sorted(set(of_file))
    numbers = {name: number for number, name in enumerate(names)}
    return names, [numbers[name] for name in of_file]


class Images(Stage):
    """Image files, decoded when they are asked for."""

    parents = ()

    def __init__(self, files: list[Path], size: tuple[int, int] | None, labels: Sequence[int] | None,
                 class_names: list[str] | None, mode: str, workers: Workers) -> None:
        self.files, self.size, self.labels, self.mode, self.own_workers = files, size, labels, mode, workers
        self.class_names = class_names

    @property
    def length(self) -> int:
        return len(self.files)

    def get(self, number: int, epoch: Epoch) -> Item:
        image = decode_image(self.files[number], self.size, self.mode)
        return image if self.labels is None else (image, np.int64(self.labels[number]))


def decode_image(path: Path, size: tuple[int, int] | None, mode: str) -> np.ndarray:
    """The pixels of an image file, uint8 (height, width, channels). Raises FileFormatError."""
    from PIL import Image

    try:
        with Image.open(path) as opened:
            image = opened if opened.mode == mode else opened.convert(mode)
            if size is not None and (size[1], size[0]) != image.size:
                image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            pixels = np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FileFormatError(f"this is not an image, or it is damaged: {error}", path=path,
                              expected="a complete image that Pillow reads",
                              fix="delete or replace the file") from error
    return pixels[..., None] if pixels.ndim == 2 else pixels
