"""The script that docs/images.md shows is examples/images.py, and trains: on a few drawn images in place of MNIST."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[1]
SCRIPT = REPOSITORY / "examples" / "images.py"
ROWS = {"train": 10, "t10k": 5}


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(header + array.tobytes())


@pytest.fixture
def stripes(tmp_path, monkeypatch):
    """Images with a bright row of pixels at a height that says their class, as the files of both sets."""
    for folder in (tmp_path / "mnist", tmp_path / "fashion_mnist"):
        folder.mkdir()
        for part, rows in ROWS.items():
            labels = np.arange(rows, dtype=np.uint8) % 10
            images = np.zeros((rows, 28, 28), np.uint8)
            images[np.arange(rows), 4 + 2 * labels, :9] = 255
            write_idx(folder / f"{part}-images-idx3-ubyte", images)
            write_idx(folder / f"{part}-labels-idx1-ubyte", labels)
    monkeypatch.setenv("TARAZU_DATA", str(tmp_path))


@pytest.mark.usefixtures("stripes")
@pytest.mark.parametrize(("name", "is_flipped"), [("mnist", False), ("fashion_mnist", True)])
def test_the_script_trains(name, is_flipped, monkeypatch, capsys):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # it takes longer to compile the program than to run its four steps
    monkeypatch.setattr("sys.argv", [SCRIPT.name, name, "4"])
    made = runpy.run_path(str(SCRIPT))

    printed = capsys.readouterr().out
    assert "epoch 4/4" in printed
    accuracy = re.search(rf"{name} {{'loss': [\d.]+, 'accuracy': ([\d.]+)}}", printed)[1]
    assert float(accuracy) * ROWS["t10k"] == pytest.approx(round(float(accuracy) * ROWS["t10k"]), abs=1e-5)

    images, labels = next(iter(made["batches"]))
    assert images.shape == (10, 28, 28, 1) and sorted(labels.tolist()) == list(range(10))
    assert images.max().item() == 1.0
    assert (images[:, :, 10:].max().item() == 1.0) == is_flipped  # the stripes are at the left, and move by 1 at most


def test_the_page_shows_the_script():
    code = SCRIPT.read_text(encoding="utf-8")
    assert f"```python\n{code}```" in (REPOSITORY / "docs" / "images.md").read_text(encoding="utf-8")
    without_docstring = code.split('"""', 2)[2]
    assert sum(bool(line.strip()) for line in without_docstring.splitlines()) <= 20
