"""What the commands print."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tarazu.backend.native.cache import LIMIT, Info
from tarazu.cli.run_folder import REPORT
from tarazu.data import TableSummary
from tarazu.record import Verdict
from tarazu.train.loop import TrainingWarning
from tarazu.train.table import Scores


def summary(table: TableSummary) -> None:
    """Print what is in the table."""
    click.echo(f"{table}\n")


@contextlib.contextmanager
def warnings_as_lines() -> Iterator[list[str]]:
    """A block whose training warnings are printed as lines; gives the list of them."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TrainingWarning)
        yield messages
    for warning in caught:
        if issubclass(warning.category, TrainingWarning):
            messages.append(str(warning.message))
            click.echo(f"warning: {warning.message}", err=True)


def outcome(verdict: Verdict | None, scores: Scores | None, folder: Any) -> None:
    """The table of scores, the verdict, and where everything is; without scores, only the headline and the folder."""
    if scores is not None:
        score_table(scores)
    if verdict is not None:
        headline, _, rest = str(verdict).partition("\n")
        click.secho(headline, bold=True)
        if rest and scores is not None:
            click.echo(rest)
    if scores is None:
        click.echo(f"run folder: {folder}")
    else:
        click.echo(f"\nrun folder: {folder}\nreport: {Path(folder) / REPORT}")


def score_table(scores: Scores) -> None:
    """One row per part, one column per metric."""
    from rich.console import Console
    from rich.table import Table

    names = list(dict.fromkeys(name for row in scores.values() for name in row))
    table = Table("", *names, box=None, pad_edge=False, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for part, row in scores.items():
        table.add_row(part, *(_number(name, row[name]) if name in row else "-" for name in names))
    click.echo()
    Console().print(table)
    click.echo()


def cached(info: Info) -> None:
    """Where compiled programs are kept, how many and since when."""
    if info.folder is None:
        click.echo("no compiled programs are kept: TARAZU_CACHE is off")
        return
    click.echo(f"folder    {info.folder}")
    click.echo(f"programs  {info.entries}")
    click.echo(f"size      {info.size / 2**20:.2f} MB of at most {LIMIT / 2**20:.0f}")
    if info.oldest is not None and info.newest is not None:
        click.echo(f"used      from {_moment(info.oldest)} to {_moment(info.newest)}")


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _number(name: str, value: float) -> str:
    return f"{value:.1%}" if name == "accuracy" else f"{value:.4g}"
