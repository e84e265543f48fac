"""The script of docs/images.md is that of the examples, and it trains: here on a few drawn images in place of MNIST."""

from __future__ import annotations

import gzip
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[1]
SCRIPT = REPOSITORY / "examples" / "images.py"
ROWS = {"train": 200, "t10k": 50}


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes(), compresslevel=1))


@pytest.fixture
def stripes(tmp_path, monkeypatch, request):
    """Images with a bright row of pixels at a height that says their class, as the files of either set."""
    (folder := tmp_path / request.param).mkdir()
    for part, rows in ROWS.items():
        labels = np.arange(rows) % 10
        images = np.zeros((rows, 28, 28))
        images[np.arange(rows), 4 + 2 * labels] = 255
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)
    monkeypatch.setenv("TARAZU_DATA", str(tmp_path))
    return request.param


@pytest.mark.parametrize("stripes", ["mnist", "fashion_mnist"], indirect=True)
def test_it_trains(stripes, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["images.py", stripes, "2"])
    made = runpy.run_path(str(SCRIPT))
    printed = capsys.readouterr().out
    assert "epoch 2/2" in printed
    loss, accuracy = re.search(rf"{stripes} {{'loss': (.*), 'accuracy': (.*)}}", printed).groups()
    assert np.isfinite(float(loss)) and 0 <= float(accuracy) <= 1
    assert len(made["batches"]) == 2
    images, labels = made["augmented"](np.ones((3, 28, 28, 1), np.float32), np.arange(3))
    assert images.shape == (3, 28, 28, 1) and labels.tolist() == [0, 1, 2]
