"""Folders of images, a folder for each class, decoded by Pillow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, DataError, FileFormatError
from tarazu.base.extras import require
from tarazu.base.files import require_file
from tarazu.data.dataset.dataset import Dataset
from tarazu.data.dataset.execute import Workers
from tarazu.data.dataset.stage import Epoch, Item, Stage
from tarazu.data.readers.folders import Classes, files_in, labeled

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff")
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")  # not those for which Pillow runs other programs
MOST_PIXELS, GROWTH = 2**23, 12  # of any file, and more for each of its bytes
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
    require("PIL.Image", "reading images", "images", DataError)
    if channels not in MODES:
        raise ArgumentError(f"channels={channels!r}", expected="1 (gray), 3 (color) or 4 (with transparency)",
                            fix="leave it out for 3")
    files = files_in(path, SUFFIXES, "image")
    classes = labeled(files, labels)
    return Dataset(Images(files.paths, _height_and_width(size), classes, MODES[channels], Workers(workers)))


def _height_and_width(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = size if isinstance(size, tuple | list) else (size, size)
    if len(pair) != 2:
        raise ArgumentError(f"size={size!r}", expected="a number, or (height, width)", fix="pass for example size=96")
    return positive_int("size", pair[0]), positive_int("size", pair[1])


class Images(Stage):
    """Image files, decoded when they are asked for."""

    parents = ()

    def __init__(self, files: list[Path], size: tuple[int, int] | None, classes: Classes, mode: str,
                 workers: Workers) -> None:
        self.files, self.size, self.mode, self.own_workers = files, size, mode, workers
        self.class_names, self.labels = classes

    @property
    def length(self) -> int:
        return len(self.files)

    def get(self, number: int, epoch: Epoch) -> Item:
        image = decode_image(self.files[number], self.size, self.mode)
        return image if self.labels is None else (image, np.int64(self.labels[number]))


def decode_image(path: Path, size: tuple[int, int] | None, mode: str) -> np.ndarray:
    """The pixels of an image file, uint8 (height, width, channels). Raises FileFormatError."""
    from PIL import Image

    require_file(path)
    try:
        with Image.open(path, formats=FORMATS) as opened:
            _require_fair_size(path, opened.size)
            image = opened if opened.mode == mode else opened.convert(mode)
            if size is not None and (size[1], size[0]) != image.size:
                image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            pixels = np.asarray(image)
    except FileFormatError:
        raise
    except Exception as error:  # of a damaged file Pillow raises errors of many kinds
        raise FileFormatError(f"this is not an image, or it is damaged: {error}", path=path,
                              expected="a complete image that Pillow reads",
                              fix="delete or replace the file") from error
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _require_fair_size(path: Path, size: tuple[int, int]) -> None:
    """FileFormatError, before the pixels are unpacked, where a file says that it has far more of them than bytes."""
    most = MOST_PIXELS + GROWTH * path.stat().st_size
    if size[0] * size[1] > most:
        raise FileFormatError(f"{size[0]:,} x {size[1]:,} pixels in {path.stat().st_size:,} bytes", path=path,
                              expected=f"at most {most:,} pixels", fix="make it smaller before, if you trust it")
