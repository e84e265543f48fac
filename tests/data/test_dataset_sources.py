"""Where samples come from: arrays of other libraries, sequences, files of images, lines and tables."""

import gzip
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError, FileFormatError, ScalarError
from tarazu.data import Dataset, image_folder, text_folder, text_lines
from tarazu.data.dataset import table_files


def only(dataset):
    """The one batch of a dataset that is small."""
    batch, = dataset.batch(10_000).batches(0)
    return batch


def test_datasets_load_what_they_need_when_they_need_it():
    code = "import sys, tarazu.data; tarazu.data.Dataset([1]); print(*({'multiprocessing', 'PIL', 'pyarrow', 'torch', "\
           "'concurrent.futures'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


# In memory --------------------------------------------------------------------------------------------------------


def test_columns_and_frames_are_arrays():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    np.testing.assert_array_equal(only(Dataset(frame)), frame.to_numpy())
    x, y = only(Dataset(({"a": frame["a"]}, tz.tensor([5.0, 6.0]))))
    assert x["a"].tolist() == [1, 2]
    assert y.tolist() == [5, 6]
    assert only(Dataset(pa.chunked_array([[1, 2], [3]]))).tolist() == [1, 2, 3]


class MapStyle:
    """A map-style dataset, as torch has them: samples are tuples of its tensors."""

    def __len__(self):
        return 3

    def __getitem__(self, number):
        return ForeignTensor(np.full(2, number)), number


class ForeignTensor:
    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.array


class IterableStyle:
    """torch's IterableDataset has a `__getitem__` too, which only raises, and no length."""

    def __getitem__(self, number):
        raise NotImplementedError

    def __iter__(self):
        yield from ([ForeignTensor(np.ones(2)), 5] for _ in range(3))


def test_datasets_of_torch():
    x, y = only(Dataset(MapStyle()).map(lambda x, y: (x * 2, y)))
    assert x.tolist() == [[0, 0], [2, 2], [4, 4]]
    assert y.tolist() == [0, 1, 2]
    x, y = only(Dataset(IterableStyle()))
    assert (x.shape, y.tolist()) == ((3, 2), [5, 5, 5])


def test_files_of_numpy_are_read_as_needed(tmp_path):
    rows = np.arange(12.0).reshape(6, 2)
    np.save(tmp_path / "x.npy", rows)
    dataset = Dataset({"x": str(tmp_path / "x.npy"), "y": np.arange(6)})
    assert dataset.in_memory() is None
    batch = only(dataset.shuffle(seed=0))
    np.testing.assert_array_equal(batch["x"], rows[batch["y"]])
    assert type(batch["x"]) is np.ndarray
    (tmp_path / "y.npy").write_text("nothing")
    with pytest.raises(FileFormatError, match=r"y\.npy: the file cannot be mapped"):
        Dataset(tmp_path / "y.npy")
    with pytest.raises(DataError, match=r"z\.npy: there is no such file"):
        Dataset(tmp_path / "z.npy")


# Images -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pets(tmp_path):
    """Folders dog and cat with two images each, of one color, 6 by 4 pixels."""
    for number, (kind, name, color) in enumerate([("dog", "a", "red"), ("cat", "b", "lime"), ("cat", "c", "blue"),
                                                  ("dog", "d", "white")]):
        (tmp_path / kind).mkdir(exist_ok=True)
        Image.new("RGB", (6, 4), color).save(tmp_path / kind / f"{name}.{'png' if number else 'PNG'}")
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    return tmp_path


def test_image_folders_have_classes_by_name(pets):
    dataset = image_folder(pets).shuffle(seed=0).shuffle(seed=1)
    assert dataset.class_names == ["cat", "dog"]
    images, labels = only(image_folder(pets))
    assert (images.dtype, images.shape, labels.tolist()) == (np.uint8, (4, 4, 6, 3), [0, 0, 1, 1])
    assert images[:, 0, 0].tolist() == [[0, 255, 0], [0, 0, 255], [255, 0, 0], [255, 255, 255]]
    assert len(dataset) == 4


