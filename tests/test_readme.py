"""The README's code runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_script_of_both_levels(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (script,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(script, "README.md", "exec"), {"__name__": "readme"})
    output = capsys.readouterr().out
    assert re.search(r"^(about right|underfitting|overfitting|undecided): ", output, re.MULTILINE)
    assert "return " in output
    assert (tmp_path / "digits.tz" / "model.safetensors").is_file()
