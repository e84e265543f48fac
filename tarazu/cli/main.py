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
from tarazu.cli.lab import lab_commands
from tarazu.cli.options import table_options
from tarazu.cli.quiz import quiz_command
from tarazu.cli.serve import serve_command
from tarazu.record import History
from tarazu.runtime import processes
from tarazu.tabular import run_folder
from tarazu.tabular.diagnosing import Diagnosis, diagnose_fit, diagnose_table, require_one_process
from tarazu.tabular.fitting import fit_table
from tarazu.tabular.inputs import as_table
from tarazu.tabular.options import TableOptions
from tarazu.tabular.predictions import predictions
from tarazu.tabular.table_model import TableModel

BAD_INPUT = 2  # the exit code for input that cannot be used
COMMAND_LINE = "tarazu.command_line"  # the key of a context under which the whole command stands


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
@table_options
@click.option("--out", type=click.Path(), help="The run folder.  [default: a new one, runs/TABLE-TARGET]")
@click.option("--force", is_flag=True, help="Replace the run folder named by --out if it is there.")
@click.option("--quiet", is_flag=True, help="Print only the verdict's headline and the run folder.")
@click.option("--diagnose", "is_diagnosed", is_flag=True,
              help="Then say why it does as it does, and what would help, as `tarazu diagnose` does.")
def fit_command(table: str, target: str, kinds: Sequence[tuple[str, str]], device: str, out: str | None, force: bool,
                quiet: bool, is_diagnosed: bool, **options: Any) -> None:
    """Train a network on TABLE (CSV or Parquet) to predict the column --target, and judge the fit.

    The run folder gets the model, the history and report.html, and with --diagnose diagnosis.html.
    """
    if is_diagnosed:
        require_one_process()
    path = destination(table, target, out, force)
    with show.warnings_as_lines() as warned:
        data = as_table(table, options["missing"], bar=not quiet)
        fitted = fit_table(data, target, kinds=dict(kinds), device=device, verbose=0 if quiet else "auto", **options)
    if not processes.is_first():
        return
    fitted = dataclasses.replace(fitted, made_by=click.get_current_context().meta[COMMAND_LINE])
    folder = fitted.write(path, force=force)
    if fitted.history.stopped == "interrupted":
        click.echo(f"interrupted after {len(fitted.history)} of {options['epochs']} epochs; what was learned is kept")
    show.outcome(fitted.verdict, None if quiet else fitted.assessment, folder)
    if is_diagnosed:
        found = diagnose_fit(fitted, data, device=device, verbose=0 if quiet else "auto")
        _report(found, folder / run_folder.DIAGNOSIS, fitted.title, fitted.made_by)
        fitted.report(folder / run_folder.REPORT,
                      {run_folder.DIAGNOSIS: f"Why it does as it does, and what would help: {found.headline}"})
        show.diagnosis(found, folder / run_folder.DIAGNOSIS, quiet)
    sys.exit(1 if warned else 0)


@main.command(name="diagnose", short_help="Say why a network does as it does on a table, and what would help.")
@table_options
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), default=20, show_default=True,
              help="About how many fits the experiments may take.")
@click.option("--out", type=click.Path(), help="The folder.  [default: a new one, runs/TABLE-TARGET-diagnosis]")
@click.option("--force", is_flag=True, help="Replace the folder named by --out if it is there.")
@click.option("--quiet", is_flag=True, help="Print only the cause and where the page is.")
def diagnose_command(table: str, target: str, kinds: Sequence[tuple[str, str]], device: str, budget: float,
                     out: str | None, force: bool, quiet: bool, **options: Any) -> None:
    """Train the network of `tarazu fit` on TABLE again and again with one thing changed, and say what would help.

    All rows that are not trained on, those of --validation and of --test, judge the fits. The folder gets
    diagnosis.html, and the history of the fit that is diagnosed.
    """
    path = destination(table, target, out, force, "-diagnosis")
    with show.warnings_as_lines() as warned:
        found = diagnose_table(table, target, TableOptions(kinds=dict(kinds), **options), budget=budget, device=device,
                               verbose=0 if quiet else "auto")
    made_by = click.get_current_context().meta[COMMAND_LINE]
    folder = run_folder.write_diagnosis(path, found.history or History(), lambda page: _report(
        found, page, f"{target} from {table}", made_by), force=force)
    show.diagnosis(found, folder / run_folder.DIAGNOSIS, quiet)
    sys.exit(1 if warned else 0)


def _report(found: Diagnosis, page: Path, title: str, made_by: str) -> Path:
    return found.report(page, title=f"{title}: why the model does as it does", notes=[f"Made by: {made_by}"])


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


main.add_command(lab_commands)
main.add_command(quiz_command)
main.add_command(serve_command)

if __name__ == "__main__":
    main()
