"""The README's script on other devices runs as it stands."""

import re
from pathlib import Path

README = Path(__file__).parents[3] / "README.md"


def test_the_script_on_devices(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    script = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[3]
    names = {"__name__": "readme"}
    exec(compile(script, "README.md", "exec"), names)
    assert "tarazu.device('xla:7')" in capsys.readouterr().out
    assert str(names["model"][0].weight.device).startswith("mesh(data=8, model=1)")
