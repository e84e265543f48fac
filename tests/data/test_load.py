"""`tz.data.load`: well-known data sets in packages, in folders, and from a server on the loopback address."""

import dataclasses
import gzip
import hashlib
import io
import re
import tarfile
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError, FileFormatError
from tarazu.data import late_bar
from tarazu.data.sets import download as downloads
from tarazu.data.sets import files

DRAW = np.random.default_rng(0)
TRAIN, TEST = DRAW.integers(0, 256, (6, 28, 28), np.uint8), DRAW.integers(0, 256, (3, 28, 28), np.uint8)
COLORED = DRAW.integers(0, 256, (3, 32, 32, 3), np.uint8)


def idx(array):
    array = np.asarray(array, np.uint8)
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


IDX = {"train-images-idx3-ubyte.gz": idx(TRAIN), "train-labels-idx1-ubyte.gz": idx(np.arange(6)),
       "t10k-images-idx3-ubyte.gz": idx(TEST), "t10k-labels-idx1-ubyte.gz": idx(np.arange(3) + 7)}


def cifar_files():
    records = [bytes([label]) + image.transpose(2, 0, 1).tobytes() for label, image in enumerate(COLORED)]
    return {**{f"data_batch_{number}.bin": records[number % 2] for number in range(1, 6)}, "test_batch.bin": records[2]}


def write(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)


# In packages ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_tables_of_sklearn(name):
    wanted, dataset = getattr(datasets, f"load_{name}")(), tz.data.load(name)
    x, y = dataset.in_memory()
    assert x.dtype == np.float32 and y.dtype == (np.float32 if name == "diabetes" else np.int64)
    np.testing.assert_allclose(x, wanted.data, rtol=1e-6)
    np.testing.assert_array_equal(y, wanted.target)
    assert dataset.feature_names == list(wanted.feature_names)
    assert dataset.class_names == (None if name == "diabetes" else list(wanted.target_names))


def test_digits():
    x, y = tz.data.load("digits").in_memory()
    np.testing.assert_array_equal(x, datasets.load_digits().images)
    assert x.dtype == np.uint8 and y.tolist()[:3] == [0, 1, 2]


def test_sklearn_is_asked_for(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match=r"'wine' needs the package scikit-learn[\s\S]*pip install 'tarazu\[sklearn\]'"):
        tz.data.load("wine")
    assert len(tz.data.load("iris")) == 150


def test_bundled_mnist(monkeypatch):
    monkeypatch.setenv("TARAZU_DATA", "/nowhere")
    for part, images in zip(tz.data.load("mnist_small"), (800, 200), strict=True):
        x, y = part.in_memory()
        assert x.shape == (10 * images, 28, 28) and x.dtype == np.uint8 and part.class_names[3] == "3"
        assert np.bincount(y).tolist() == [images] * 10 and not (np.diff(y) == 0).all()
        assert len(np.unique(x.reshape(len(x), -1), axis=0)) == len(x) and x.max() == 255


