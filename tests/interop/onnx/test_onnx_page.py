"""The blocks of docs/howto/onnx.md run as they stand, and print what they say."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "onnx.md"


@pytest.mark.extras
def test_the_blocks_of_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    for kind, block in re.findall(r"```(python|\{code-cell\})\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, PAGE.name, "exec"), names)
        printed = capsys.readouterr().out.strip()
        assert kind != "python" or printed == block.rpartition("    # ")[2].strip()
