"""What the commands print."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import click

from tarazu.backend.native.cache import LIMIT, Info
from tarazu.base.errors import DataWarning
from tarazu.record import Verdict
from tarazu.study import Diagnosis
from tarazu.study.diagnosis.causes import HEALTHY, UNDECIDED
from tarazu.tabular import score_text
from tarazu.tabular.assessment import Assessment
from tarazu.tabular.run_folder import REPORT
from tarazu.train.trainer.divergence import TrainingWarning

SHOWN = (TrainingWarning, DataWarning)
COLORS = {"about right": "green", "underfitting": "red", "overfitting": "red", "undecided": "yellow"}


@contextlib.contextmanager
def warnings_as_lines() -> Iterator[list[str]]:
    """A block whose warnings about training and data are printed as lines; gives the list of them."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        for category in SHOWN:
            warnings.simplefilter("always", category)
        yield messages
    for warning in caught:
        if issubclass(warning.category, SHOWN):
            messages.append(str(warning.message))
            problem(f"warning: {warning.message}")


def problem(text: str) -> None:
    """Print an error or a warning to standard error, in lines that fit."""
    click.echo(score_text.wrapped(text, score_text.terminal_width(sys.stderr), "  "), err=True)


def outcome(verdict: Verdict | None, assessment: Assessment | None, folder: Path) -> None:
    """The scores, the verdict, and where everything is; without scores, only the headline and the folder."""
    width = score_text.terminal_width()
    if assessment is not None:
        click.echo(f"\n{score_text.all_scores(assessment, width)}\n")
    if verdict is not None:
        headline, *rest = str(verdict).split("\n")
        click.secho(score_text.wrapped(headline, width, "  "), bold=True, fg=COLORS[verdict.name])
        for line in rest if assessment is not None else []:
            click.echo(score_text.wrapped(line, width, "    "))
    click.echo(f"run folder: {folder}" if assessment is None else
               f"\nrun folder: {folder}\nreport: {folder / REPORT}")


def diagnosis(found: Diagnosis, page: Path, is_short: bool) -> None:
    """The cause, the measured remedies, the evidence, and where the page is; or only the cause and the page."""
    width = score_text.terminal_width()
    headline, *rest = str(found).split("\n")
    color = {HEALTHY: "green", UNDECIDED: "yellow"}.get(found.cause, "red")
    click.secho(score_text.wrapped(headline, width, "  "), bold=True, fg=color)
    for line in [] if is_short else rest:
        click.echo(score_text.wrapped(line, width, "    "))
    click.echo(f"{'' if is_short else chr(10)}diagnosis: {page}")


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

