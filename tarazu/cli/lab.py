"""`tarazu lab`: begin a lab of the course, and have it graded."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from tarazu.base.errors import ArgumentError
from tarazu.course import labs
from tarazu.course.language import LANGUAGES
from tarazu.record import write_text

LANGUAGE = click.option("--language", type=click.Choice(list(LANGUAGES)), default="en", show_default=True,
                        help="English or Punjabi.")


@click.group(name="lab", short_help="Begin a lab of the course, and have it graded.")
def lab_commands() -> None:
    """Labs of the course: a file with functions to fill in, and a grader that says what they lack."""


@lab_commands.command(name="start", short_help="Write the file that a student fills in.")
@click.argument("lab", type=click.Choice(labs.LABS))
@LANGUAGE
@click.option("-o", "--output", type=click.Path(file_okay=False), default=".", show_default=True, help="The folder.")
@click.option("--solution", "is_solution", is_flag=True, help="Write the solution, as LAB_solution.py.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def start_command(lab: str, language: str, output: str, is_solution: bool, force: bool) -> None:
    """Write LAB.py: functions with their tasks, to be filled in."""
    text = (labs.solution if is_solution else labs.template)(lab, language)
    path = Path(output) / (f"{lab}_solution.py" if is_solution else f"{lab}.py")
    if path.exists() and not force:
        raise ArgumentError(f"{path} is there already", expected="a new file",
                            fix="name another folder with -o, or pass --force to replace what you have written")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    click.echo(f"wrote {path}; fill in its functions, then: tarazu lab grade {lab} {path}")


@lab_commands.command(name="grade", short_help="Say how many points a file gets, and why not more.")
@click.argument("lab", type=click.Choice(labs.LABS))
@click.argument("file", type=click.Path())
@LANGUAGE
@click.option("--time-limit", type=click.FloatRange(min=0, min_open=True), default=300, show_default=True,
              help="Seconds that all parts may take together.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
def grade_command(lab: str, file: str, language: str, time_limit: float, is_json: bool) -> None:
    """Run the functions of FILE, and print the points of each part, the reason and a hint.

    The exit code is 0 for all points, 1 for fewer. FILE is run as it is: grade files of strangers where they can do no
    harm.
    """
    found = labs.grade(lab, file, language, time_limit)
    click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2) if is_json else str(found))
    sys.exit(0 if found.points == found.of else 1)
