"""examples/text.py: both networks learn a little text, and write letter by letter what whole calls would."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz

PATH = Path(__file__).parents[1] / "examples" / "text.py"
TEXT = "the cat sat on the mat, and the dog sat on the cat.\n" * 30
SIZES = {"gru": {"units": 8}, "transformer": {"dim": 8, "layers": 2}}
networks = pytest.mark.parametrize("network", SIZES)


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("text_example", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["text_example"] = module  # where tz.load looks for the classes
    spec.loader.exec_module(module)
    module.LENGTH = module.Transformer.longest = 16
    for network, sizes in SIZES.items():
        module.NETWORKS[network] = partial(module.NETWORKS[network], **sizes)
    yield module
    del sys.modules["text_example"]


@pytest.fixture(autouse=True)
def numpy_backend(monkeypatch):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # the native one takes seconds to compile


@pytest.fixture(scope="module")
def trained(example):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TARAZU_BACKEND", "numpy")
        return {network: example.train(network, TEXT, 4) for network in SIZES}


@networks
def test_it_learns(network, trained):
    _, history = trained[network]
    assert history[-1]["val_loss"] < 0.98 * history[0]["val_loss"]


@networks
def test_the_memory_gives_what_the_whole_sequence_gives(network, trained, example):
    model = trained[network][0].eval()
    codes = model.letters(TEXT[:example.LENGTH])[None]
    memory, scores = model.empty_memory(), []
    with tz.no_grad():
        for i in range(example.LENGTH):
            score, memory = model(codes[:, i:i + 1], memory)
            scores.append(score)
        np.testing.assert_allclose(tz.concat(scores, 1), model(codes), rtol=1e-4, atol=1e-5)


@networks
def test_what_it_writes_depends_on_the_seed(network, trained, example):
    model = trained[network][0]
    text = example.write(model, "the ", 30)  # more than a memory of the transformer holds
    assert len(text) == 34 and text.startswith("the ")
    assert text == example.write(model, "the ", 30) != example.write(model, "the ", 30, seed=1)


@networks
def test_a_low_temperature_takes_the_likeliest_letter(network, trained, example):
    model = trained[network][0]
    with tz.no_grad():
        likeliest = 2 + tz.argmax(model(model.letters("the ")[None])[0, -1, 2:])
    assert example.write(model, "the ", 1, temperature=1e-4) == "the " + model.letters.decode(likeliest[None])


def test_the_command_trains_and_saves_and_then_loads(example, tmp_path, monkeypatch, capsys):
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    arguments = ["transformer", path, "--epochs", 4, "--model", tmp_path / "model.tz", "--start", "the ", "--count", 20]
    monkeypatch.setattr(sys, "argv", ["text.py", *map(str, arguments)])
    example.main()
    first = capsys.readouterr().out
    example.main()
    again = capsys.readouterr().out
    assert again.startswith("the ") and first.endswith(again)


def test_what_the_command_refuses(trained, example, tmp_path, monkeypatch, capsys):
    path, saved = tmp_path / "text.txt", tmp_path / "model.tz"
    path.write_text("a" * 10 * example.LENGTH)
    trained["transformer"][0].save(saved)

    def message(*arguments):
        monkeypatch.setattr(sys, "argv", ["text.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            example.main()
        return f"{ended.value} {capsys.readouterr().err}"

    assert "text.py: the text has 160 letters; it takes 161 or more" in message("gru", path)
    assert "--epochs 0: it takes 1 or more" in message("gru", path, "--epochs", 0)
    assert "model.tz holds a transformer, no gru; name that" in message("gru", path, "--model", saved)