@pytest.mark.long
def test_bundled_mnist_is_the_first_images_of_each_digit():
    for whole, part, images in zip(tz.data.load("mnist"), tz.data.load("mnist_small"), (800, 200), strict=True):
        x, y = whole.in_memory()
        rows = np.sort(np.concatenate([np.flatnonzero(y == digit)[:images] for digit in range(10)]))
        for found, wanted in zip(part.in_memory(), (x[rows], y[rows]), strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_five_dots():
    (x, y), (new_x, new_y) = (part.in_memory() for part in tz.data.load("five_dots"))
    assert x.shape == new_x.shape == (5, 1) and y.shape == new_y.shape == (5,) and y.dtype == np.float32
    slope, start = np.polyfit(x[:, 0], y, 1)
    errors = [np.mean((slope * part[:, 0] + start - targets)**2) for part, targets in ((x, y), (new_x, new_y))]
    assert [round(float(error), 1) for error in errors] == [5.3, 5.1]


def test_what_is_bundled_is_packaged_and_small():
    root = Path(__file__).parents[2] / "tarazu"
    patterns = tomllib.loads((root.parent / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    packaged = {path for pattern in patterns["tarazu"] for path in root.glob(pattern)}
    bundled = {path for path in (root / "data" / "sets").rglob("*.*") if path.suffix in (".csv", ".gz")}
    assert len(bundled) == 6 and bundled <= packaged
    assert sum(path.stat().st_size for path in bundled) < 2_000_000


def test_penguins():
    penguins = tz.data.load("penguins")
    x, y = penguins.in_memory()
    assert x.shape == (342, 4) and np.bincount(y).tolist() == [151, 68, 123]
    np.testing.assert_array_equal(x[0], np.array([39.1, 18.7, 181, 3750], np.float32))
    assert penguins.class_names == ["Adelie", "Chinstrap", "Gentoo"] and penguins.feature_names[0] == "bill_length_mm"


def test_the_packaged_penguins_are_those_of_the_examples():
    packaged = Path(tz.data.__file__).parent / "sets" / "penguins.csv"
    examples = Path(__file__).parents[2] / "examples" / "penguins.csv"
    assert packaged.read_bytes() == examples.read_bytes()


# By formulas ----------------------------------------------------------------------------------------------------

def test_two_moons_lie_on_half_circles():
    x, y = tz.data.load("two_moons").in_memory()
    middle = np.where(y[:, None] == 0, [0.0, 0.0], [1.0, 0.5])
    radius = np.linalg.norm(x - middle, axis=1)
    assert np.bincount(y).tolist() == [500, 500]
    assert abs(radius.mean() - 1) < 0.02 and 0.12 < radius.std() < 0.18
    assert (x[y == 0, 1].mean() > 0.5) and (x[y == 1, 1].mean() < 0)


def test_kin_is_the_distance_of_the_tip():
    x, y = tz.data.load("kin").in_memory()
    tips = []
    for angles in x[:200].astype(np.float64):
        tip, frame = np.zeros(3), np.eye(3)
        for joint, angle in enumerate(angles):
            cos, sin = np.cos(angle), np.sin(angle)
            turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]]) if joint % 2 == 0 else np.array(
                [[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
            frame = frame @ turn
            tip = tip + frame @ [1 / 8, 0, 0]
        tips.append(tip)
    error = y[:200] - np.linalg.norm(np.array(tips) - [0.5, 0.25, 0.25], axis=1)
    assert 0.015 < error.std() < 0.025 and abs(error.mean()) < 0.01 and y.std() > 0.2


@pytest.mark.parametrize("name", ["two_moons", "kin"])
def test_a_seed_makes_the_same_again(name):
    first, again, other = (tz.data.load(name, seed=seed).in_memory()[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


# From folders ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("inside", ["", "mnist", "MNIST/raw"])
def test_idx_files_in_a_folder(tmp_path, inside):
    write(tmp_path / inside, IDX)
    train, test = tz.data.load("mnist", tmp_path)
    x, y = train.in_memory()
    np.testing.assert_array_equal(x, TRAIN)
    assert x.flags.writeable and y.dtype == np.int64 and test.in_memory()[1].tolist() == [7, 8, 9]
    assert train.class_names == [str(digit) for digit in range(10)] and test[0][0].shape == (28, 28)


def test_unpacked_files_and_the_environment_variable(tmp_path, monkeypatch):
    write(tmp_path / "fashion-mnist", {name.removesuffix(".gz"): gzip.decompress(data) for name, data in IDX.items()})
    monkeypatch.setenv("TARAZU_DATA", str(tmp_path))
    train, test = tz.data.load("fashion_mnist")
    assert len(train) == 6 and test.shuffle(seed=0).batch(2).class_names[9] == "Ankle boot"


@pytest.mark.parametrize("form", ["archive", "folder in a folder", "folder"])
def test_cifar(tmp_path, form):
    if form == "archive":
        with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as archive:
            for name, data in cifar_files().items():
                member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    else:
        write(tmp_path / ("cifar-10-batches-bin" if form == "folder in a folder" else ""), cifar_files())
    train, test = tz.data.load("cifar10", tmp_path)
    x, y = train.in_memory()
    np.testing.assert_array_equal(x, COLORED[[1, 0, 1, 0, 1]])
    np.testing.assert_array_equal(test.in_memory()[0], COLORED[2:])
    assert y.tolist() == [1, 0, 1, 0, 1] and x.dtype == np.uint8 and train.class_names[2] == "bird"


# From a server --------------------------------------------------------------------------------------------------

class Handler(BaseHTTPRequestHandler):
    """Serves the files of its server, from the middle too, and may break off after some bytes."""

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        data = self.server.files.get(self.path.rsplit("/", 1)[1])
        start = int(re.findall(r"\d+", self.headers.get("Range") or "0")[0]) if self.server.knows_ranges else 0
        if data is None or (start and start >= len(data)):
            self.send_error(404 if data is None else 416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:][:self.server.break_after])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server on the loopback address that publishes MNIST; what is downloaded goes to a cache of the test's own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.requests, server.knows_ranges, server.break_after = dict(IDX), [], True, None
    server.url = f"http://127.0.0.1:{server.server_port}"
    checksums = {name: hashlib.sha256(data).hexdigest() for name, data in IDX.items()}
    published = dataclasses.replace(files.IMAGE_SETS["mnist"], url=f"{server.url}/mnist", checksums=checksums)
    monkeypatch.setitem(files.IMAGE_SETS, "mnist", published)
    monkeypatch.setenv("TARAZU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("TARAZU_DATA", raising=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_download_once(server, tmp_path):
    for _ in range(2):
        train, test = tz.data.load("mnist")
        np.testing.assert_array_equal(train.in_memory()[0], TRAIN)
        assert len(test) == 3
    assert sorted(server.requests) == sorted((f"/mnist/{name}", None) for name in IDX)
    assert sorted(path.name for path in (tmp_path / "cache" / "data" / "mnist").iterdir()) == sorted(IDX)


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_goes_on(server, tmp_path, knows_ranges):
    server.break_after, server.knows_ranges = 1000, knows_ranges
    name, data = "train-images-idx3-ubyte.gz", IDX["train-images-idx3-ubyte.gz"]
    path, checksum = tmp_path / "new" / name, hashlib.sha256(data).hexdigest()
    with pytest.raises(DataError, match=r"could not be downloaded: the connection broke off after 1,000 of 4,[\s\S]*"
                                        r"try again; or download the file elsewhere and pass folder="):
        downloads.download(f"{server.url}/{name}", path, checksum)
    assert not path.exists() and path.with_name(f"{name}.part").read_bytes() == data[:1000]
    server.break_after = None
    assert downloads.download(f"{server.url}/{name}", path, checksum).read_bytes() == data
    assert server.requests[-1][1] == "bytes=1000-" and [file.name for file in path.parent.iterdir()] == [name]


def test_a_download_that_was_whole_but_not_renamed(server, tmp_path):
    data = IDX["t10k-labels-idx1-ubyte.gz"]
    (tmp_path / "t.part").write_bytes(data)
    checksum = hashlib.sha256(data).hexdigest()
    path = downloads.download(f"{server.url}/t10k-labels-idx1-ubyte.gz", tmp_path / "t", checksum)
    assert path.read_bytes() == data


def test_a_wrong_checksum(server, tmp_path):
    server.files["train-images-idx3-ubyte.gz"] = b"something else"
    with pytest.raises(DataError, match=r"the 14 bytes from http://127.* have the wrong checksum and were deleted: "
                                        r"SHA-256 [0-9a-f]{64}\n  expected: [0-9a-f]{64}\n.*try again"):
        tz.data.load("mnist")
    assert list((tmp_path / "cache" / "data" / "mnist").iterdir()) == []


def test_a_server_that_is_away(server):
    server.server_close()
    with pytest.raises(DataError, match=r"could not be downloaded: [\s\S]*pass folder=, or set TARAZU_DATA"):
        tz.data.load("mnist")


def test_a_server_without_the_file(server):
    server.files.clear()
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz answers 404 Not Found[\s\S]*folder="):
        tz.data.load("mnist")


def test_a_bar_appears_for_long_downloads(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(late_bar, "BAR_AFTER", -1.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    tz.data.load("mnist")
    assert "downloading train-images-idx3-ubyte.gz" in capsys.readouterr().err


# Errors ---------------------------------------------------------------------------------------------------------

def test_wrong_calls(tmp_path):
    with pytest.raises(ArgumentError, match=r"data set 'irirs'\n  expected: one of iris, penguins[\s\S]*mean 'iris'"):
        tz.data.load("irirs")
    with pytest.raises(ArgumentError, match=r"folder='here' for 'iris', which has no files"):
        tz.data.load("iris", "here")
    with pytest.raises(ArgumentError, match=r"seed=-1\n  expected: a whole number of at least 0"):
        tz.data.load("kin", seed=-1)
    with pytest.raises(DataError, match=r"no files of 'mnist' here: train-images-idx3-ubyte.gz is missing\n.*or in a "
                                        r"folder mnist or MNIST/raw\n.*leave folder out"):
        tz.data.load("mnist", tmp_path)


DAMAGED = {
    "no idx file": ({"train-images-idx3-ubyte.gz": gzip.compress(b"hello")}, "this is no idx file of unsigned bytes"),
    "cut off": ({"train-images-idx3-ubyte.gz": gzip.compress(gzip.decompress(idx(TRAIN))[:-1])}, "or it is cut off"),
    "gzip": ({"train-images-idx3-ubyte.gz": idx(TRAIN)[:-9]}, "the gzip file is damaged"),
    "fewer labels": ({"train-labels-idx1-ubyte.gz": idx(np.arange(5))}, "6 images and 5 labels from 0 to 4"),
    "large labels": ({"train-labels-idx1-ubyte.gz": idx(np.arange(5, 11))}, "6 images and 6 labels from 0 to 10"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_idx_files(tmp_path, damage):
    contents, text = DAMAGED[damage]
    write(tmp_path, {**IDX, **contents})
    with pytest.raises(FileFormatError, match=rf"{text}[\s\S]*load the data set again"):
        tz.data.load("mnist", tmp_path)


def test_damaged_cifar_files(tmp_path):
    write(tmp_path, {**cifar_files(), "data_batch_3.bin": b"short"})
    with pytest.raises(FileFormatError, match=r"data_batch_3.bin is missing or cut off\n.*records of 3073 bytes"):
        tz.data.load("cifar10", tmp_path)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"no archive")
    with pytest.raises(FileFormatError, match=r"the archive is damaged"):
        tz.data.load("cifar10", tmp_path)
