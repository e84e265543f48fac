"""The script of docs/images.md is examples/images.py, and trains: here on a few drawn images, not Fashion-MNIST."""

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
    """Images with a bright line in the left half, at a height that says their class, as the files of Fashion-MNIST."""
    folder = tmp_path / "fashion_mnist"
    folder.mkdir()
    for part, rows in ROWS.items():
        labels = np.arange(rows, dtype=np.uint8)
        images = np.zeros((rows, 28, 28), np.uint8)
        images[labels, 4 + 2 * labels, :9] = 255
        write_idx(folder / f"{part}-images-idx3-ubyte", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels)
    monkeypatch.setenv("TARAZU_DATA", str(tmp_path))


@pytest.mark.usefixtures("stripes")
def test_the_script_trains(monkeypatch, capsys):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # it takes longer to compile the program than to run its four steps
    monkeypatch.setattr("sys.argv", [SCRIPT.name, "fashion_mnist", "4"])
    made = runpy.run_path(str(SCRIPT))

    printed = capsys.readouterr().out
    assert "epoch 4/4" in printed
    accuracy = float(re.search(r"fashion_mnist {'loss': [\d.]+, 'accuracy': ([\d.]+)}", printed)[1])
    assert accuracy * ROWS["t10k"] == pytest.approx(round(accuracy * ROWS["t10k"]), abs=1e-5)

    images, labels = next(iter(made["batches"]))
    assert images.shape == (10, 28, 28, 1) and sorted(labels.tolist()) == list(range(10)) and images.max().item() == 1.0
    is_mirrored = [image[:, 14:].max().item() == 1.0 for image in images]
    assert 0 < sum(is_mirrored) < 10
    monkeypatch.setitem(made["augmented"].__globals__, "name", "mnist")
    digits, _ = made["augmented"](*next(iter(made["test"].batch(5).map(made["scaled"]))))
    assert digits[:, :, :8].max().item() == 1.0 and digits[:, :, 14:].max().item() == 0.0


@pytest.mark.parametrize("given", [[], ["mnist"], ["mnist", "0"], ["mnist", "-1"], ["mnist", "many"]])
def test_the_script_says_what_it_takes(given, monkeypatch):
    monkeypatch.setattr("sys.argv", [SCRIPT.name, *given])
    with pytest.raises(SystemExit, match="^images.py takes a data set and how many epochs, 1 or more. A small .* 12$"):
        runpy.run_path(str(SCRIPT))


def test_the_page_shows_the_script():
    code = SCRIPT.read_text(encoding="utf-8")
    assert f"```python\n{code}```" in (REPOSITORY / "docs" / "images.md").read_text(encoding="utf-8")
    without_docstring = code.split('"""', 2)[2]
    assert sum(bool(line.strip()) for line in without_docstring.splitlines()) <= 20
