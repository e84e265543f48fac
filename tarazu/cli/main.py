"""The commands and their options; the work itself is done by calls of `train`, `data` and `run_folder.py`."""

from __future__ import annotations

import dataclasses
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tarazu.backend.native import cache
from tarazu.base.errors import TarazuError
from tarazu.base.messages import plural
from tarazu.cli import launch, show
from tarazu.cli.closed_pipe import quiet_when_closed
from tarazu.cli.destination import destination, write_predictions
from tarazu.optim import OPTIMIZERS
from tarazu.runtime import processes
from tarazu.tabular import run_folder
from tarazu.tabular.fitting import fit_table
from tarazu.tabular.options import TableOptions
from tarazu.tabular.table_model import TableModel, predictions

BAD_INPUT = 2  # the exit code for input that cannot be used
COMMAND_LINE = "tarazu.command_line"  # the key of a context under which the whole command stands


class Sizes(click.ParamType):
    """Layer sizes such as 64,64; 0 means no hidden layer."""

    name = "sizes"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            sizes = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            sizes = (-1,)
        if sizes != (0,) and min(sizes) < 1:
            self.fail(f"{value!r} is not a list of layer sizes; write for example 64,64 (or 0 for no hidden layer)",
                      param, ctx)
        return () if sizes == (0,) else sizes


class Kind(click.ParamType):
    """A column and its kind, as NAME=number."""

    name = "name=kind"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, kind = str(value).rpartition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not NAME=KIND; write for example year=category", param, ctx)
        return name, kind


class Words(click.ParamType):
    """Words with commas between them."""

    name = "words"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(word for word in map(str.strip, str(value).split(",")) if word)


class Commands(click.Group):
    """Commands that end with a message and exit code 2 on input that cannot be used, never with a traceback.

    NO_COLOR and FORCE_COLOR, environment variables, say whether to color; otherwise a terminal is colored.
    """

    def main(self, *args: Any, **options: Any) -> Any:
        with quiet_when_closed():
            return super().main(*args, **options)

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None,
                     **extra: Any) -> click.Context:
        words = ["tarazu", *args]
        context = super().make_context(info_name, args, parent, **extra)
        context.meta[COMMAND_LINE] = shlex.join(words)
        context.color = False if os.environ.get("NO_COLOR") else True if os.environ.get("FORCE_COLOR") else None
        return context

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (TarazuError, OSError) as error:
            show.problem(f"error: {error}")
            ctx.exit(BAD_INPUT)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tarazu", message="tarazu %(version)s")
def main() -> None:
    """Train neural networks on tables, and learn whether they underfit or overfit and what would help."""


@main.command(name="fit", short_help="Train on a table and judge the fit.")
@click.argument("table", type=click.Path())
@click.option("--target", required=True, help="The column to predict.")
@click.option("--epochs", type=click.IntRange(min=1), default=TableOptions.epochs, show_default=True,
              help="Passes over the training rows at most; training ends earlier when validation stops improving.")
@click.option("--batch-size", type=click.IntRange(min=1),
              help="Rows per step.  [default: by the number of rows, 32 to 256]")
@click.option("--hidden", type=Sizes(), default=",".join(map(str, TableOptions.hidden)), show_default=True,
              help="Sizes of the hidden layers; 0 for none.")
@click.option("--dropout", type=click.FloatRange(0, 1, max_open=True), default=TableOptions.dropout, show_default=True,
              help="Share of each hidden layer that is dropped while training.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=TableOptions.learning_rate,
              show_default=True, help="How far each step goes.")
@click.option("--optimizer", type=click.Choice(sorted(OPTIMIZERS)), default=TableOptions.optimizer, show_default=True,
              help="How steps follow from gradients.")
@click.option("--seed", type=click.IntRange(min=0), default=TableOptions.seed, show_default=True,
              help="The same seed gives the same split, weights and history.")
@click.option("--validation", type=click.FloatRange(0, 1, max_open=True), default=TableOptions.validation,
              show_default=True, help="Share of the rows to choose the best epoch by.")
@click.option("--test", type=click.FloatRange(0, 1, max_open=True), default=TableOptions.test, show_default=True,
              help="Share of the rows to measure the final model by.")
