"""The README's code runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import tarazu as tz

README = Path(__file__).parents[1] / "README.md"


def script(number):
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[number]


def test_one_call_on_a_table(monkeypatch, capsys):
    monkeypatch.chdir(README.parent)
    exec(compile(script(0), "README.md", "exec"), {"__name__": "readme"})
    assert "majority" in capsys.readouterr().out


def test_what_goes_beyond(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    w, x, y, v = tz.randn(3), tz.randn(5, 3), tz.randn(5), tz.randn(3)

    def loss(w, x, y):
        return (x @ w - y) ** 2

    names = {"tz": tz, "loss": loss, "w": w, "x": x, "y": y, "v": v, "xs": x, "carry": w, "p": tz.tensor(True)}
    lines = script(2).strip().split("\n")
    assert eval(lines[0].partition("#")[0], names).shape == (5, 3)
    names |= {"f": lambda x: (x * x * x).sum(), "g": lambda x: x.sum(), "h": lambda carry, x: (carry + x, x), "x": w}
    exec(lines[1], names)
    names |= {"build": lambda: tz.nn.Dense(1, in_features=3), "x": x}
    names["step"] = lambda model, x, y: (model(x)[:, 0] - y).sum()
    exec(lines[2], names)
    names["step"] = lambda x, y: (x.sum(1) - y).mean()
    exec("\n".join(lines[3:]), names)
    assert "<svg" in Path("step.html").read_text(encoding="utf-8")


def test_the_script_of_both_levels(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(script(1), "README.md", "exec"), {"__name__": "readme"})
    output = capsys.readouterr().out
    assert re.search(r"^(about right|underfitting|overfitting|undecided): ", output, re.MULTILINE)
    assert "return " in output
    assert (tmp_path / "digits.tz" / "model.safetensors").is_file()
