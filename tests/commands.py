"""The `tarazu` command, run in this process."""

from __future__ import annotations

import csv
from pathlib import Path

from click.testing import CliRunner

from tarazu.cli.main import main


def run(*arguments: object, code: int = 0) -> str:
    """What the command prints, which must end with the exit code `code`."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def read_csv(path: str) -> list[dict[str, str]]:
    """The rows of a file that a command wrote."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
