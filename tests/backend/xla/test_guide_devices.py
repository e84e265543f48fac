"""The blocks of docs/guide/devices.md and docs/howto/export.md run as they stand, and the script in two processes."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "devices.md"
EXPORT = PAGE.parents[1] / "howto" / "export.md"


def blocks_of(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


BLOCKS = blocks_of(PAGE)
SCRIPT = next(block for block in BLOCKS if "Checkpoint" in block)


def test_the_blocks_on_devices(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    for block in BLOCKS:
        exec(compile(block, PAGE.name, "exec"), names)
        if block is BLOCKS[0]:
            assert "tarazu.device('xla:7')" in capsys.readouterr().out
            assert names["model"][0].weight.device == names["device"]
        if "tz.mesh" in block:
            assert str(names["model"][0].weight.device).startswith("mesh(data=8, model=1)")
    assert (tmp_path / "model.tz" / "model.safetensors").is_file()
    assert capsys.readouterr().out.endswith("(5, 2)\n")


def test_the_script_in_two_processes(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    launch = [sys.executable, "-m", "tarazu", "launch", "--processes", "2", "--devices", "1", "--", sys.executable]
    ended = subprocess.run([*launch, "train.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    lines = sorted(line for line in ended.stdout.splitlines() if "[Gloo]" not in line)
    assert len(lines) == 2 and lines[0].removeprefix("[1] ") == lines[1].removeprefix("[1] ")


def test_the_block_that_exports(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = blocks_of(EXPORT)
    exec(compile(block, EXPORT.name, "exec"), {"__name__": "page"})
    assert capsys.readouterr().out == "(2, 3)\n"
