"""The README: every block runs as it stands, every link leads somewhere, and it fits on a screen or two."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from tarazu.cli.main import main

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)


def test_the_script_of_both_levels(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scripts = [text for language, text in BLOCKS if language == "python"]
    assert len(scripts) == 1 and len(scripts[0].splitlines()) <= 25
    exec(compile(scripts[0], README.name, "exec"), {"__name__": "readme"})
    output = capsys.readouterr().out
    assert re.search(r"^(about right|underfitting|overfitting|undecided): ", output, re.MULTILINE)
    assert "return " in output


def test_the_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(README.parent / "examples")
    install, *commands = next(text for language, text in BLOCKS if language == "sh").splitlines()
    assert install == "pip install ."  # .ci/run and the tests of wheels do this
    commands += re.findall(r"`(tarazu [^`]+)`", TEXT)
    assert [command.split()[1] for command in commands] == ["fit", "diagnose"]
    for command in commands:
        result = CliRunner().invoke(main, shlex.split(command)[1:])
        assert result.exit_code == 0, result.output
        assert re.search(r"^(report|diagnosis): runs", result.output, re.MULTILINE)


def test_all_blocks_are_run_here():
    assert [language for language, _ in BLOCKS] == ["sh", "python"]


def test_links_and_pictures():
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(targets) > 12
    assert not [target for target in targets if not (README.parent / target).exists()]


def test_it_fits_on_a_screen():
    assert len(TEXT.splitlines()) <= 75
