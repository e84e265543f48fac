"""`tarazu quiz`: the quizzes of the course, asked in the terminal or written as a page."""

from __future__ import annotations

from pathlib import Path

import click

from tarazu.base.errors import ArgumentError
from tarazu.course.language import LANGUAGES
from tarazu.course.quizzes import Question, Quiz, quiz_page, quizzes
from tarazu.course.quizzes.questions import words
from tarazu.record import write_text


@click.command(name="quiz", short_help="Ask the quizzes of the course.")
@click.argument("lesson", required=False)
@click.option("--before", is_flag=True, help="Only the quiz before the lesson.")
@click.option("--after", is_flag=True, help="Only the quiz after the lesson.")
@click.option("--language", type=click.Choice(list(LANGUAGES)), default="en", show_default=True,
              help="English or Punjabi.")
@click.option("--page", type=click.Path(), help="Write the quizzes to this HTML file, and ask nothing.")
@click.option("--force", is_flag=True, help="Replace the file of --page if it is there.")
@click.option("--list", "lists", is_flag=True, help="List the lessons, with the number of questions before and after.")
def quiz_command(lesson: str | None, before: bool, after: bool, language: str, page: str | None, force: bool,
                 lists: bool) -> None:
    """Ask the questions before and after LESSON, a name or number (by default, of all), and say why answers are right.

    Answers are numbers. Ctrl-C, or the end of the input, ends the quiz with the score so far.
    """
    time = None if before == after else "before" if before else "after"
    chosen = quizzes(language, _named(lesson), time)
    if lists:
        for name in dict.fromkeys(quiz.lesson for quiz in chosen):
            counts = [f"{len(quiz.questions)} {quiz.time}" for quiz in chosen if quiz.lesson == name]
            click.echo(f"{name:<15} {', '.join(counts)}")
    elif page is not None:
        if not page or Path(page).is_dir() or not Path(page).parent.is_dir():
            raise ArgumentError(f"--page {page!r}", expected="a file in a folder that is there",
                                fix="for example --page quiz.html")
        if Path(page).exists() and not force:
            raise ArgumentError(f"{page} is there already", expected="a new file",
                                fix="choose another --page, or replace it with --force")
        write_text(page, quiz_page(language, chosen))
        click.echo(f"page: {page}")
    else:
        _ask_all(chosen, language)


def _named(lesson: str | None) -> str | None:
    """A lesson by its number, 1 to 8, or by the name of its notebook, such as 01_tensors; other names as they are."""
    known = list(dict.fromkeys(quiz.lesson for quiz in quizzes("en", None, None)))
    number = (lesson or "").partition("_")[0]
    return known[int(number) - 1] if number.isdecimal() and 1 <= int(number) <= len(known) else lesson


def _ask_all(chosen: list[Quiz], language: str) -> None:
    say, asked, right = words(language), 0, 0
    try:
        for quiz in chosen:
            click.echo(f"{quiz.title} · {say[quiz.time]}\n")
            for number, question in enumerate(quiz.questions, 1):
                click.echo(say["question"].format(number=number, all=len(quiz.questions)))
                is_right = _ask(question, say)
                asked, right = asked + 1, right + is_right
    except (click.Abort, EOFError, KeyboardInterrupt):
        click.echo(f"\n{say['stopped']}")
    if asked:
        click.echo(say["points"].format(right=right, all=asked))


def _ask(question: Question, say: dict[str, str]) -> bool:
    """Ask one question, once, and explain; whether the answer was right."""
    click.echo(question.text)
    if question.code:
        click.echo("\n" + "".join(f"    {line}\n" for line in question.code.splitlines()))
    if question.takes_several:
        click.echo(say["several"])
    for number, answer in enumerate(question.answers, 1):
        click.echo(f"  {number}  {answer.text}")
    chosen = _numbers(question, say)
    is_right = question.is_right(chosen)
    click.echo(("✓ " if is_right else "✗ ") + (say["right"] if is_right else say["wrong"]))
    for place, answer in enumerate(question.answers):
        if place in chosen or answer.is_right:
            click.echo(f"  {place + 1}  {answer.why if place in chosen else say['correct'] + ' ' + answer.text}")
            if place not in chosen:
                click.echo(f"     {answer.why}")
    click.echo()
    return is_right


def _numbers(question: Question, say: dict[str, str]) -> set[int]:
    """The places of the answers that are chosen; asked again until they are numbers that there are."""
    count = len(question.answers)
    while True:
        given = click.prompt(say["answers" if question.takes_several else "answer"], prompt_suffix=": ")
        parts = given.replace(",", " ").split()
        are_there = bool(parts) and all(part.isdecimal() and 1 <= int(part) <= count for part in parts)
        if are_there and (question.takes_several or len(parts) == 1):
            return {int(part) - 1 for part in parts}
        click.echo(say["numbers"].format(count=count))
