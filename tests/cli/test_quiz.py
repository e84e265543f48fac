"""`tarazu quiz`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner
from commands import run

from tarazu.cli.main import main
from tarazu.course.quizzes import quiz, quiz_page, quizzes


def asked(lines, *arguments):
    """What the command prints when these lines are typed."""
    result = CliRunner().invoke(main, ["quiz", *arguments], input="".join(f"{line}\n" for line in lines))
    assert result.exit_code == 0, result.output
    return result.output


def right_numbers(chosen):
    return [",".join(str(place) for place, answer in enumerate(question.answers, 1) if answer.is_right)
            for question in chosen.questions]


def test_all_right():
    output = asked(right_numbers(quiz("overfitting", "before")), "overfitting", "--before")
    assert output.startswith("Overfitting · Before the lesson\n\nQuestion 1 of 3\n")
    assert output.count("✓ Right.") == 3 and output.endswith("\n3 of 3 right.\n")
    assert "Several answers may be right." in output and "After the lesson" not in output


def test_wrong_answers_are_explained_and_what_is_no_number_is_asked_again():
    question = quiz("tensors", "after").questions[0]
    right = [answer.is_right for answer in question.answers].index(True)
    output = asked(["four", "1 2", "0", (right + 1) % 3 + 1], "tensors", "--after")
    assert output.count("Please give a number from 1 to 3.") == 3
    assert "    print((x - x[0]).tolist())\n" in output
    assert f"✗ Not right.\n  {min(right, (right + 1) % 3) + 1}  " in output
    answer = question.answers[right]
    assert f"{right + 1}  The right answer: {answer.text}\n     {answer.why}" in output
    assert question.answers[(right + 1) % 3].why in output and question.answers[(right + 2) % 3].why not in output
    assert output.endswith("\nStopped.\n0 of 1 right.\n")


def test_both_quizzes_of_a_lesson_in_punjabi():
    chosen = quizzes("pa", "tricks")
    output = asked([line for each in chosen for line in right_numbers(each)], "tricks", "--language", "pa")
    assert output.count("✓ ਸਹੀ।") == 9 and output.endswith("9 ਵਿੱਚੋਂ 9 ਸਹੀ।\n")
    assert "ਪਾਠ ਤੋਂ ਪਹਿਲਾਂ" in output and "ਪਾਠ ਤੋਂ ਬਾਅਦ" in output


def test_the_end_of_the_input_before_any_answer():
    assert asked([]).endswith("Your answer: \nStopped.\n")


def test_an_interrupt_ends_it_without_a_traceback():
    process = subprocess.Popen([sys.executable, "-m", "tarazu.cli.main", "quiz", "tensors"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {
                                   "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"})
    read = b""
    while b"Your answer: " not in read:
        read += process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (out.decode().strip(), err.decode(), process.returncode) == ("Stopped.", "", 0)


def test_the_list():
    lines = run("quiz", "--list").splitlines()
    assert len(lines) == 8 and lines[0] == "tensors         4 before, 4 after"
    assert run("quiz", "mixing", "--list", "--after") == "mixing          4 after\n"


def test_a_page():
    assert run("quiz", "tensors", "--page", "quiz.html", "--language", "pa") == "page: quiz.html\n"
    assert Path("quiz.html").read_text(encoding="utf-8") == quiz_page("pa", quizzes("pa", "tensors"))
    assert "quiz.html is there already" in run("quiz", "--page", "quiz.html", code=2)
    run("quiz", "--page", "quiz.html", "--force")
    assert Path("quiz.html").read_text(encoding="utf-8") == quiz_page("en")


def test_a_lesson_that_is_not_there():
    assert run("quiz", "tensor", code=2).startswith("error: there is no lesson 'tensor'\n  expected: one of tensors,")