@click.option("--kind", "kinds", type=Kind(), multiple=True,
              help="What a column is, when the guess is wrong: number, category, date or ignore. May be given several "
              "times.")
@click.option("--missing", type=Words(), default=",".join(TableOptions.missing), show_default=True,
              help="The words that mean missing, in any case, with commas between them; empty cells always do.")
@click.option("--split", default=TableOptions.split, show_default=True, metavar="random|time|COLUMN",
              help="Which rows measure the model: random ones, or the last by date, or by the order of a column.")
@click.option("--device", default="cpu", show_default=True, help="Where to train.")
@click.option("--out", type=click.Path(), help="The run folder.  [default: a new one, runs/TABLE-TARGET]")
@click.option("--force", is_flag=True, help="Replace the run folder named by --out if it is there.")
@click.option("--quiet", is_flag=True, help="Print only the verdict's headline and the run folder.")
def fit_command(table: str, target: str, kinds: Sequence[tuple[str, str]], device: str, out: str | None, force: bool,
                quiet: bool, **options: Any) -> None:
    """Train a network on TABLE (CSV or Parquet) to predict the column --target, and judge the fit.

    The run folder gets the model, the history and report.html.
    """
    path = destination(table, target, out, force)
    with show.warnings_as_lines() as warned:
        fitted = fit_table(table, target, kinds=dict(kinds), device=device, verbose=0 if quiet else "auto", **options)
    if not processes.is_first():
        return
    fitted = dataclasses.replace(fitted, made_by=click.get_current_context().meta[COMMAND_LINE])
    folder = fitted.write(path, force=force)
    if fitted.history.stopped == "interrupted":
        click.echo(f"interrupted after {len(fitted.history)} of {options['epochs']} epochs; what was learned is kept")
    show.outcome(fitted.verdict, None if quiet else fitted.assessment, folder)
    sys.exit(1 if warned else 0)


@main.command(name="predict", short_help="Predict for each row of a table.")
@click.argument("run", type=click.Path())
@click.argument("table", type=click.Path())
@click.option("-o", "--output", type=click.Path(), help="The CSV file to write.  [default: print to the terminal]")
@click.option("--force", is_flag=True, help="Replace the output file if it is there.")
@click.option("--trust", multiple=True, metavar="PACKAGE",
              help="A package whose layers the model may use; it is imported. May be given several times.")
def predict_command(run: str, table: str, output: str | None, force: bool, trust: Sequence[str]) -> None:
    """Predict with the model in the folder RUN for each row of TABLE.

    Writes the label and the probability of each class, or the value. Categories that training never saw and missing
    cells are handled as unknown.
    """
    with show.warnings_as_lines():
        columns = predictions(TableModel.load(run, trust=trust), table)
    write_predictions(columns, output, force)


@main.command(name="report", short_help="Print verdict and scores again.")
@click.argument("run", type=click.Path())
def report_command(run: str) -> None:
    """Print the verdict and the scores of the folder RUN again, and say where its report is."""
    history, assessment = run_folder.read_outcome(run)
    show.outcome(history.verdict, assessment, Path(run))


@main.command(name="cache", short_help="Show or clear what is compiled already.")
@click.option("--clear", is_flag=True, help="Remove it all; programs are compiled anew when they are next needed.")
def cache_command(clear: bool) -> None:
    """Show where compiled programs are kept for the next time, and how many. TARAZU_CACHE names another folder."""
    if clear:
        click.echo(f"removed {plural(cache.clear(), 'compiled program')}")
    else:
        show.cached(cache.info())


@main.command(name="launch", short_help="Start several processes of a command on this machine.")
@click.option("--processes", type=click.IntRange(min=1), required=True, help="How many.")
@click.option("--devices", type=click.IntRange(min=1),
              help="Virtual CPU devices of each process, to try things without GPUs.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def launch_command(processes: int, devices: int | None, command: tuple[str, ...]) -> None:
    """Start processes that train together, each running COMMAND; write -- before it.

    Lines of all but process 0 begin with the number of their process. When one fails, the others are stopped.
    """
    sys.exit(launch.launch(command, processes, devices))


if __name__ == "__main__":
    main()
