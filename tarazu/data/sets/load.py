"""`load`: well-known data sets by name."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Literal, overload

from tarazu.base.checks import whole_number
from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import did_you_mean
from tarazu.data.dataset.dataset import Dataset
from tarazu.data.sets.bundled import five_dots, iris, mnist_small, penguins
from tarazu.data.sets.files import IMAGE_SETS, file_finder
from tarazu.data.sets.formulas import kin, two_moons
from tarazu.data.sets.images import read_cifar, read_idx_set
from tarazu.data.sets.tables import from_sklearn

PairName = Literal["mnist", "fashion_mnist", "cifar10", "mnist_small", "five_dots"]
TableName = Literal["iris", "wine", "digits", "breast_cancer", "diabetes", "penguins", "two_moons", "kin"]

_READERS: dict[str, Callable[[], Dataset | tuple[Dataset, Dataset]]] = {
    "iris": iris, "penguins": penguins, "mnist_small": mnist_small, "five_dots": five_dots,
    **{name: functools.partial(from_sklearn, name) for name in ("wine", "digits", "breast_cancer", "diabetes")},
}
_FORMULAS: dict[str, Callable[[int], Dataset]] = {"two_moons": two_moons, "kin": kin}


@overload
def load(name: PairName, folder: str | os.PathLike[str] | None = None,
         *, seed: int = 0) -> tuple[Dataset, Dataset]: ...
@overload
def load(name: TableName, folder: str | os.PathLike[str] | None = None, *, seed: int = 0) -> Dataset: ...
def load(name: str, folder: str | os.PathLike[str] | None = None,
         *, seed: int = 0) -> Dataset | tuple[Dataset, Dataset]:
    """A well-known data set with samples (x, y): one dataset, or for those that are divided the pair (train, test).

    `x, y = dataset.in_memory()` are its arrays, `class_names` and `feature_names` its names.

    These come with Tarazu: "iris" (150, 4), the irises of Fisher (1936), and "penguins" (342, 4), those of Horst, Hill
    and Gorman (2020), float32 measurements and int64 species; the pair "mnist_small", 8,000 and 2,000 images of MNIST,
    as many of each digit; the pair "five_dots", (5, 1) and (5, 1), the dots of the course's example of overfitting.

    Pairs of images, uint8, with int64 labels of 10 classes: "mnist" and "fashion_mnist", 60,000 and 10,000 of (28, 28);
    "cifar10", 50,000 and 10,000 of (32, 32, 3). Their files are looked for in `folder`; without it in that which the
    environment variable TARAZU_DATA names, else in the cache, into which they are downloaded: from where a broken
    download stopped, and checked by SHA-256.

    From scikit-learn (`pip install tarazu[sklearn]`), float32 with int64 labels: "wine" (178, 13), "breast_cancer"
    (569, 30), and "digits", images (1797, 8, 8), uint8 from 0 to 16; with float32 targets: "diabetes" (442, 10).

    Made by a formula and `seed`: "two_moons" (1000, 2) and, to be predicted, how far the tip of an arm is from a
    point, by the angles of its joints: "kin" (8192, 8), after the family kin of Delve (1996).

    Raises ArgumentError for another name, for a folder for a set without files and for a seed that is no whole number
    of at least 0; DataError where files are missing or cannot be downloaded, FileFormatError for damaged ones.

    >>> flowers = load("iris")
    >>> x, y = flowers.in_memory()
    >>> x.shape, flowers.class_names
    ((150, 4), ['setosa', 'versicolor', 'virginica'])
    """
    if name in IMAGE_SETS:
        read = read_cifar if name == "cifar10" else read_idx_set
        return read(file_finder(name, folder), IMAGE_SETS[name])
    known = [*_READERS, *_FORMULAS]
    if name not in known:
        names = [*known, *IMAGE_SETS]
        raise ArgumentError(f"data set {name!r}", expected=f"one of {', '.join(names)}", fix=did_you_mean(name, names))
    if folder is not None:
        raise ArgumentError(f"folder={os.fspath(folder)!r} for {name!r}, which has no files", expected="no folder",
                            fix="leave folder out")
    seed = whole_number(f"seed={seed!r}", seed, least=0, fix="pass for example seed=1")
    return _READERS[name]() if name in _READERS else _FORMULAS[name](seed)
