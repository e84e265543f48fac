"""Where the files of the image sets are published, and where they lie on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tarazu.base.errors import DataError
from tarazu.base.messages import listing
from tarazu.data.sets.download import download

CIFAR_ARCHIVE = "cifar-10-binary.tar.gz"
CIFAR_FOLDER = "cifar-10-batches-bin"  # what is in the archive


@dataclass(frozen=True)
class ImageSet:
    """A published set of images: folders that its files may lie in, where they come from, SHA-256 by file, classes."""

    folders: tuple[str, ...]
    url: str
    checksums: dict[str, str]
    class_names: tuple[str, ...]


IMAGE_SETS = {
    "mnist": ImageSet(("mnist", "MNIST/raw"), "https://ossci-datasets.s3.amazonaws.com/mnist", {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    }, tuple(str(digit) for digit in range(10))),
    "fashion_mnist": ImageSet(("fashion_mnist", "fashion-mnist", "FashionMNIST/raw"),
                              "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion", {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    }, ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")),
    "cifar10": ImageSet(("cifar10", "cifar-10"), "https://www.cs.toronto.edu/~kriz", {
        CIFAR_ARCHIVE: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    }, ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")),
}


def file_finder(name: str, folder: str | os.PathLike[str] | None) -> Callable[[str], Path]:
    """A function that gives the path of a file of a set, by its name.

    Files are looked for in `folder` alone if there is one, else in that which TARAZU_DATA names, else in the cache,
    into which missing ones are downloaded. Raises DataError where there is no such file, or it cannot be downloaded.
    """
    images = IMAGE_SETS[name]

    def find(file: str) -> Path:
        if folder is not None:
            root = Path(folder).expanduser()
            path = _existing([*_folders(root, images), root], file)
            if path is None:
                raise DataError(f"no files of {name!r} here: {file} is missing", path=root,
                                expected=f"{listing(images.checksums)}, here or in a folder "
                                f"{' or '.join(images.folders)}", fix="leave folder out to download the files")
            return path
        setting = os.environ.get("TARAZU_DATA")
        roots = [Path(setting).expanduser()] if setting else []
        path = _existing([folder for root in (*roots, cache_folder()) for folder in _folders(root, images)], file)
        return path or download(f"{images.url}/{file}", cache_folder() / name / file, images.checksums[file])

    return find


def _folders(root: Path, images: ImageSet) -> list[Path]:
    return [root / name for name in images.folders]


def _existing(folders: list[Path], file: str) -> Path | None:
    """The file in the first of the folders that has it, as it is or unpacked."""
    unpacked = CIFAR_FOLDER if file == CIFAR_ARCHIVE else file.removesuffix(".gz")
    for folder in folders:
        for path in (folder / file, folder / unpacked):
            if path.exists():
                return path
        if file == CIFAR_ARCHIVE and (folder / "test_batch.bin").exists():
            return folder
    return None


def cache_folder() -> Path:
    """Where downloaded files are kept: in the folder TARAZU_CACHE, else in the user's folder for caches."""
    setting = os.environ.get("TARAZU_CACHE")
    if setting and setting != "off":
        return Path(setting).expanduser() / "data"
    from platformdirs import user_cache_path

    return user_cache_path("tarazu") / "data"