def test_image_folders_resize_and_convert(pets):
    assert only(image_folder(pets, size=8, channels=1))[0].shape == (4, 8, 8, 1)
    assert only(image_folder(pets, size=(3, 5), labels=None, channels=4)).shape == (4, 3, 5, 4)
    assert only(image_folder(pets, labels=[7, 8, 9, 5]))[1].tolist() == [7, 8, 9, 5]


def test_errors_of_image_folders(pets, monkeypatch):
    broken = pets / "cat" / "z.jpg"
    broken.write_bytes((pets / "cat" / "b.png").read_bytes()[:40])
    with pytest.raises(FileFormatError, match=r"z\.jpg: this is not an image, or it is damaged") as caught:
        list(image_folder(pets))
    assert caught.value.path == broken
    broken.unlink()
    for wrong, text in [({"labels": [1]}, "1 label for 4 images"), ({"labels": "names"}, "labels='names'"),
                        ({"channels": 2}, "channels=2"), ({"size": (1, 2, 3)}, r"size=\(1, 2, 3\)"),
                        ({"size": 0}, "size=0")]:
        with pytest.raises(ArgumentError, match=text):
            image_folder(pets, **wrong)
    with pytest.raises(DataError, match="there is no such folder"):
        image_folder(pets / "birds")
    Image.new("RGB", (6, 4)).save(pets / "loose.png")
    with pytest.raises(DataError, match=r"loose\.png: this image lies in no folder of a class"):
        image_folder(pets)
    (pets / "empty").mkdir()
    with pytest.raises(DataError, match="the folder holds no image"):
        image_folder(pets / "empty")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match=r"(?s)reading images needs the package Pillow.*tarazu\[images\]"):
        image_folder(pets)


# Text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("content", ["a\nb c\n\nä", "a\r\nb c\r\n\r\nä\r\n", "\ufeffa\nb c\n\nä\n"])
def test_lines_of_text(content, pack, tmp_path, monkeypatch):
    monkeypatch.setattr("tarazu.data.readers.text.CHUNK_BYTES", 3)
    path = tmp_path / "lines.txt"  # gzip is known by its first bytes, not by its name
    path.write_bytes(pack(content.encode()))
    assert list(text_lines(path)) == ["a", "b c", "", "ä"]
    assert sorted(text_lines(path).shuffle(seed=0)) == ["", "a", "b c", "ä"]
    assert only(text_lines(path)).tolist() == ["a", "b c", "", "ä"]


def test_errors_of_lines(tmp_path):
    path = tmp_path / "lines.txt"
    with pytest.raises(DataError, match="the file cannot be read: No such file"):
        text_lines(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="the file is empty"):
        text_lines(path)
    path.write_bytes(b"a\n\xff\n")
    with pytest.raises(FileFormatError, match=r"lines\.txt, line 2: byte 0xff of the line is not UTF-8"):
        list(text_lines(path))
    packed = gzip.compress(b"a\nb\n" * 9)
    path.write_bytes(packed[:-9])
    with pytest.raises(FileFormatError, match=r"lines\.txt: the gzip file is damaged or cut short"):
        text_lines(path)
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match="the file is empty"):
        text_lines(path)


def test_folders_of_texts(tmp_path):
    for kind, content in [("good", "fine\n"), ("bad", "\ufeffno"), ("bad/old", "never")]:
        (tmp_path / kind).mkdir(parents=True)
        (tmp_path / kind / "a.txt").write_text(content, encoding="utf-8")
    assert only(text_folder(tmp_path))[1].tolist() == [0, 0, 1]
    assert list(text_folder(tmp_path, labels=None)) == ["no", "never", "fine\n"]
    (tmp_path / "bad" / "b.txt").write_bytes(b"\xff")
    with pytest.raises(FileFormatError, match=r"b\.txt: byte 0xff of the file is not UTF-8"):
        list(text_folder(tmp_path))
    with pytest.raises(ArgumentError, match="1 label for 4 texts"):
        text_folder(tmp_path, labels=[1])


# Tables -----------------------------------------------------------------------------------------------------------


FRAME = pd.DataFrame({"a": np.arange(50.0), "b": np.arange(50) * 2, "kind": ["x", "y"] * 25, "y": np.arange(50) % 3})


