"""The bar that appears late: replaced in place where that can be, and nothing where it would disturb."""

import io
import re
import time

import pytest
from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn

from tarazu.data import late_bar, screens

COLUMNS = BarColumn(), DownloadColumn(), TimeRemainingColumn(compact=True)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(late_bar, "BAR_AFTER", -1.0)
    monkeypatch.setattr(late_bar, "EVERY", 0.0)


def load(steps=20):
    with late_bar.late_bar("downloading", "a name that is too long for a line.tar.gz", 1e9, *COLUMNS) as show:
        for n in range(steps):
            show(n / steps * 1e9)
            time.sleep(0.001)


def test_a_notebook_keeps_one_line(notebook, capsys):
    load()
    assert len(notebook.outputs) == 1 and capsys.readouterr() == ("", "")
    *shown, last = notebook.outputs[0]
    assert any("0.5/1.0 GB" in text for text in shown)
    assert all("\n" not in text and "\x1b" not in text and len(text) <= 100 for text in shown)
    assert re.fullmatch(r"downloading a name that is too long.*…: 0\.\d s", last)


def test_what_is_soon_done_makes_no_output(notebook, monkeypatch):
    monkeypatch.setattr(late_bar, "BAR_AFTER", 60.0)
    load()
    assert notebook.outputs == []


@pytest.mark.parametrize("forced", ["", "1"])
def test_files_get_nothing(monkeypatch, capsys, forced):
    monkeypatch.setenv("FORCE_COLOR", forced)
    load()
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_of_72_columns_gets_one_line(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.setattr("sys.stderr", Terminal())
    load()
    text = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", late_bar.sys.stderr.getvalue())
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    assert lines and all(line.startswith("downloading a name") and len(line) <= 72 for line in lines)


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, screens.IN_CELL])
def test_terminals_that_replace_no_lines_get_nothing(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr", Terminal())
    load()
    assert late_bar.sys.stderr.getvalue() == ""


@pytest.mark.parametrize(("module", "name", "expected"), [
    ("ipykernel.zmqshell", "ZMQInteractiveShell", True), ("google.colab._shell", "Shell", True),
    ("IPython.terminal.interactiveshell", "TerminalInteractiveShell", False)])
def test_shells_of_notebooks_are_known(notebook, monkeypatch, module, name, expected):
    shell = type(name, (), {"__module__": module})
    monkeypatch.setattr("builtins.get_ipython", shell)
    assert screens.is_notebook() is expected
