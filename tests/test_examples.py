"""The scripts in examples/ run at a small size and learn; they are short, and say what came out."""

from __future__ import annotations

import re

import huggingface
import numpy as np
import pytest
from helpers import EXAMPLES, example

import tarazu as tz

NAMES = ["table", "mnist", "fashion_mnist", "image_folder", "char_gpt", "gru_text", "time_series", "vae", "gan", "pinn",
         "fine_tuning", "cluster", "gpt2", "bert", "vit"]


def run(name, *arguments, **sizes):
    return example(name).main(*arguments, **sizes)


@pytest.fixture
def play(tmp_path):
    """A text whose lines have an order of words."""
    draw = np.random.default_rng(0)
    words = [["the", "a"], ["cat", "dog", "king"], ["sees", "hears"], ["the", "no"], ["mouse", "queen"], ["at", "by"],
             ["night", "day"]]
    path = tmp_path / "play.txt"
    path.write_text("\n".join(" ".join(draw.choice(choice) for choice in words) for _ in range(300)))
    return path


@pytest.fixture
def numpy_backend(monkeypatch):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # the native one takes longer to compile than these take to run


def test_table():
    assert run("table", epochs=40) > 0.9


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_images(name):
    assert run(name, "mnist_small", epochs=1, channels=4) > 0.6


def test_image_folder(tmp_path):
    assert run("image_folder", epochs=8, images=40) > 0.5


def test_char_gpt(play, capsys, numpy_backend):
    assert run("char_gpt", play, epochs=4, dim=16, count=9) < 2.6
    assert re.search(r"^validation loss \d\.\d{3} per letter$", capsys.readouterr().out, re.MULTILINE)


def test_gru_text(play, numpy_backend):
    assert run("gru_text", play, epochs=12, units=8) > 0.8


def test_time_series(tmp_path, numpy_backend):
    months = np.arange(600)
    path = tmp_path / "series.txt"
    path.write_text("\n".join(f"{100 + 90 * np.sin(month / 8):.1f}" for month in months))
    error, unchanged = run("time_series", path, epochs=10, length=40)
    assert error < unchanged


def test_vae(capsys, numpy_backend):
    assert run("vae", "mnist_small", epochs=2, hidden=32, code=4) < 206  # of the mean image
    assert "+" in capsys.readouterr().out


def test_gan():
    clouds, near = run("gan", epochs=250, hidden=64, rows=2048)
    assert clouds >= 6 and near > 0.4


def test_pinn():
    assert run("pinn", epochs=40, points=1024) < 0.2


def test_fine_tuning():
    scores = run("fine_tuning", "mnist_small", epochs=2, channels=4, steps=150)
    assert scores["all layers"] > 0.5


def test_cluster(tmp_path):
    assert run("cluster", epochs=3, count=2000, checkpoint=tmp_path / "run.ckpt") > 0.55
    assert (tmp_path / "run.ckpt").exists()


def test_gpt2(tmp_path, capsys, numpy_backend):
    huggingface.write_folder(tmp_path, huggingface.GPT2, huggingface.gpt2())
    written = run("gpt2", tmp_path, "once", count=8)
    assert re.search(r"^\d+\.\d tokens per second$", capsys.readouterr().out, re.MULTILINE)
    tz.random.seed(0)
    module = example("gpt2")
    model, codes = module.Gpt2(huggingface.GPT2).eval(), written[:4]
    tz.interop.load_torch_weights(model, tmp_path, names=module.NAMES)
    for _ in range(8):  # without a cache
        codes.append(int(tz.random.categorical(model(tz.tensor([codes]))[0, -1] / 0.8)))
    assert codes == written


def test_bert(tmp_path, capsys, numpy_backend):
    huggingface.write_folder(tmp_path, huggingface.BERT, huggingface.bert())
    draw = np.random.default_rng(0)
    words = {"good": ["fine", "great", "nice"], "bad": ["poor", "dull", "worse"]}
    rows = [f"{draw.choice(words[label])} {draw.choice(['film', 'book'])},{label}" for label in ["good", "bad"] * 60]
    (tmp_path / "texts.csv").write_text("text,label\n" + "\n".join(rows))
    assert run("bert", tmp_path, tmp_path / "texts.csv", epochs=8, lr=3e-3) > 0.9
    assert re.search(r"tensors loaded, new are classifier.weight, classifier.bias\n", capsys.readouterr().out)


def test_vit(tmp_path, capsys, numpy_backend):
    from PIL import Image

    huggingface.write_folder(tmp_path, huggingface.VIT, huggingface.vit())
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype="uint8")).save(tmp_path / "x.png")
    assert run("vit", tmp_path, tmp_path / "x.png") in range(3)
    assert re.search(r"^(cat|dog|owl), \d+\.\d%; \d+\.\d\d s$", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_short_and_says_what_came_out(name):
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    head = text.split('"""')[1]
    assert len(text.splitlines()) <= 80
    assert f"python examples/{name}.py" in head and re.search(r"Result\b.*:.*\d", head, re.DOTALL)