@pytest.fixture(params=["csv", "csv.gz", "parquet"])
def table(request, tmp_path, monkeypatch):
    """The frame in two files, read in blocks of few rows."""
    monkeypatch.setattr(table_files, "BLOCK_ROWS", 7)
    monkeypatch.setattr(table_files, "CSV_BLOCK_BYTES", 100)
    paths = [tmp_path / f"{part}.{request.param}" for part in "ab"]
    for path, part in zip(paths, [FRAME[:20], FRAME[20:]], strict=True):
        if request.param == "parquet":
            pq.write_table(pa.Table.from_pandas(part, preserve_index=False), path, row_group_size=9)
        else:
            content = part.to_csv(index=False, sep=";").encode()
            path.write_bytes(gzip.compress(content) if request.param == "csv.gz" else content)
    read = Dataset.from_parquet if request.param == "parquet" else Dataset.from_csv
    return lambda *args, **options: read(paths, *args, **options)


def test_tables_are_read_in_blocks(table):
    batches = list(table().batch(8).batches(0))
    assert [len(batch["a"]) for batch in batches] == [8] * 6 + [2]
    for name in FRAME:
        assert np.concatenate([batch[name] for batch in batches]).tolist() == FRAME[name].tolist()
    rows = list(table(["b", "kind"]))
    assert [(int(row["b"]), row["kind"]) for row in rows] == list(zip(FRAME["b"], FRAME["kind"], strict=True))


def test_tables_with_a_target_give_pairs(table):
    x, y = only(table(["b", "a"], target="y"))
    assert (x.dtype, y.dtype.kind) == (np.float32, "i")
    np.testing.assert_array_equal(x, FRAME[["b", "a"]])
    assert y.tolist() == FRAME["y"].tolist()
    with pytest.raises(DataError, match=r"column 'kind': it holds no numbers \((large_)?string\)"):
        only(table(target="y"))
    with pytest.raises(DataError, match="column 'bb': there is no such column"):
        table(["bb"])


def test_tables_are_shuffled_by_a_buffer(table):
    dataset = table(["a"], target="y").shuffle(seed=1, buffer=20)
    first, second = [np.concatenate([x[:, 0] for x, _ in dataset.batch(8).batches(number)]) for number in (0, 1)]
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(50))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("change", [lambda d: d, lambda d: d.shuffle(seed=1, buffer=20), lambda d: d.skip(3).take(40)])
def test_skipped_batches_of_tables(table, change):
    dataset = change(table(["a"])).batch(8)
    whole = [batch["a"].tolist() for batch in dataset.batches(0)]
    for skip in range(len(whole) + 2):
        assert [batch["a"].tolist() for batch in dataset.batches(0, skip)] == whole[skip:]


def test_parquet_knows_its_length_and_csv_does_not(tmp_path):
    pq.write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("a\n1\n2\n")
    parquet, csv = Dataset.from_parquet(tmp_path / "t.parquet"), Dataset.from_csv(tmp_path / "t.csv")
    assert (len(parquet), parquet.batch(2).steps, parquet.can_skip, csv.can_skip) == (3, 2, True, False)
    with pytest.raises(ScalarError, match="the length of this dataset is not known"):
        len(csv)


def test_errors_of_tables(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    with pytest.raises(DataError, match=r"t\.csv: there is no such file"):
        Dataset.from_csv(path)
    with pytest.raises(ArgumentError, match="an empty list of files"):
        Dataset.from_csv([])
    path.write_text("a,b\n1,2\n3\n")
    with pytest.raises(FileFormatError, match=r"t\.csv: the table cannot be read"):
        list(Dataset.from_csv(path))
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ArgumentError, match="no column beside the target"):
        Dataset.from_csv(path, ["a"], target="a")
    with pytest.raises(FileFormatError, match=r"t\.csv: the table cannot be read"):
        Dataset.from_parquet(path)
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "empty.parquet")
    with pytest.raises(DataError, match="the table has no rows"):
        list(Dataset.from_parquet(tmp_path / "empty.parquet"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match="needs the package pyarrow, which is not installed"):
        Dataset.from_csv(path)
